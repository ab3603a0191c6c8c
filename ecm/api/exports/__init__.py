"""Files of actuals. Each format is one small file of columns; a new one is a copy of a good old one.

A file is one moment of a period however long it is, and never one in the middle of a run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple

from ecm.api.exports import abacus, open_schema
from ecm.api.exports.kinds import Format, Rows
from ecm.api.exports.line import File, line_of
from ecm.errors import Conflict
from ecm.lock import Lock
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "exports.sql")

FORMATS: dict[str, Format] = {
    "csv": open_schema.CSV,
    "xlsx": open_schema.XLSX,
    "abacus": abacus.ABACUS,
}

BATCH = 500


class LeftOut(NamedTuple):
    """Lines that a file which is paid from has not: to be looked at, and changed since the run."""

    unseen: int
    changed: int


async def export(
    db: Database,
    lock: Lock,
    period: str,
    format_name: str,
    *,
    provider: str | None = None,
    funder: str | None = None,
) -> AsyncGenerator[bytes, None]:
    """A period's file in parts, for one provider or funder or all, as far as `lock` shows it.

    Raises Conflict while a run of the period is due or under way, KeyError for a format nobody wrote.
    """
    chosen = FORMATS[format_name]
    which = lock.tenant_id, period, provider, funder
    async with db.locked(lock) as connection:
        await connection.execute(sql.one_moment)
        if await connection.fetchval(sql.not_whole, lock.tenant_id, period):
            raise Conflict(f"A run of {period} is due or under way; take the file when it has ended.")
        files = await _files(connection, which) if chosen.only_passed else {}
        rows = _rows(connection, chosen, (*which, chosen.only_passed), files)
        async for part in chosen.encode(tuple(chosen.columns), rows):
            yield part


async def left_out(
    db: Database,
    lock: Lock,
    period: str,
    format_name: str,
    *,
    provider: str | None = None,
    funder: str | None = None,
) -> LeftOut:
    """How many lines the period's file has not."""
    if not FORMATS[format_name].only_passed:
        return LeftOut(0, 0)
    async with db.locked(lock) as connection:
        row = await connection.fetchrow(sql.left_out, lock.tenant_id, period, provider, funder)
    assert row is not None
    return LeftOut(row["unseen"], row["changed"])


async def _files(connection: Connection, which: tuple[object, ...]) -> Mapping[tuple[str, str], File]:
    """By provider and funder."""
    rows = await connection.fetch(sql.files, *which)
    return {(row["provider_ref"], row["funder"]): File(row["digest"], row["written_at"]) for row in rows}


async def _rows(
    connection: Connection,
    chosen: Format,
    which: tuple[object, ...],
    files: Mapping[tuple[str, str], File],
) -> Rows:
    columns = tuple(chosen.columns.values())
    batch = []
    async for record in connection.cursor(sql.export_lines, *which, prefetch=BATCH):
        line = line_of(record, files.get((record["provider_ref"], record["funder"])))
        batch += [[column(part) for column in columns] for part in chosen.rows_of(line)]
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
