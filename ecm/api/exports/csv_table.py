"""A table as CSV: UTF-8, RFC 4180 line ends, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence

from ecm.api.exports.kinds import Rows
from ecm.spreadsheet import formula_safe

MEDIA_TYPE = "text/csv; charset=utf-8"


async def encode(header: Sequence[str], rows: Rows) -> AsyncIterator[bytes]:
    yield _as_csv([header])
    async for batch in rows:
        yield _as_csv([[formula_safe(c) if isinstance(c, str) else c for c in row] for row in batch])


def _as_csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
