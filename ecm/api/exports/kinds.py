"""What an export format is: its columns, which lines it takes, and how a table becomes bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ecm.api.exports.line import Cell, Line

Rows: TypeAlias = AsyncIterator[Sequence[Sequence[Cell]]]
"""Rows in batches."""


@dataclass(frozen=True, slots=True)
class Format:
    """`only_passed`: a file that is paid from has only lines that nobody must look at and that are still true.

    `rows_of`: the rows that a line becomes, one unless the format has a row for each worker.
    """

    media_type: str
    ending: str
    columns: Mapping[str, Callable[[Line], Cell]]
    encode: Callable[[Sequence[str], Rows], AsyncIterator[bytes]]
    only_passed: bool = False
    rows_of: Callable[[Line], Sequence[Line]] = lambda line: (line,)
