"""What became of a file, in numbers and by row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_LISTED = 1000
"""Rejections and notes listed by row; beyond that they are counted only."""


@dataclass(frozen=True, slots=True)
class Rejection:
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    row: int
    note: str


@dataclass(slots=True)
class ImportReport:
    """`new`, `updated` and `unchanged` count the good rows, also where nothing was `written` in the end.

    Rows are numbered as Excel shows them (the header is row 1); the first item of JSON is 1. `rejected` counts
    every rejection, `rejections` lists the first MAX_LISTED. `notes` are rows that were taken and deserve a look.
    A file `refused` could not be read to its end.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    attribution: str = ""
    dry_run: bool = False
    written: bool = False
    refused: bool = False

    def reject(self, row: int, reason: str) -> None:
        self.rejected += 1
        if len(self.rejections) < MAX_LISTED:
            self.rejections.append(Rejection(row, reason))

    def note(self, row: int, note: str) -> None:
        if len(self.notes) < MAX_LISTED:
            self.notes.append(Note(row, note))

    @property
    def summary(self) -> str:
        return (
            f"read {self.read}, new {self.new}, updated {self.updated}, unchanged {self.unchanged},"
            f" rejected {self.rejected}"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        """For a terminal."""
        lines = [self.summary]
        lines += [f"row {r.row}: {r.reason}" for r in self.rejections]
        if self.rejected > len(self.rejections):
            lines.append(f"and {self.rejected - len(self.rejections)} more")
        lines += [f"row {n.row}: note: {n.note}" for n in self.notes]
        lines += self.remarks
        if self.unknown_columns:
            lines.append(f"columns not known and not read: {', '.join(self.unknown_columns)}")
        if self.attribution:
            lines.append(self.attribution)
        if not self.written:
            lines.append("nothing was written: this was a dry run" if self.dry_run else "nothing was written")
        return "\n".join(lines)
