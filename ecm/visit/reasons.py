"""The words for every finding, state and deadline: the same on a log line, a screen, an alert and a pay line.

A severity is one of the meanings a screen has a colour for: critical (without care), warning, good, information,
short, quiet.
"""

from collections.abc import Mapping
from math import floor
from typing import Any, NamedTuple

from ecm.visit.clocks import local_hh_mm
from ecm.visit.model import Crossing, DeadlineKind, Finding, FindingCode, State


class Words(NamedTuple):
    """`text` is a template over {measure}, {limit}, {detail} and {more} (the detail, if any, after a comma);
    `title` stands alone, on a chip or a filter."""

    title: str
    severity: str
    text: str


FINDINGS: Mapping[FindingCode, Words] = {
    FindingCode.LOCATION_INSIDE: Words("At the home", "good", "{place}"),
    FindingCode.LOCATION_OUTSIDE: Words("Away from the home", "warning", "{place}"),
    FindingCode.LOCATION_UNCERTAIN: Words("Place uncertain", "warning", "{place}"),
    FindingCode.LOCATION_NONE: Words("No place", "information", "place not verified: {detail}"),
    FindingCode.STARTED_LATE: Words("Started late", "warning", "started {measure} late, limit {limit}"),
    FindingCode.STARTED_EARLY: Words(
        "Started early", "information", "started {measure} early, limit {limit}{more}"
    ),
    FindingCode.SHORT: Words("Short", "short", "{measure} of {detail}, limit {limit}"),
    FindingCode.OVERRAN: Words("Overran", "information", "left {measure} after planned end, limit {limit}"),
    FindingCode.NO_CHECK_IN: Words("No check-in", "warning", "no check-in received{more}"),
    FindingCode.NO_CHECK_OUT: Words("No check-out", "warning", "no check-out received {detail}"),
    FindingCode.UNPLANNED: Words("Unplanned", "information", "{detail}"),
    FindingCode.WRONG_WORKER: Words("Other care worker", "warning", "{detail}"),
    FindingCode.SECOND_WORKER_MISSING: Words(
        "Second worker missing", "critical", "{measure} of {limit} care workers came{more}"
    ),
    FindingCode.OVERLAP: Words(
        "Overlap", "warning", "checked in elsewhere {measure} before, and not checked out of there"
    ),
    FindingCode.IMPOSSIBLE_TRAVEL: Words(
        "Impossible travel", "warning", "{measure} since the last place, limit {limit} km/h"
    ),
    FindingCode.LATE_SYNC: Words("Sent late", "information", "received {measure} after it happened"),
    FindingCode.CLOCK_SKEW: Words("Device clock wrong", "warning", "{detail}: {measure}, limit {limit} s"),
    FindingCode.MANUAL_ENTRY: Words("Entered by hand", "information", "entered by hand: {detail}"),
    FindingCode.DUPLICATE_TAP: Words("Tapped twice", "quiet", "tapped {detail}"),
    FindingCode.REPEATED_FIX: Words(
        "Repeated position", "warning", "position identical to six places to one elsewhere"
    ),
    FindingCode.CLI_UNKNOWN: Words("Unknown telephone", "warning", "{detail}"),
    FindingCode.LEAVER: Words(
        "Care worker had left", "warning", "recorded in the name of a care worker who had left"
    ),
}

STATES: Mapping[State, Words] = {
    State.PLANNED: Words("Planned", "quiet", "due at {at}"),
    State.LATE: Words("Late", "warning", "no check-in received by {at}"),
    State.IN_PROGRESS: Words("In progress", "good", "checked in at {at}"),
    State.OVERRUNNING: Words("Overrunning", "warning", "no check-out received by {at}"),
    State.COMPLETED: Words("Completed", "quiet", "{start} to {end}"),
    State.MISSED: Words("Missed", "critical", "no check-in received by {at} ({detail})"),
    State.FRUSTRATED: Words("Frustrated", "information", "attended, care could not be given: {detail}"),
    State.CANCELLED: Words("Cancelled", "quiet", "{detail}"),
}

DEADLINES: Mapping[DeadlineKind, Words] = {
    DeadlineKind.LATE: Words("Late", "warning", "no check-in received by {at}"),
    DeadlineKind.SECOND_WORKER_MISSING: Words(
        "Second worker missing", "critical", "no second care worker checked in by {at}"
    ),
    DeadlineKind.MISSED: Words("Missed", "critical", "no check-in received by {at}"),
    DeadlineKind.OVERRUNNING: Words("Overrunning", "warning", "no check-out received by {at}"),
    DeadlineKind.NO_CHECK_OUT: Words("No check-out", "warning", "still no check-out received by {at}"),
}


FROM_THE_DOOR = frozenset(
    {FindingCode.LOCATION_INSIDE, FindingCode.LOCATION_OUTSIDE, FindingCode.LOCATION_UNCERTAIN}
)


def explain(finding: Finding) -> str:
    """One line of plain English: "17 min of 30, limit 30", "400 m from the door ± 12 m, fence 100 m"."""
    detail = finding.detail
    words = FINDINGS[finding.code].text.format(
        measure="" if finding.measure is None else _amount(finding.measure, finding.unit),
        limit="" if finding.limit is None else f"{finding.limit:g}",
        detail=detail,
        more=f", {detail}" if detail else "",
        place=_place(finding),
    )
    return words.strip()


def distance_unsaid(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """A finding as stored, without how far from the door: three distances from places one chose are a position."""
    if stored["code"] not in FROM_THE_DOOR:
        return stored
    return {**stored, "measure": None, "limit": None, "detail": ""}


def explain_crossing(crossing: Crossing, zone: str) -> str:
    """What an alarm says: "no check-in received by 09:15", in the visit's own time."""
    return DEADLINES[crossing.kind].text.format(at=local_hh_mm(crossing.deadline_at, zone))


def severity(finding: Finding) -> str:
    """critical, warning, good, information, short or quiet."""
    return FINDINGS[finding.code].severity


def _place(finding: Finding) -> str:
    if finding.measure is None:
        return finding.detail
    away = _amount(finding.measure, "m")
    if finding.limit:
        return f"{away} from the door {finding.detail}, fence {finding.limit:g} m"
    if finding.measure > 0:
        return f"{away} beyond the edge of the fence {finding.detail}"
    return f"within the fence {finding.detail}"


def _amount(measure: float, unit: str) -> str:
    """A number as people say it, never rounded up to a limit it did not reach."""
    if unit == "min":
        return _minutes(floor(measure * 60 + 0.5))
    if unit == "s":
        return f"{measure:.0f} s" if measure < 120 else _minutes(floor(measure / 60) * 60)
    if unit == "m":
        if measure < 1_000:
            return f"{measure:.0f} m"
        return f"{measure / 1_000:.1f} km" if measure < 100_000 else f"{measure / 1_000:.0f} km"
    if unit:
        return f"{measure:.0f} {unit}"
    return f"{measure:g}"


def _minutes(seconds: int) -> str:
    whole, rest = divmod(seconds, 60)
    if whole >= 48 * 60:
        return f"{whole // 1440} days"
    if whole >= 120:
        return f"{whole // 60} h {whole % 60:02} min"
    if rest and whole < 60:
        return f"{whole} min {rest} s" if whole else f"{rest} s"
    return f"{whole} min"
