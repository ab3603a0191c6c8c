"""What nobody should pay without having looked, from the evidence to the line; and what needs no look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecm.actuals.line import ActualLine
from ecm.actuals.payable import payable
from ecm.actuals.rules import Basis, Cap, PaymentRules, Rounding, RoundingMode
from ecm.visit.assess import assess
from ecm.visit.model import CheckEvent, Evidence, Method, Visit
from ecm.visit.policy import DEFAULT, Policy
from tests.visit.story import ALICE, BOB, a_visit, an_event, at, metres_away

NOWHERE: dict[str, Any] = {"fix": None}


def paid(
    *events: CheckEvent,
    visit: Visit | None = None,
    policy: Policy = DEFAULT,
    evidence_ruled: bool = False,
    **rules: Any,
) -> ActualLine:
    """Assessed and paid at the end of the day, at £20 an hour."""
    visit = visit or a_visit()
    assessment = assess(visit, Evidence(tuple(events)), policy, at("23:30"))
    said: dict[str | None, str] = {e.care_worker: e.reason_code for e in events if e.reason_code}
    terms = PaymentRules(rate_pence_per_hour=2000, **rules)
    return payable(visit, assessment, terms, said, evidence_ruled=evidence_ruled)


def tapped(start: str, end: str, first: int = 1, worker: str = ALICE, **changes: Any) -> Sequence[CheckEvent]:
    return an_event("in", start, first, worker, **changes), an_event("out", end, first + 1, worker, **changes)


def test_a_visit_as_planned_passes() -> None:
    line = paid(*tapped("09:00", "09:30"))
    assert (line.amount_pence, line.exception) == (1000, None)


def test_both_taps_sent_hours_later_with_no_position_are_the_devices_word_alone() -> None:
    line = paid(*tapped("09:00", "09:30", received_at=at("20:00"), **NOWHERE))
    assert (line.amount_pence, line.exception) == (
        1000,
        "late_sync: received 11 h 00 min after it happened",
    )


def test_one_tap_of_the_two_without_a_witness_is_enough_for_a_look() -> None:
    came = an_event("in", "09:00", 1, received_at=at("20:00"))
    left = an_event("out", "09:30", 2, received_at=at("20:00"), **NOWHERE)
    assert str(paid(came, left).exception).startswith("late_sync")


def test_sent_late_from_the_home_has_its_place_as_a_witness() -> None:
    assert paid(*tapped("09:00", "09:30", received_at=at("20:00"), fix=metres_away(5))).exception is None


def test_a_telephone_that_is_not_the_persons_is_no_proof_of_being_there() -> None:
    stranger = {"method": Method.LANDLINE, "cli": "+447700900999"} | NOWHERE
    assert str(paid(*tapped("09:00", "09:30", **stranger)).exception).startswith("cli_unknown")


def test_a_check_out_hours_after_the_plan_is_looked_at_whatever_is_paid_for_it() -> None:
    for rules in ({}, {"cap": Cap.PLANNED}, {"basis": Basis.PLANNED}):
        assert str(paid(*tapped("09:00", "12:30"), **rules).exception).startswith("overran"), rules


def test_who_began_late_and_stayed_as_long_as_planned_left_late_and_that_is_all() -> None:
    line = paid(*tapped("09:20", "09:50"))
    assert (line.payable_minutes, line.exception) == (30, None)


def test_minutes_before_the_plan_are_looked_at_where_they_are_paid() -> None:
    early = tapped("07:00", "09:30")
    assert str(paid(*early).exception).startswith("started_early")
    assert str(paid(*tapped("08:40", "09:10"), basis=Basis.LESSER).exception).startswith("started_early")
    assert paid(*tapped("08:40", "09:30"), cap=Cap.PLANNED).exception is None


def test_a_stay_that_ended_before_the_plan_began_is_looked_at() -> None:
    assert paid(*tapped("08:46", "08:58")).exception == "left before the planned start"


def test_more_minutes_than_anybody_was_there_are_looked_at() -> None:
    assert str(paid(*tapped("09:00", "09:05"), basis=Basis.PLANNED).exception).startswith("short: 5 min")
    assert paid(*tapped("09:00", "09:05")).exception is None
    assert paid(*tapped("09:00", "09:29"), basis=Basis.PLANNED).exception is None


@pytest.mark.parametrize(
    "rules",
    [
        {"basis": Basis.PLANNED},
        {"minimum_minutes": 15},
        {"rounding": Rounding(RoundingMode.UP, 30)},
    ],
)
@pytest.mark.parametrize(
    ("commissioned", "policy"), [(30, Policy(short_share_percent=100)), (38, DEFAULT), (30, DEFAULT)]
)
def test_one_minute_paid_as_many_is_looked_at_however_the_limits_are_drawn(
    commissioned: int, policy: Policy, rules: dict[str, Any]
) -> None:
    visit = a_visit(commissioned_minutes=commissioned)
    line = paid(*tapped("09:00", "09:01"), visit=visit, policy=policy, **rules)
    assert line.payable_minutes >= 15
    assert str(line.exception).startswith("short: 1 min")
    as_bought = paid(*tapped("09:00", "09:29"), visit=visit, policy=policy, **rules)
    assert as_bought.exception is None


def test_a_second_check_out_that_lengthens_the_stay_from_nowhere_is_looked_at() -> None:
    """Out at 09:05, and out again from the car at 09:44: the second tap ends the spell."""
    visit = a_visit("09:00", "09:45")
    for fix, exception in ((None, "duplicate_tap: tapped once more, at 09:05"), (metres_away(5), None)):
        again = an_event("out", "09:44", 3, fix=fix)
        line = paid(*tapped("09:00", "09:05", fix=metres_away(5)), again, visit=visit)
        assert (line.payable_minutes, line.exception) == (44, exception)


def test_whose_place_nobody_knows_is_asked_of_the_worker_who_tapped_twice() -> None:
    hoist = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    twice = (*tapped("09:00", "09:29", fix=metres_away(5)), an_event("out", "09:30", 3, fix=metres_away(5)))
    assert paid(*twice, *tapped("09:00", "09:30", 4, BOB, **NOWHERE), visit=hoist).exception is None


def test_two_short_stays_made_one_long_one_by_setting_the_gap_aside_are_looked_at() -> None:
    came, *gap, left = (*tapped("09:00", "09:10", 1), *tapped("09:40", "09:50", 3))
    hour = a_visit("09:00", "10:00")
    assert paid(came, *gap, left, visit=hour).payable_minutes == 20
    line = paid(came, left, visit=hour, evidence_ruled=True)
    assert (line.payable_minutes, line.exception) == (50, "amended: evidence was linked or set aside")


def test_a_double_up_for_which_one_came_is_looked_at() -> None:
    hoist = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    line = paid(*tapped("09:00", "09:30"), visit=hoist)
    assert line.exception == "second_worker_missing: 1 of 2 care workers came"


def test_one_of_two_who_left_saying_that_care_could_not_be_given_is_looked_at() -> None:
    hoist = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    away = an_event("out", "09:30", 4, BOB, reason_code="no_access")
    line = paid(*tapped("09:00", "09:30"), an_event("in", "09:00", 3, BOB), away, visit=hoist)
    assert (line.amount_pence, line.exception) == (2000, f"{BOB} left saying no_access")
