"""Files of actuals. Each format is one small file of columns; a new one is a copy of a good old one.

Lines are read through a cursor in one statement, so a file is one moment of a period however long it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ecm.api.exports import abacus, open_schema
from ecm.api.exports.kinds import Format, Rows
from ecm.api.exports.line import line_of
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "exports.sql")

FORMATS: dict[str, Format] = {
    "csv": open_schema.CSV,
    "xlsx": open_schema.XLSX,
    "abacus": abacus.ABACUS,
}

BATCH = 500


async def export(
    db: Database,
    tenant_id: int,
    period: str,
    format_name: str,
    *,
    provider: str | None = None,
    funder: str | None = None,
) -> AsyncGenerator[bytes, None]:
    """A period's file in parts, for one provider or funder or all. KeyError for a format nobody wrote."""
    chosen = FORMATS[format_name]
    async with db.tenant(tenant_id) as connection:
        rows = _rows(connection, chosen, (tenant_id, period, provider, funder, chosen.only_passed))
        async for part in chosen.encode(tuple(chosen.columns), rows):
            yield part


async def _rows(connection: Connection, chosen: Format, which: tuple[object, ...]) -> Rows:
    columns = tuple(chosen.columns.values())
    batch = []
    async for record in connection.cursor(sql.export_lines, *which, prefetch=BATCH):
        line = line_of(record)
        batch.append([column(line) for column in columns])
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
