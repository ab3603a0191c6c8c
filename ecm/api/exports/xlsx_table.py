"""A table as an Excel workbook, written through a temporary file so that a million lines need no memory.

The library, and what it loads, takes 18 MB: it comes with the first workbook that somebody asks for.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from typing import Any

from ecm.api.exports.kinds import Rows
from ecm.api.exports.line import Cell
from ecm.spreadsheet import formula_safe

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_000_000  # a sheet ends at 1,048,576
PART_BYTES = 1 << 16
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what XML has no way to write


async def encode(header: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    openpyxl = await asyncio.to_thread(import_module, "openpyxl")
    book = openpyxl.Workbook(write_only=True)
    sheet, free = book.create_sheet("actuals"), MOST_ROWS
    sheet.append(list(header))
    async for batch in rows:
        if len(batch) > free:
            sheet, free = book.create_sheet(f"actuals {len(book.worksheets) + 1}"), MOST_ROWS
            sheet.append(list(header))
        free -= len(batch)
        await asyncio.to_thread(_append, sheet, batch)
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while part := await asyncio.to_thread(file.read, PART_BYTES):
            yield part


def _append(sheet: Any, batch: Sequence[Sequence[Cell]]) -> None:
    for row in batch:
        sheet.append([_cell(cell) for cell in row])


def _cell(value: Cell) -> Cell:
    return formula_safe(CONTROL.sub("", value)) if isinstance(value, str) else value
