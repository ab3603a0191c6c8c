"""One worker's part of a visit, in whole seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ecm.visit.model import Visit


class Share(NamedTuple):
    """One worker's part while it passes through the stages. Clock ends are whole seconds since 1970."""

    care_worker: str | None
    stays: tuple[tuple[int, int], ...]
    seconds: int
    planned: tuple[int, int] | None
    commissioned_seconds: int | None

    @property
    def planned_seconds(self) -> int | None:
        return self.planned[1] - self.planned[0] if self.planned else None


def length(stays: Sequence[tuple[int, int]]) -> int:
    """Seconds covered by any of the stays: time recorded twice is there once."""
    if len(stays) == 1:
        return stays[0][1] - stays[0][0]
    covered, reached = 0, None
    for start, end in sorted(stays):
        begin = start if reached is None else max(start, reached)
        covered += max(0, end - begin)
        reached = end if reached is None else max(end, reached)
    return covered


def planned_seconds(visit: Visit) -> int:
    if visit.planned_start is None or visit.planned_end is None:
        return 0
    return seconds_of(visit.planned_end) - seconds_of(visit.planned_start)


def seconds_of(at: datetime) -> int:
    """Whole seconds since 1970; what a device says beyond them is not paid."""
    return int(at.timestamp() // 1)
