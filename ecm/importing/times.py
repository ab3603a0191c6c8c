"""When a planned visit begins and ends, from local wall-clock times. The two nights when clocks change live here.

an hour that never was   01:30 on 29 March 2026 in London: refused, whoever planned it must say when
an hour that was twice   01:30 on 25 October 2026: the first of the two, with a note
an end before the start  the next day, if the visit is then no longer than OVERNIGHT_MAX; a longer one is
                         far likelier a slip of the pen, so it is refused unless the end says its day
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

OVERNIGHT_MAX = timedelta(hours=16)
VISIT_MAX = timedelta(hours=24)


@lru_cache(65_536)
def span(
    on: date, start: time, end: time | datetime, zone: str
) -> tuple[datetime, datetime, tuple[str, ...]]:
    """Start and end as UTC instants, and the notes. Raises ValueError with the reason."""
    begins = datetime.combine(on, start)
    ends = _end(begins, end)
    notes: list[str] = []
    instants = [_instant("start", begins, zone, notes), _instant("end", ends, zone, notes)]
    if instants[1] <= instants[0]:
        raise ValueError(
            f"end: {ends:%H:%M} is not after the start {begins:%H:%M} on a night when clocks change"
        )
    lasts = instants[1] - instants[0]
    if lasts != ends - begins:
        notes.append(f"clocks change during this visit, so it lasts {lasts // timedelta(minutes=1)} minutes")
    return instants[0], instants[1], tuple(notes)


def _end(begins: datetime, end: time | datetime) -> datetime:
    if isinstance(end, datetime):
        if not begins < end <= begins + VISIT_MAX:
            raise ValueError(f"end: {end:%Y-%m-%d %H:%M} is not within 24 hours after the start")
        return end
    ends = datetime.combine(begins.date(), end)
    if ends == begins:
        raise ValueError(f"end: {end:%H:%M} is the start; a visit takes some time")
    if ends > begins:
        return ends
    ends += timedelta(days=1)
    if ends - begins > OVERNIGHT_MAX:
        raise ValueError(
            f"end: {end:%H:%M} is before the start {begins:%H:%M}; if the next day is meant, write"
            f" {ends:%Y-%m-%d %H:%M}"
        )
    return ends


def _instant(column: str, local: datetime, zone: str, notes: list[str]) -> datetime:
    here = local.replace(tzinfo=ZoneInfo(zone))
    instant = here.astimezone(UTC)
    if instant.astimezone(here.tzinfo).replace(tzinfo=None) != local:
        raise ValueError(
            f"{column}: {local:%H:%M} does not exist on {local:%Y-%m-%d}, when clocks go forward"
        )
    if here.replace(fold=1).utcoffset() != here.utcoffset():
        notes.append(
            f"{column}: {local:%H:%M} happens twice on {local:%Y-%m-%d}, when clocks go back; the first is taken"
        )
    return instant
