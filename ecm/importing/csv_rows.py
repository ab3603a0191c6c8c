"""CSV to rows: commas, semicolons or tabs, quoted as in RFC 4180."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from ecm.importing.row import MAX_CELL_CHARACTERS, Columns, FileRefused, Row, column_name
from ecm.importing.text import MAX_ROW_CHARACTERS, SAVE_AS, Text, UnreadableText

# What Python's reader says of a broken row, in our words.
_BROKEN = (
    ("end of data", "a quotation mark is opened and never closed"),
    ("field limit", "a cell is far too long; is a quotation mark opened and never closed?"),
    (
        "expected after",
        "there is text after a closing quotation mark; a quotation mark within a cell is doubled",
    ),
    ("new-line character", f"the lines end as on old Macintoshes; {SAVE_AS}"),
)


def csv_rows(source: BinaryIO, columns: Columns) -> Iterator[Row]:
    """Rows without their header; lines with nothing in them are left out, and counted. Raises FileRefused."""
    number = 0
    try:
        lines = _Lines(Text(source))
        records = csv.reader(lines, delimiter=lines.separator(columns), strict=True)
        number = 1
        places, width = _places_of(next(records, []), columns)
        while True:
            number += 1
            lines.row_begins()
            if (cells := next(records, None)) is None:
                return
            if any(cells):
                yield _row(number, cells, places, width)
    except csv.Error as error:
        reason = next((ours for theirs, ours in _BROKEN if theirs in str(error)), str(error))
        raise FileRefused(number, f"the row is not CSV: {reason}") from error
    except UnreadableText as error:
        raise FileRefused(max(1, number), error.reason) from error


class _Lines(Iterator[str]):
    """The lines of the file, none of whose rows may run on without end."""

    def __init__(self, text: Text) -> None:
        self._lines = text.lines()
        self._row_characters = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self._row_characters += len(line)
        if self._row_characters > MAX_ROW_CHARACTERS:
            raise UnreadableText(f"the row is longer than {MAX_ROW_CHARACTERS:,} characters")
        return line

    def row_begins(self) -> None:
        self._row_characters = 0

    def separator(self, columns: Columns) -> str:
        """The separator under which most of the header's names are ours. Excel's own `sep=;` line is passed over."""
        header = next(self._lines, "")
        if re.fullmatch(r"sep=.\r?\n?", header, re.IGNORECASE):
            header = next(self._lines, "")
        if not header.strip():
            raise UnreadableText("the file begins with an empty line where the column names should stand")
        self._lines = chain([header], self._lines)

        def names_known(separator: str) -> int:
            return len({column_name(cell.strip('"')) for cell in header.split(separator)} & columns.known)

        return max((",", ";", "\t"), key=names_known)


def _places_of(header: list[str], columns: Columns) -> tuple[list[tuple[str, int]], int]:
    """Where in a row each known column stands, and how wide a row is."""
    while header and not header[-1].strip():
        header.pop()
    names = [column_name(cell) for cell in header]
    if repeated := {name for name in names if name in columns.known and names.count(name) > 1}:
        raise FileRefused(1, f"the column {_listed(repeated)} appears more than once")
    for name, spelt in zip(names, header, strict=True):
        if name not in columns.known:
            columns.note_unknown(spelt)
    if missing := columns.required - set(names):
        found = f"the file has {', '.join(name[:40] for name in names[:20])}"
        raise FileRefused(1, f"the column {_listed(missing)} is missing; {found}")
    return [(name, place) for place, name in enumerate(names) if name in columns.known], len(names)


def _row(number: int, cells: list[str], places: list[tuple[str, int]], width: int) -> Row:
    if len(cells) < width:
        return Row(number, {}, f"the row has {len(cells)} cells and the header {width}; is the end cut off?")
    if len(cells) > width and any(cells[width:]):
        return Row(number, {}, f"the row has {len(cells)} cells and the header only {width}")
    if max(map(len, cells)) > MAX_CELL_CHARACTERS:
        return Row(number, {}, f"a cell is longer than {MAX_CELL_CHARACTERS:,} characters")
    return Row(number, {name: cells[place] for name, place in places})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
