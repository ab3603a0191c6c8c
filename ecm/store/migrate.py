"""Bringing a database up to date: numbered SQL files, each in a transaction of its own, only ever forwards.

`schema_migrations` is the ledger of what was done, with a checksum of each file. A ledger and files that do
not fit together are refused before anything is touched: a file changed after it was applied, a number the
files do not know (older code, newer database), a number left out or used twice.

Needs a login that owns the database, not a superuser; PostgreSQL 15 or later; and a direct connection,
because one migrator at a time is kept by a session lock, which a transaction-pooling proxy would lose.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.abc import Traversable
from importlib.resources import files
from typing import Any

import asyncpg

MIGRATIONS = files("ecm.store") / "migrations"
FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")

# A statement that waits for a lock makes everyone behind it wait too. So it waits briefly, gives way and
# comes back, until the check-ins leave it a gap.
LOCK_TIMEOUT_MS = 1_000
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
PATIENCE_S = 300.0
GAVE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

ONE_AT_A_TIME = 0x65636D  # "ecm": the session lock's key, which counts within one database
LOOK_AGAIN_S = 0.1

# BEGIN and END alone on a line belong to PL/pgSQL; with a semicolon, or by another name, they end our
# transaction.
ENDS_TRANSACTION = re.compile(
    r"^\s*(begin|commit|rollback|abort|start\s+transaction)(\s+(work|transaction))?\s*;", re.I | re.M
)

CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""
LEDGER_EXISTS = "SELECT to_regclass('public.schema_migrations') IS NOT NULL"
ROLE_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
READ_LEDGER = "SELECT number, name, sha256 FROM public.schema_migrations ORDER BY number"
ADD_TO_LEDGER = "INSERT INTO public.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)"


class MigrationError(Exception):
    """The database could not be brought up to date; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """`name` is the file's, without ".sql"."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """A row of the ledger."""

    number: int
    name: str
    sha256: str


async def migrate(owner_dsn: str, *, migrations: Traversable = MIGRATIONS) -> list[str]:
    """Applies what is missing and returns its names, oldest first. Safe to run twice at once.

    Raises MigrationError; the files before the one that failed stay applied, and of that one nothing stays.
    """
    known = read_files(migrations)
    async with _connection(owner_dsn) as connection, _alone(connection):
        await connection.execute(CREATE_LEDGER)
        missing = _missing(known, await _ledger(connection))
        for migration in missing:
            await _apply(connection, migration)
    return [migration.name for migration in missing]


async def pending(dsn: str, *, role: str | None = None, migrations: Traversable = MIGRATIONS) -> list[str]:
    """The names `migrate` would apply. Changes nothing. Raises MigrationError as `migrate` would.

    A login that does not own the database looks under a `role` that may read the ledger. Without migrations there
    is no such role yet, and then all of them are pending.
    """
    known = read_files(migrations)
    async with _connection(dsn) as connection:
        if role is not None:
            if not await connection.fetchval(ROLE_EXISTS, role):
                return [migration.name for migration in known]
            await connection.execute("SELECT set_config('role', $1, false)", role)
        return [migration.name for migration in _missing(known, await _ledger(connection))]


async def current_version(owner_dsn: str) -> int:
    """The number of the last migration applied; 0 for an empty database."""
    async with _connection(owner_dsn) as connection:
        return max((row.number for row in await _ledger(connection)), default=0)


def read_files(migrations: Traversable) -> list[Migration]:
    """All migrations, in order. Raises MigrationError for a name, a number or a statement that may not be."""
    found = []
    for file in migrations.iterdir() if migrations.is_dir() else ():
        if not file.name.endswith(".sql"):
            continue
        parts = FILE_NAME.fullmatch(file.name)
        if not parts:
            raise MigrationError(f"{file.name} is not named like 0001_what_it_does.sql")
        sql = file.read_bytes().decode().replace("\r\n", "\n")  # a checkout may change line ends, not meaning
        found.append(Migration(int(parts[1]), file.name.removesuffix(".sql"), sql))
    found.sort(key=lambda migration: (migration.number, migration.name))
    if not found:
        raise MigrationError(f"no migrations were found in {migrations}: the installation is incomplete")
    for expected, migration in enumerate(found, start=1):
        if migration.number < expected:
            raise MigrationError(f"two migrations have the number {migration.number:04}")
        if migration.number > expected:
            raise MigrationError(f"there is no migration {expected:04}, but there is {migration.name}")
        if says := ENDS_TRANSACTION.search(migration.sql):
            line = migration.sql.count("\n", 0, says.start(1)) + 1
            raise MigrationError(
                f"{migration.name}, line {line}: a migration is one transaction and may not say {says[1]}"
            )
    return found


def _missing(known: list[Migration], ledger: list[Applied]) -> list[Migration]:
    """The tail of `known` that the ledger lacks. Raises MigrationError when the two do not fit."""
    for position, row in enumerate(ledger):
        if position >= len(known):
            raise MigrationError(
                f"the database has migration {row.name}, which this version of ecm does not know:"
                " the database is newer than the program"
            )
        file = known[position]
        if row.number != file.number:
            raise MigrationError(f"the database lacks {file.name}, although it has the later {row.name}")
        if row.sha256 != file.sha256:
            raise MigrationError(
                f"{file.name} has changed since it was applied (as {row.name}):"
                " restore the file, and put the change in a new migration"
            )
    return known[len(ledger) :]


async def _ledger(connection: asyncpg.Connection[Any]) -> list[Applied]:
    if not await connection.fetchval(LEDGER_EXISTS):
        return []
    return [Applied(**row) for row in await connection.fetch(READ_LEDGER)]


async def _apply(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await _apply_once(connection, migration)
        except GAVE_WAY as gave_way:
            if asyncio.get_running_loop().time() > give_up_at:
                raise MigrationError(
                    f"{migration.name}: others kept its tables locked for {PATIENCE_S:.0f} s ({gave_way})"
                ) from gave_way
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration.name}{_line_of(error, migration.sql)}: {error}") from error
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def _apply_once(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        await connection.execute(migration.sql)
        await connection.execute(ADD_TO_LEDGER, migration.number, migration.name, migration.sha256)


def _line_of(error: asyncpg.PostgresError, sql: str) -> str:
    position = getattr(error, "position", None)
    return f", line {sql.count(chr(10), 0, int(position) - 1) + 1}" if position else ""


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    try:
        connection = await asyncpg.connect(dsn, server_settings={"application_name": "ecm migrate"})
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationError(f"the database cannot be reached: {error}") from error
    try:
        yield connection
    except asyncpg.PostgresError as error:
        raise MigrationError(str(error)) from error
    finally:
        await connection.close()


@asynccontextmanager
async def _alone(connection: asyncpg.Connection[Any]) -> AsyncIterator[None]:
    """Asks again and again instead of waiting inside a statement, which would hold back vacuum meanwhile.

    Closing the session gives the lock back, however it ends.
    """
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_AGAIN_S)
    yield
