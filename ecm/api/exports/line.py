"""One actual line as the export files see it, and the spans of time it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Cell = str | int | float | None
Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class File:
    """What one provider is paid by one funder: the digest of its lines, and when the newest of them was worked out."""

    digest: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A row of `export_lines`, or one worker's part of it. Times are local to the visit, with their offset.

    `workers`: how many came, in this line. `part` counts the parts of one visit, from 0.
    """

    row: Mapping[str, Any]
    actual: Span
    payable: Span
    workers: int
    file: File | None = None
    part: int = 0

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


def line_of(row: Mapping[str, Any], file: File | None = None) -> Line:
    zone = ZoneInfo(row["zone"])
    parts = _parts(row["steps"])
    actual = _around([part.recorded for part in parts if part.recorded])
    payable = _around([part.paid for part in parts if part.paid])
    if actual == (None, None):  # nothing was worked out, as for a visit that was not delivered
        actual = row["actual_start"], row["actual_end"]
    return Line(row, _in_zone(actual, zone), _in_zone(payable, zone), len(parts), file)


def a_line_each(line: Line) -> Sequence[Line]:
    """The parts of those who came, each with its own times and money; together they are the line."""
    parts = _parts(line["steps"])
    if len(parts) < 2:
        return (line,)
    zone = ZoneInfo(line["zone"])
    return [
        Line(
            dict(line.row)
            | {
                "actual_seconds": part.actual_seconds,
                "payable_seconds": part.payable_seconds,
                "amount_pence": part.amount_pence,
            },
            _in_zone(_around([part.recorded] if part.recorded else []), zone),
            _in_zone(_around([part.paid] if part.paid else []), zone),
            1,
            line.file,
            number,
        )
        for number, part in enumerate(parts)
    ]


class _Part(NamedTuple):
    """One worker's, as its steps say. Spans in whole seconds since 1970."""

    recorded: tuple[int, int] | None
    paid: tuple[int, int] | None
    actual_seconds: int
    payable_seconds: int
    amount_pence: int


def _parts(steps: Sequence[Mapping[str, Any]]) -> list[_Part]:
    of_worker: dict[str | None, list[Mapping[str, Any]]] = {}
    for step in steps:
        if step["rule"] not in ("workers", "outcome"):
            of_worker.setdefault(step["care_worker"], []).append(step)
    return [_part(own) for own in of_worker.values()]


def _part(own: Sequence[Mapping[str, Any]]) -> _Part:
    start = end = recorded = None
    for step in own:
        inputs = step["inputs"]
        if inputs.get("start") is not None:
            start = inputs["start"]
        if step["rule"] == "recorded" and inputs.get("start") is not None:
            recorded = inputs["start"], inputs["end"]
    seconds = own[-1]["seconds_after"]
    if start is not None and seconds:
        end = start + seconds
    paid = (start, end) if start is not None and end is not None else None
    return _Part(recorded, paid, own[0]["seconds_after"], seconds, own[-1]["pence_after"])


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
