"""Where the data is: a PostgreSQL named by its addresses, or our own embedded one.

    ECM_DATABASE_URL  ECM_APP_DATABASE_URL
    set               -                      one login does everything
    set               set                    the first brings the schema up to date, the services use the second
    -                 set                    nothing is brought up to date: pending migrations are refused
    -                 -                      embedded

So in production only `ecm migrate` needs to hold the owner's login.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ecm.clock import Clock, RealClock, ScaledClock
from ecm.errors import Conflict, NotFound
from ecm.settings import Settings
from ecm.store.db import Connection, Database, open_connection
from ecm.store.migrate import MigrationError, migrate, pending
from ecm.store.queries import load_queries

sql = load_queries(__package__, "place.sql")

READER = "ecm_worker"
"""The role that reads every table, and the ledger of migrations."""


class OwnerNotGiven(MigrationError):
    """This needs the database's owner: set ECM_DATABASE_URL."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Place:
    """`owner` brings the schema up to date, where we are given it; the services use `app` and take one role each."""

    owner: str | None
    app: str
    embedded: bool

    async def database(self, role: str, size: int = 4) -> Database:
        return await Database.connect(self.app, role, size)

    @asynccontextmanager
    async def of_tenant(self, tenant_id: int, size: int = 1) -> AsyncIterator[Database]:
        """What the web may do, for a tenant that exists. Raises NotFound."""
        db = await self.database("ecm_web", size)
        try:
            async with db.tenant(tenant_id) as connection:
                if not await connection.fetchval(sql.knows_tenant, tenant_id):
                    raise NotFound(
                        f"There is no tenant {tenant_id}; `ecm tenant list` shows those there are."
                    )
            yield db
        finally:
            await db.close()

    def owned(self) -> str:
        """The owner's login. Raises OwnerNotGiven."""
        if self.owner is None:
            raise OwnerNotGiven
        return self.owner

    async def pending(self) -> list[str]:
        """The migrations that are missing. Raises MigrationError."""
        if self.owner is not None:
            return await pending(self.owner)
        return await pending(self.app, role=READER)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Connection]:
        """A connection that may read the whole installation. Raises DatabaseAway."""
        role = READER if self.owner is None else None
        connection = await open_connection(self.owner or self.app, role)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def opened(settings: Settings, data_dir: Path, *, migrated: bool = True) -> AsyncIterator[Place]:
    """The database, started if it is the embedded one, brought up to date unless `migrated` is False."""
    if settings.app_database_url and not settings.database_url:
        place = Place(None, settings.app_database_url, False)
        if migrated:
            await _require_up_to_date(place)
        yield place
        return
    if settings.database_url:
        place = Place(settings.database_url, settings.app_database_url or settings.database_url, False)
        if migrated:
            await migrate(settings.database_url)
        yield place
        return
    from ecm.store.embedded import running

    async with running(data_dir) as addresses:
        if migrated:
            await migrate(addresses.owner)
        yield Place(addresses.owner, addresses.app, True)


async def service_clock(place: Place) -> Clock:
    """The clock this database's services run on: the real one, unless it was given a scaled one."""
    async with place.looking() as connection:
        return await _clock(connection)


async def scale_clock(place: Place, starts_at: datetime, speed: float) -> Clock:
    """Gives a database without events a scaled clock; the same one again goes on where it was.

    Raises Conflict on a database that holds real events (their deadlines would all be wrong), and OwnerNotGiven.
    """
    connection = await open_connection(place.owned(), None)
    try:
        async with connection.transaction():
            known = await connection.fetchrow(sql.scaled_clock)
            if known is None:
                if await connection.fetchval(sql.holds_events):
                    raise Conflict("This database holds real events; a scaled clock is for an empty one.")
                await connection.execute(sql.set_scaled_clock, starts_at, speed, datetime.now(UTC))
            elif (known["starts_at"], known["speed"]) != (starts_at, speed):
                raise Conflict(f"This database already runs on another scaled clock ({known['starts_at']}).")
        return await _clock(connection)
    finally:
        await connection.close()


async def _require_up_to_date(place: Place) -> None:
    missing = await place.pending()
    if missing:
        raise MigrationError(
            f"the database lacks {', '.join(missing)}: run `ecm migrate` with the owner's login first"
        )


async def _clock(connection: Connection) -> Clock:
    row = await connection.fetchrow(sql.scaled_clock)
    return RealClock() if row is None else ScaledClock(row["starts_at"], row["speed"], row["real_start"])
