"""When a thing happened, given that the clock which says so may lie.

A device's time is taken as sent unless it cannot be true. Then it is replaced by the nearest time that can,
and `clock_skew` is found on the event: a time that is not taken as sent never goes unflagged.

    the clock says                                    we take
    ------------------------------------------------  ------------------------------------------------------
    a year before there was anything to record        the moment of receipt
    it was ahead of us when it sent (beyond limit)    its time, less how far it was ahead
    a moment after we received it (beyond limit)      the moment of receipt
    it was behind us when it sent (beyond limit)      its time as sent: it may as well be an old envelope
    anything else                                     its time as sent

Nothing can have happened after we were told of it, so nothing taken here lies in the future.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ecm.visit.model import CheckEvent, Finding, FindingCode
from ecm.visit.policy import Policy

FIRST_BELIEVABLE = datetime(2010, 1, 1, tzinfo=UTC)
"""Older than any record a service like this could be handed, by its own workers or by an import."""

_zone = lru_cache(maxsize=64)(ZoneInfo)


def happened_at(event: CheckEvent, policy: Policy) -> datetime:
    """The UTC instant we take an event to have happened at; never later than receipt plus the skew limit."""
    occurred, received, wall = event.occurred_at, event.received_at, event.wall_clock
    if occurred <= received and wall is None and occurred >= FIRST_BELIEVABLE:
        return occurred  # nearly always
    if occurred < FIRST_BELIEVABLE:
        return received
    limit = timedelta(seconds=policy.clock_skew_seconds)
    if wall is not None and (ahead := wall - received) > limit:
        occurred = occurred - ahead if occurred - FIRST_BELIEVABLE > ahead else FIRST_BELIEVABLE
    return received if occurred - received > limit else occurred


def skew(event: CheckEvent, policy: Policy) -> Finding | None:
    """What is wrong with the clock behind an event, in seconds against the contract's limit."""
    occurred, received, wall = event.occurred_at, event.received_at, event.wall_clock
    limit = policy.clock_skew_seconds
    if occurred < FIRST_BELIEVABLE:
        return _skewed(event, (received - occurred).total_seconds(), limit, "impossible year")
    ahead = (occurred - received).total_seconds()
    if ahead > limit:
        return _skewed(event, ahead, limit, "later than its receipt")
    if wall is None:
        return None
    ahead = (wall - received).total_seconds()
    if ahead > limit:
        return _skewed(event, ahead, limit, "device clock fast")
    if -ahead > limit:
        return _skewed(event, -ahead, limit, "device clock slow")
    return None


def _skewed(event: CheckEvent, seconds: float, limit: int, detail: str) -> Finding:
    return Finding(
        FindingCode.CLOCK_SKEW, round(seconds, 1), limit, "s", event.event_id, event.care_worker, detail
    )


def local_hh_mm(instant: datetime, zone: str) -> str:
    """ "09:15" on the wall where the visit is."""
    local = instant.astimezone(_zone(zone))
    return f"{local.hour:02}:{local.minute:02}"


@lru_cache(maxsize=4096)
def utc_of(local_date: date, wall_time: time, zone: str) -> datetime:
    """The UTC instant of a local wall time.

    One that happens twice is the first of the two; one that the clock jumps over is the instant it would have
    been had the clock not jumped (01:30 on the March night is 02:30 BST).
    """
    return datetime.combine(local_date, wall_time, _zone(zone)).astimezone(UTC)
