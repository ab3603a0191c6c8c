"""From a file to its staging table, batch by batch: read and check in a thread, copy in the loop."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from ecm.importing.csv_rows import csv_rows
from ecm.importing.json_rows import json_rows
from ecm.importing.kinds import Kind, Record, record_of
from ecm.importing.report import ImportReport
from ecm.importing.row import Columns, FileRefused, Format, Row, rows_of_items
from ecm.store.db import Connection

Source = Path | bytes | BinaryIO | Iterable[Mapping[str, Any]]
"""A file, its bytes, an open seekable file, or rows as JSON has them."""

MAX_ROWS = 2_000_000
BATCH_ROWS = 5000

_READERS = {"csv": csv_rows, "json": json_rows}
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson")


@dataclass(slots=True)
class Batch:
    read: int = 0
    rows: list[tuple[int, Record]] = field(default_factory=list)
    rejections: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    refused: FileRefused | None = None


@contextmanager
def opened(source: Source, file_format: Format | None, columns: Columns) -> Iterator[Iterator[Row]]:
    """The rows of a source. A path's ending says its format; text without one is CSV."""
    if isinstance(source, Path):
        file_format = file_format or ("json" if source.suffix.lower() in _JSON_ENDINGS else "csv")
        with source.open("rb") as file:
            yield _READERS[file_format](file, columns)
    elif isinstance(source, bytes):
        yield _READERS[file_format or "csv"](io.BytesIO(source), columns)
    elif hasattr(source, "readline"):
        yield _READERS[file_format or "csv"](cast(BinaryIO, source), columns)
    else:
        yield rows_of_items(((item, "") for item in source), columns)


async def batches(
    kind: Kind, rows: Iterator[Row], zone: str, report: ImportReport
) -> AsyncIterator[list[tuple[int, Record]]]:
    """The good rows, a batch at a time; the rest goes into the report. Raises FileRefused."""
    more = True
    while more:
        batch = await asyncio.to_thread(_next_batch, kind, rows, zone)
        report.read += batch.read
        if report.read > MAX_ROWS:
            batch.refused = FileRefused(
                MAX_ROWS + 1, f"the file has more than {MAX_ROWS:,} rows; send it in parts"
            )
        for row_no, reason in batch.rejections:
            report.reject(row_no, reason)
        for row_no, note in batch.notes:
            report.note(row_no, note)
        if batch.refused:
            raise batch.refused
        if batch.rows:
            yield batch.rows
        more = batch.read == BATCH_ROWS


async def copy(connection: Connection, table: str, rows: list[tuple[int, Record]]) -> None:
    """Adds a batch to a staging table whose columns are the records' keys."""
    columns = list(rows[0][1])
    await connection.copy_records_to_table(
        table,
        columns=["row_no", *columns],
        records=[(row_no, *record.values()) for row_no, record in rows],
    )


def _next_batch(kind: Kind, rows: Iterator[Row], zone: str) -> Batch:
    batch = Batch()
    try:
        for row in islice(rows, BATCH_ROWS):
            batch.read += 1
            if row.problem:
                batch.rejections.append((row.number, row.problem))
                continue
            notes: list[str] = []
            try:
                batch.rows.append((row.number, record_of(kind, row.cells, zone, notes)))
            except ValueError as error:
                batch.rejections.append((row.number, str(error)))
            else:
                batch.notes.extend((row.number, note) for note in notes)
    except FileRefused as refused:
        batch.refused = refused
    return batch
