"""Mrs Evans's visit at 09:00 and the alerts it has, told as what was known and what was done about it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.rules import AlertNow, Known, Raise, Reopen, StandDown, VisitNow, concerns, decide, severity
from ecm.visit.model import Crossing, DeadlineKind, Finding, FindingCode, State


def at(clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


LATE = Crossing(DeadlineKind.LATE, at("09:15"))
MISSED = Crossing(DeadlineKind.MISSED, at("10:00"))
OVERRUNNING = Crossing(DeadlineKind.OVERRUNNING, at("09:45"))
NO_CHECK_OUT = Crossing(DeadlineKind.NO_CHECK_OUT, at("10:30"))
SECOND = Crossing(DeadlineKind.SECOND_WORKER_MISSING, at("09:15"))
SHORT = Finding(FindingCode.SHORT, 17, 30, "min", detail="30 min")
STILL_IN = Finding(FindingCode.NO_CHECK_OUT)


def visit(state: State, *crossings: Crossing, **changes: Any) -> VisitNow:
    return VisitNow("Europe/London", at("09:00"), state, crossings=crossings, **changes)


def an_alert(kind: str, raised_for: str, *, alert_id: int = 1, stood_down: bool = False) -> AlertNow:
    return AlertNow(alert_id, kind, at(raised_for), stood_down)


def test_nobody_came_so_it_is_late_then_missed() -> None:
    assert decide(visit(State.LATE, LATE), []) == (
        Raise("late", at("09:15"), "warning", "no check-in received by 09:15"),
    )
    assert decide(visit(State.MISSED, LATE, MISSED), [an_alert("late", "09:15")]) == (
        StandDown(1, "now missed", taken_over=True),
        Raise("missed", at("10:00"), "critical", "no check-in received by 10:00"),
    )


def test_the_phone_found_signal_and_the_alert_stands_down_saying_so() -> None:
    came = Known(at("09:03"), at("10:50"))
    assert decide(
        visit(State.IN_PROGRESS, LATE, MISSED, came=came),
        [an_alert("late", "09:15", stood_down=True), an_alert("missed", "10:00", alert_id=2)],
    ) == (StandDown(2, "check-in 09:03 received 10:50"),)


def test_what_was_over_before_we_got_to_it_is_still_on_record() -> None:
    came = Known(at("09:20"), at("09:20"))
    assert decide(visit(State.IN_PROGRESS, LATE, came=came), []) == (
        Raise(
            "late",
            at("09:15"),
            "warning",
            "no check-in received by 09:15",
            over="check-in 09:20 received 09:20",
        ),
    )


def test_a_rejected_check_in_brings_the_missed_alert_back() -> None:
    assert decide(
        visit(State.MISSED, LATE, MISSED),
        [
            an_alert("late", "09:15", stood_down=True),
            an_alert("missed", "10:00", alert_id=2, stood_down=True),
        ],
    ) == (Reopen(2),)


def test_a_moved_plan_ends_the_alert_of_the_old_one() -> None:
    assert decide(visit(State.PLANNED), [an_alert("late", "09:15")]) == (
        StandDown(1, "the plan or the evidence was corrected"),
    )


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (visit(State.CANCELLED, LATE), "visit cancelled"),
        (visit(State.FRUSTRATED, LATE), "attended, care could not be given"),
        (
            visit(State.COMPLETED, LATE, came=Known(at("09:03"), None)),
            "check-in 09:03 established afterwards",
        ),
        (
            visit(State.COMPLETED, LATE, left=Known(at("09:33"), at("09:34"))),
            "check-out 09:33 received 09:34",
        ),
    ],
)
def test_an_alert_that_is_over_says_why(now: VisitNow, reason: str) -> None:
    assert decide(now, [an_alert("late", "09:15")]) == (StandDown(1, reason),)


def test_a_worker_who_stays_is_overrunning_then_without_check_out_then_heard_of() -> None:
    first = [an_alert("overrunning", "09:45")]
    staying = visit(State.OVERRUNNING, OVERRUNNING)
    assert decide(staying, first) == ()
    later = visit(State.OVERRUNNING, OVERRUNNING, NO_CHECK_OUT, findings=(STILL_IN,))
    assert decide(later, first) == (
        StandDown(1, "still no check-out", taken_over=True),
        Raise("no_check_out", at("10:30"), "warning", "still no check-out received by 10:30"),
    )
    gone = visit(State.COMPLETED, OVERRUNNING, NO_CHECK_OUT, left=Known(at("09:33"), at("11:05")))
    assert decide(gone, [an_alert("no_check_out", "10:30", alert_id=2), *first]) == (
        StandDown(1, "check-out 09:33 received 11:05"),
        StandDown(2, "check-out 09:33 received 11:05"),
    )


def test_the_second_worker_is_missed_until_they_come() -> None:
    alone = visit(
        State.IN_PROGRESS, SECOND, findings=(Finding(FindingCode.SECOND_WORKER_MISSING),), carers_required=2
    )
    assert [type(action) for action in decide(alone, [])] == [Raise]
    both = visit(State.IN_PROGRESS, SECOND, carers_required=2, came=Known(at("09:01"), at("09:01")))
    assert decide(both, [an_alert("second_worker_missing", "09:15")]) == (
        StandDown(1, "second care worker checked in"),
    )


def test_two_who_came_one_after_the_other_are_told_of_once() -> None:
    apart = Finding(FindingCode.SECOND_WORKER_MISSING, 2, 2, "", detail="together for 0 min of 30")
    seen = visit(State.COMPLETED, findings=(apart,), carers_required=2)
    [told] = decide(seen, [])
    assert isinstance(told, Raise)
    assert (told.kind, told.raised_for, told.severity) == ("second_worker_missing", at("09:00"), "warning")
    assert decide(seen, [an_alert("second_worker_missing", "09:00")]) == ()
    by_deadline = visit(State.COMPLETED, SECOND, findings=(apart,), carers_required=2)
    assert decide(by_deadline, [an_alert("second_worker_missing", "09:15")]) == ()


def test_a_short_visit_is_told_once_and_taken_back_when_it_was_not() -> None:
    short = visit(State.COMPLETED, findings=(SHORT,))
    assert decide(short, []) == (Raise("short", at("09:00"), "information", "17 min of 30 min, limit 30"),)
    known = [an_alert("short", "09:00")]
    assert decide(short, known) == ()
    assert decide(visit(State.COMPLETED), known) == (StandDown(1, "later evidence says otherwise"),)


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("late", {}, "warning"),
        ("late", {"risk_tier": "A"}, "critical"),
        ("late", {"time_critical": True}, "critical"),
        ("late", {"carers_required": 2}, "warning"),
        ("missed", {}, "critical"),
        ("overrunning", {"risk_tier": "B"}, "information"),
        ("short", {"carers_required": 2}, "warning"),
        ("location_outside", {"time_critical": True}, "information"),
    ],
)
def test_severity_is_the_highest_that_applies(kind: str, changes: dict[str, Any], expected: str) -> None:
    assert severity(kind, visit(State.LATE, **changes)) == expected


def test_who_is_told_from_warning_on_hears_warnings_and_worse() -> None:
    assert [concerns("warning", of) for of in ("information", "warning", "critical")] == [False, True, True]


STAGES = (
    visit(State.PLANNED),
    visit(State.LATE, LATE),
    visit(State.MISSED, LATE, MISSED),
    visit(State.IN_PROGRESS, LATE, MISSED, came=Known(at("09:03"), at("10:50"))),
    visit(State.OVERRUNNING, LATE, MISSED, OVERRUNNING, came=Known(at("09:03"), at("10:50"))),
    visit(
        State.COMPLETED, LATE, MISSED, OVERRUNNING, findings=(SHORT,), came=Known(at("09:03"), at("10:50"))
    ),
)


def carried_out(alerts: dict[tuple[str, datetime], bool], now: VisitNow) -> dict[tuple[str, datetime], bool]:
    """Alerts after one decision: which there are, and whether each is stood down."""
    keys = list(alerts)
    after = dict(alerts)
    for action in decide(
        now, [AlertNow(n, kind, raised, alerts[kind, raised]) for n, (kind, raised) in enumerate(keys)]
    ):
        match action:
            case Raise(kind, raised_for, _, _, over):
                after[kind, raised_for] = over is not None
            case StandDown(number):
                after[keys[number]] = True
            case Reopen(number):
                after[keys[number]] = False
    return after


@pytest.mark.parametrize(
    "seen", [s for n in range(len(STAGES)) for s in itertools.combinations(STAGES[:-1], n)]
)
def test_whatever_was_looked_at_on_the_way_the_alerts_end_the_same(seen: tuple[VisitNow, ...]) -> None:
    alerts: dict[tuple[str, datetime], bool] = {}
    for stage in (*seen, STAGES[-1]):
        alerts = carried_out(alerts, stage)
        assert carried_out(alerts, stage) == alerts
    assert alerts == {
        ("late", at("09:15")): True,
        ("missed", at("10:00")): True,
        ("overrunning", at("09:45")): True,
        ("short", at("09:00")): False,
    }


def test_the_desk_is_told_of_a_check_in_in_a_leavers_name() -> None:
    came = visit(State.IN_PROGRESS, findings=(Finding(FindingCode.LEAVER, care_worker="CW-1"),))
    assert decide(came, []) == (
        Raise("leaver", at("09:00"), "warning", "recorded in the name of a care worker who had left"),
    )
