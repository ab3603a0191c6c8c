"""The door to PostgreSQL: pools under one role, transactions under one tenant, and notifications.

Only this package imports asyncpg. Whatever the driver raises when the server is gone or full leaves here as
`DatabaseAway` or `StorageFull`, which every door turns into 503 and every loop into a pause.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ecm.errors import DatabaseAway, LockedOut, StoppedByFullDisk, StorageFull
from ecm.lock import Lock, system
from ecm.store.queries import load_queries
from ecm.store.room import short_of_room

log = logging.getLogger("ecm.store")
sql = load_queries("ecm.store", "db.sql")

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
Record: TypeAlias = asyncpg.Record

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a query meets on a connection that dies under it, now and then
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
FULL = (asyncpg.DiskFullError,)
TURN_PATIENCE_S = 10.0  # for a connection that others hold
LOCKED_BY = frozenset({"ExecWithCheckOptions", "exec_stmt_raise"})
"""Where the server refuses a row that row-level security, or a trigger of ours where a policy cannot tell, would not
let somebody write; a missing grant is elsewhere."""


@asynccontextmanager
async def driver_errors(dsn: str = "") -> AsyncIterator[None]:
    """Turns what the driver says of a server that is gone or full into our own words.

    A server of our own that is gone for want of room (`dsn` leads to its folder) says so: see `ecm.store.room`.
    """
    try:
        yield
    except FULL as error:
        raise StorageFull from error
    except AWAY as error:
        if _our_own_mistake(error):
            raise
        raise (StoppedByFullDisk if short_of_room(dsn) else DatabaseAway) from error


def _our_own_mistake(error: Exception) -> bool:
    """An address that is none, or too many arguments or too few: for these the driver has no class of their own."""
    return isinstance(error, asyncpg.InterfaceError) and (
        isinstance(error, ValueError) or "argument" in str(error)
    )


async def open_connection(dsn: str, role: str | None) -> asyncpg.Connection[Any]:
    """One connection of its own, under `role`. Raises DatabaseAway."""
    async with driver_errors(dsn):
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            dsn, server_settings=_settings(role), timeout=10
        )
        await _prepare(connection)
        return connection


class Database:
    """A pool of connections under one role."""

    def __init__(self, dsn: str, role: str | None, size: int) -> None:
        self.dsn = dsn
        self.role = role
        self._size = size
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()
        self._plans: dict[int, tuple[float, bool]] = {}

    @classmethod
    async def connect(cls, dsn: str, role: str | None, size: int = 4) -> Database:
        """Opens lazily: a service may start before its database."""
        return cls(dsn, role, size)

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            with suppress(TimeoutError, *AWAY):
                async with asyncio.timeout(5):
                    await pool.close()
                return
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction. Raises DatabaseAway, StorageFull."""
        async with driver_errors(self.dsn):
            pool = await self._open()
            async with pool.acquire(timeout=TURN_PATIENCE_S) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction across tenants, for the worker's role."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Connection]:
        """A transaction across tenants for the statements that run many times a second: their plans may be kept."""
        async with self.connection() as connection:
            keeps = await self._keeps_plans(connection)
            async with _between(connection, KEEPING_PLANS if keeps else "BEGIN"):
                yield connection

    @asynccontextmanager
    async def tenant(self, tenant_id: int) -> AsyncIterator[Connection]:
        """A transaction of the service itself, which sees one tenant's rows and no others."""
        async with self.locked(system(tenant_id)) as connection:
            yield connection

    @asynccontextmanager
    async def locked(self, lock: Lock) -> AsyncIterator[Connection]:
        """A transaction for somebody, which sees what is theirs to see.

        Raises LockedOut for a row that is not theirs to write.
        """
        try:
            async with self.connection() as connection, _between(connection, f"BEGIN; {told(lock)}"):
                yield connection
        except asyncpg.InsufficientPrivilegeError as error:
            if error.server_source_function not in LOCKED_BY:
                raise
            log.warning("row-level security refused %s a change that no check of ours refused", lock.who)
            raise LockedOut from error

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Payloads as they come, for ever; "" after each (re)connection, because what was said meanwhile is lost."""
        while True:
            heard: asyncio.Queue[str | None] = asyncio.Queue()
            try:
                connection = await open_connection(self.dsn, self.role)
            except DatabaseAway:
                await asyncio.sleep(0.5)
                continue
            try:
                connection.add_termination_listener(lambda *_, heard=heard: heard.put_nowait(None))
                await connection.add_listener(channel, lambda *args, heard=heard: heard.put_nowait(args[3]))
                yield ""
                while (payload := await heard.get()) is not None:
                    yield payload
            except AWAY:
                pass
            finally:
                connection.terminate()
            await asyncio.sleep(0.2)

    async def _keeps_plans(self, connection: Connection) -> bool:
        now, server = time.monotonic(), connection.get_server_pid()
        looked_at, keeps = self._plans.get(server, (-math.inf, False))
        if now - looked_at >= PLANS_KEPT_SECONDS:
            await connection.execute("DISCARD PLANS")
            keeps = await connection.fetchval(sql.grown_up)
            self._plans[server] = now, keeps
        return keeps

    async def _open(self) -> asyncpg.Pool[Any]:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self.dsn,
                        min_size=0,
                        max_size=self._size,
                        init=_prepare,
                        reset=_no_reset,
                        server_settings=_settings(self.role),
                        max_inactive_connection_lifetime=0,
                        timeout=10,
                        command_timeout=120,
                    )
        return self._pool


# The worker's statements take a batch of keys to rows. A plan kept from when a table was young reads all of it for
# ever after (200 ms a batch, found by measuring); planning each time follows the size.
PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan"}

# But it costs some 3 ms a batch, a quarter of what the database does for a check-in. So what runs many times a second
# keeps its plans where the tables have grown up, for then they go by the index whatever is added; and for no longer
# than this, because a wrong one should be gone before anybody has found it.
KEEPING_PLANS = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan"
PLANS_KEPT_SECONDS = 5.0


@asynccontextmanager
async def _between(connection: Connection, begin: str) -> AsyncIterator[None]:
    """A transaction begun by a statement of ours: its settings cost no round trip of their own."""
    try:
        await connection.execute(begin)
        yield
    except BaseException:
        with suppress(*AWAY):
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


def told(lock: Lock) -> str:
    """What a transaction begins with, so that row-level security knows whom it is for. One text for one round trip.

    Raises ValueError for what no reference holds.
    """
    settings = lock.settings()
    if any("\0" in value for value in settings.values()):
        raise ValueError("a reference with a NUL")
    quoted = (
        f"SET LOCAL {name} = '{value.replace(chr(39), 2 * chr(39))}'" for name, value in settings.items()
    )
    return "; ".join(quoted)


def _settings(role: str | None) -> dict[str, str]:
    settings = {"application_name": f"ecm {role or 'owner'}", "timezone": "UTC", "jit": "off"}
    settings["standard_conforming_strings"] = "on"  # `told` quotes by it
    if role is not None:
        settings["role"] = role
    return settings | PLANNED_EACH_TIME if role == "ecm_worker" else settings


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _no_reset(_connection: Any) -> None:
    """Nothing here outlives its transaction (SET LOCAL only), and the driver's own reset costs a round trip."""
