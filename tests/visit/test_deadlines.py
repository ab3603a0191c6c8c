"""When a visit changes if nothing arrives, and what passed unmet as far as could be known."""

from __future__ import annotations

import pytest

from ecm.visit.attending import in_order
from ecm.visit.coming import Coming
from ecm.visit.deadlines import Due, crossings, dues, missed, next_change
from ecm.visit.model import CheckEvent, Crossing, DeadlineKind, Visit
from ecm.visit.policy import DEFAULT, Policy
from tests.visit.story import ALICE, BOB, a_visit, an_event, at

NOBODY = Coming(a_visit(), (), (), DEFAULT)
TWO = a_visit(carers_required=2, care_workers=(ALICE, BOB))


def due(visit: Visit, *events: CheckEvent, policy: Policy = DEFAULT) -> list[Due]:
    return dues(visit, Coming(visit, in_order(events, policy), (), policy), policy)


def told(found: list[Due]) -> list[str]:
    return [f"{each.kind} {each.at:%H:%M}" for each in found]


@pytest.mark.parametrize(
    ("visit", "policy", "as_told"),
    [
        (a_visit(), DEFAULT, ("10:00", "60 min after planned start")),
        (a_visit(next_planned_start=at("09:40")), DEFAULT, ("09:40", "the next visit began")),
        (a_visit(next_planned_start=at("11:00")), DEFAULT, ("10:00", "60 min after planned start")),
        (a_visit(next_planned_start=at("09:00")), DEFAULT, ("10:00", "60 min after planned start")),
        (a_visit(next_planned_start=at("09:40")), Policy(missed_at_next_visit=False), ("10:00", None)),
        (a_visit("22:30", "23:00"), DEFAULT, ("23:00", "end of the day")),
        (a_visit("23:00", "23:30"), DEFAULT, ("00:00", None)),  # planned at the cut-off, not before it
        (a_visit("22:30", "23:00", zone="Europe/Paris"), DEFAULT, ("23:30", None)),  # 23:30 there
        (a_visit("21:30", "22:15", zone="Europe/Paris"), DEFAULT, ("22:00", "end of the day")),
    ],
)
def test_missed_is_the_earliest_of_three(
    visit: Visit, policy: Policy, as_told: tuple[str, str | None]
) -> None:
    when, why = missed(visit, policy)
    assert f"{when:%H:%M}" == as_told[0]
    assert as_told[1] in (None, why)


def test_a_visit_nobody_came_to_is_late_then_missed() -> None:
    found = due(a_visit())
    assert told(found) == ["late 09:15", "missed 10:00"]
    assert next_change(found, at("09:00")) == (at("09:15"), DeadlineKind.LATE)
    assert next_change(found, at("09:15")) == (at("10:00"), DeadlineKind.MISSED)
    assert next_change(found, at("10:00")) == (None, None)


@pytest.mark.parametrize("following", ["09:10", "09:15"])
def test_late_is_skipped_when_missed_comes_no_later(following: str) -> None:
    assert told(due(a_visit(next_planned_start=at(following)))) == [f"missed {following}"]


@pytest.mark.parametrize(
    ("received", "passed"),
    [
        ("09:14", []),
        ("09:15", []),  # at the very limit
        ("09:16", ["late"]),
        ("10:01", ["late", "missed"]),
    ],
)
def test_it_is_receipt_that_meets_a_deadline(received: str, passed: list[str]) -> None:
    found = due(a_visit(), an_event("in", "09:00", received_at=at(received)))
    late_or_missed = [d.kind for d in found if d.kind in (DeadlineKind.LATE, DeadlineKind.MISSED)]
    assert late_or_missed == passed


def test_a_check_in_brings_the_deadlines_of_its_check_out() -> None:
    assert told(due(a_visit(), an_event("in", "09:00"))) == ["overrunning 09:45", "no_check_out 10:30"]
    assert told(due(a_visit(), an_event("in", "09:00"), an_event("out", "09:30", 2))) == []
    policy = Policy(overrunning_after_minutes=5, no_check_out_after_minutes=20)
    assert told(due(a_visit(), an_event("in", "09:00"), policy=policy)) == [
        "overrunning 09:35",
        "no_check_out 09:50",
    ]


def test_late_news_has_grace() -> None:
    synced = an_event("in", "09:00", received_at=at("09:43"))
    assert told(due(a_visit(), synced))[-2:] == ["overrunning 09:48", "no_check_out 10:30"]


def test_whoever_comes_back_may_overrun_again() -> None:
    first = [an_event("in", "09:00"), an_event("out", "09:30", 2)]
    found = due(a_visit(), *first, an_event("in", "11:00", 3))
    assert told(found) == ["overrunning 11:05", "no_check_out 11:05"]


def test_a_check_out_that_was_known_too_late_does_not_unring() -> None:
    left = an_event("out", "09:30", 2, received_at=at("10:00"))
    found = due(a_visit(), an_event("in", "09:00"), left)
    assert crossings(found, at("12:00")) == (Crossing(DeadlineKind.OVERRUNNING, at("09:45")),)
    assert crossings(found, at("09:44")) == ()


def test_of_each_kind_only_the_first_counts() -> None:
    found = due(TWO, an_event("in", "09:00"), an_event("in", "09:00", 2, BOB, received_at=at("09:44")))
    assert [c for c in crossings(found, at("12:00")) if c.kind is DeadlineKind.OVERRUNNING] == [
        Crossing(DeadlineKind.OVERRUNNING, at("09:45"))
    ]


@pytest.mark.parametrize(
    ("events", "as_told"),
    [
        ([], []),  # nobody came: that is late, and one alarm is enough
        ([an_event("in", "09:00")], ["second_worker_missing 09:15"]),
        ([an_event("in", "09:00"), an_event("in", "09:15", 2, BOB)], []),
        ([an_event("in", "09:00"), an_event("in", "09:16", 2, BOB)], ["second_worker_missing 09:15"]),
        ([an_event("in", "09:20")], ["second_worker_missing 09:25"]),
        ([an_event("in", "09:20"), an_event("in", "09:24", 2, BOB)], []),
        (
            [an_event("in", "09:00"), an_event("in", "09:05", 2)],
            ["second_worker_missing 09:15"],
        ),  # Alice twice
    ],
)
def test_two_are_needed_together(events: list[CheckEvent], as_told: list[str]) -> None:
    assert [line for line in told(due(TWO, *events)) if line.startswith("second")] == as_told


def test_an_unplanned_visit_only_waits_for_its_check_out() -> None:
    found = due(a_visit(None, None), an_event("in", "10:00"))
    assert [(each.kind, each.at) for each in found] == [(DeadlineKind.NO_CHECK_OUT, at("35:00"))]


def test_a_cancelled_visit_expects_nobody_from_the_moment_that_was_known() -> None:
    assert told(dues(a_visit(), NOBODY, DEFAULT, cancelled_known_at=at("09:00"))) == []
    assert told(dues(a_visit(), NOBODY, DEFAULT, cancelled_known_at=at("09:30"))) == ["late 09:15"]
    assert told(dues(a_visit(), NOBODY, DEFAULT, frustrated_known_at=at("09:30"))) == ["late 09:15"]


def test_each_worker_who_has_not_left_has_a_deadline_of_their_own() -> None:
    found = due(TWO, an_event("in", "09:00"), an_event("in", "09:00", 2, BOB, received_at=at("10:40")))
    assert next_change(found, at("10:29")) == (at("10:30"), DeadlineKind.NO_CHECK_OUT)
    assert next_change(found, at("10:40")) == (at("10:45"), DeadlineKind.NO_CHECK_OUT)
    assert next_change(found, at("10:45")) == (None, None)


def test_of_two_check_outs_the_one_heard_first_meets_the_deadline() -> None:
    stuck = an_event("out", "09:30", 2, received_at=at("10:00"))
    again = an_event("out", "09:40", 3)
    assert crossings(due(a_visit(), an_event("in", "09:00"), stuck, again), at("12:00")) == ()
    stuck_again = an_event("out", "09:40", 3, received_at=at("10:00"))
    heard = an_event("out", "09:30", 2)
    assert crossings(due(a_visit(), an_event("in", "09:00"), heard, stuck_again), at("12:00")) == ()
