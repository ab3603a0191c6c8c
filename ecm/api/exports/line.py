"""One actual line as the export files see it, and the spans of time it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Cell = str | int | float | None
Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of `export_lines`. Times are local to the visit, with their offset."""

    row: Mapping[str, Any]
    actual: Span
    payable: Span

    def __getitem__(self, column: str) -> Any:
        return self.row[column]

    @property
    def date(self) -> date:
        on: date = self.row["local_date"]
        return on

    @property
    def commissioned(self) -> Span:
        """What was bought begins where it was planned: a package says how long, not when."""
        start, minutes = self.row["planned_start"], self.row["commissioned_minutes"]
        if start is None or minutes is None:
            return None, None
        return self.local(start), self.local(start + timedelta(minutes=minutes))

    @property
    def planned(self) -> Span:
        return self.local(self.row["planned_start"]), self.local(self.row["planned_end"])

    @property
    def rostered(self) -> Span:
        """A planned visit is rostered once it has a named worker."""
        return self.planned if self.row["care_worker_refs"] else (None, None)

    def local(self, at: datetime | None) -> datetime | None:
        return at.astimezone(ZoneInfo(self.row["zone"])) if at else None


def line_of(row: Mapping[str, Any]) -> Line:
    zone = ZoneInfo(row["zone"])
    actual, payable = _spans(row["steps"])
    if actual == (None, None):  # nothing was worked out, as for a visit that was not delivered
        actual = row["actual_start"], row["actual_end"]
    return Line(row, _in_zone(actual, zone), _in_zone(payable, zone))


def _spans(steps: Sequence[Mapping[str, Any]]) -> tuple[Span, Span]:
    """First start and last end over all workers: as recorded, and as paid."""
    recorded: list[tuple[int, int]] = []
    starts: dict[str | None, int] = {}
    seconds: dict[str | None, int] = {}
    for step in steps:
        if step["rule"] in ("workers", "outcome"):
            continue
        worker, inputs = step["care_worker"], step["inputs"]
        if inputs.get("start") is not None:
            starts[worker] = inputs["start"]
        if step["rule"] == "recorded" and inputs["start"] is not None:
            recorded.append((inputs["start"], inputs["end"]))
        seconds[worker] = step["seconds_after"]
    paid = [(start, start + seconds[worker]) for worker, start in starts.items() if seconds[worker]]
    return _around(recorded), _around(paid)


def _around(spans: Sequence[tuple[int, int]]) -> Span:
    if not spans:
        return None, None
    return (
        datetime.fromtimestamp(min(start for start, _ in spans), UTC),
        datetime.fromtimestamp(max(end for _, end in spans), UTC),
    )


def _in_zone(span: Span, zone: ZoneInfo) -> Span:
    start, end = span
    return start.astimezone(zone) if start else None, end.astimezone(zone) if end else None
