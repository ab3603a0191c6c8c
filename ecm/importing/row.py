"""From a file to numbered rows, or to the row and the reason why not.

Files come out of spreadsheets, case systems and e-mail, so nothing is believed. Two things can be wrong. A *row*
that does not fit carries its problem, and the file goes on. A *file* that cannot be read as rows raises
`FileRefused`: nothing after that point can be trusted, so nothing of it is imported.

Rows are numbered as a person counts them: in CSV as Excel shows them, the header being row 1 and a cell with
line breaks still one row; in JSON the first item is 1. Reading streams: memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Format = Literal["csv", "json"]

MAX_CELL_CHARACTERS = 10_000
MAX_UNKNOWN_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` by column name, known columns only; `problem` says why the row could not be read."""

    number: int
    cells: Mapping[str, Any]
    problem: str = ""


class FileRefused(Exception):
    """The file cannot be read as rows from `row` on."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.reason = reason


@dataclass(slots=True)
class Columns:
    """The columns a kind of file has. `unknown` gathers those it has not, as the file spells them."""

    known: frozenset[str]
    required: frozenset[str]
    unknown: dict[str, None] = field(default_factory=dict)

    def note_unknown(self, spelt: str) -> None:
        if len(self.unknown) < MAX_UNKNOWN_COLUMNS:
            self.unknown[spelt.strip()[:64].encode("ascii", "backslashreplace").decode() or "(no name)"] = (
                None
            )


def column_name(spelt: str) -> str:
    """`Care worker refs ` and `care-worker-refs` are both care_worker_refs."""
    return spelt.strip().lower().replace(" ", "_").replace("-", "_")


def rows_of_items(items: Iterator[tuple[Any, str]], columns: Columns) -> Iterator[Row]:
    """From decoded JSON items, each with what is already known to be wrong with it."""
    for number, (item, problem) in enumerate(items, 1):
        if not isinstance(item, Mapping):
            yield Row(number, {}, problem or "the item is not an object")
            continue
        cells: dict[str, Any] = {}
        for spelt, value in item.items():
            name = column_name(spelt)
            if name not in columns.known:
                columns.note_unknown(spelt)
            elif name in cells:
                problem = f"{name} appears twice"
            else:
                cells[name] = value
        yield Row(number, cells, problem)
