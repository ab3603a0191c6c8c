"""Mr Davies's half-hour visit from 09:00, paid at £19.20 an hour under one contract after another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.actuals.line import ActualLine, pence
from ecm.actuals.look_first import LOOK_FIRST
from ecm.actuals.payable import payable
from ecm.actuals.rules import Basis, Cap, PaymentRules, Rounding, RoundingMode, RoundingOf
from ecm.visit.model import Assessment, Attendance, Finding, FindingCode, State, Visit
from ecm.visit.reasons import explain

RATE = 1920
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALICE, BOB = "CW-ALICE", "CW-BOB"


def at(clock: str) -> datetime:
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return NINE.replace(hour=hour, minute=minute, second=second[0] if second else 0)


def a_visit(**changes: Any) -> Visit:
    plan: dict[str, Any] = {
        "visit_id": 1,
        "ref": "V-1",
        "service_user": "SU-DAVIES",
        "provider": "P-01",
        "local_date": date(2026, 11, 23),
        "zone": "Europe/London",
        "planned_start": NINE,
        "planned_end": NINE + timedelta(minutes=30),
        "commissioned_minutes": 30,
        "care_workers": (ALICE,),
    }
    return Visit(**(plan | changes))


def stayed(
    start: str | None, end: str | None, worker: str | None = ALICE, amended: bool = False
) -> Attendance:
    return Attendance(worker, at(start) if start else None, at(end) if end else None, amended=amended)


def pay(
    *attendances: Attendance,
    state: State = State.COMPLETED,
    findings: tuple[Finding, ...] = (),
    plan: dict[str, Any] | None = None,
    **rules: Any,
) -> ActualLine:
    rules.setdefault("rate_pence_per_hour", RATE)
    return payable(
        a_visit(**(plan or {})), Assessment(state, attendances, findings=findings), PaymentRules(**rules)
    )


UP_15 = Rounding(RoundingMode.UP, 15)
DOWN_15 = Rounding(RoundingMode.DOWN, 15)
NEAREST_15 = Rounding(RoundingMode.NEAREST, 15)


@pytest.mark.parametrize(
    ("stay", "rules", "minutes", "amount_pence"),
    [
        # to the second, half a penny up: 25 min 10 s is 805.33p, 0 min 57 s 30.4p
        ("09:02:00 09:27:10", {}, 25 + 1 / 6, 805),
        ("09:00:00 09:30:00", {}, 30, 960),
        # basis
        ("09:02:00 09:41:00", {"basis": Basis.ACTUAL}, 39, 1248),
        ("09:02:00 09:41:00", {"basis": Basis.PLANNED}, 30, 960),
        ("09:02:00 09:41:00", {"basis": Basis.LESSER}, 30, 960),
        ("09:02:00 09:22:00", {"basis": Basis.LESSER}, 20, 640),
        ("09:02:00 09:22:00", {"basis": Basis.CLAIMED}, 20, 640),
        # snap to plan: five minutes early and seven late, edges included
        ("08:55:00 09:37:00", {"snap_early_minutes": 5, "snap_late_minutes": 7}, 30, 960),
        ("08:54:59 09:30:00", {"snap_early_minutes": 5, "snap_late_minutes": 7}, 35 + 1 / 60, 1121),
        ("09:00:00 09:37:01", {"snap_early_minutes": 5, "snap_late_minutes": 7}, 37 + 1 / 60, 1185),
        # within tolerance pays planned
        ("09:00:00 09:25:00", {"tolerance_minutes": 5}, 30, 960),
        ("09:00:00 09:35:00", {"tolerance_minutes": 5}, 30, 960),
        ("09:00:00 09:24:59", {"tolerance_minutes": 5}, 24 + 59 / 60, 799),
        # rounding of the total
        ("09:00:00 09:31:00", {"rounding": UP_15}, 45, 1440),
        ("09:00:00 09:44:59", {"rounding": DOWN_15}, 30, 960),
        ("09:00:00 09:22:29", {"rounding": NEAREST_15}, 15, 480),
        ("09:00:00 09:22:30", {"rounding": NEAREST_15}, 30, 960),
        # rounding of each end: up is outwards, down inwards
        ("09:04:00 09:31:00", {"rounding": Rounding(RoundingMode.UP, 15, RoundingOf.EACH_END)}, 45, 1440),
        ("09:04:00 09:31:00", {"rounding": Rounding(RoundingMode.DOWN, 15, RoundingOf.EACH_END)}, 15, 480),
        ("09:04:00 09:31:00", {"rounding": Rounding(RoundingMode.NEAREST, 15, RoundingOf.EACH_END)}, 30, 960),
        ("09:04:00 09:11:00", {"rounding": Rounding(RoundingMode.DOWN, 15, RoundingOf.EACH_END)}, 0, 0),
        # minimum, and nothing below
        ("09:00:00 09:12:00", {"minimum_minutes": 15}, 15, 480),
        ("09:00:00 09:12:00", {"minimum_minutes": 15, "zero_below_minutes": 10}, 15, 480),
        ("09:00:00 09:09:59", {"minimum_minutes": 15, "zero_below_minutes": 10}, 0, 0),
        # asked of what was recorded, not of what a plan or a rounding made of it
        ("09:00:00 09:00:05", {"basis": Basis.PLANNED, "zero_below_minutes": 10}, 0, 0),
        ("09:00:00 09:03:00", {"rounding": UP_15, "zero_below_minutes": 10}, 0, 0),
        ("09:00:00 09:03:00", {"tolerance_minutes": 30, "zero_below_minutes": 10}, 0, 0),
        ("09:00:00 09:10:00", {"basis": Basis.PLANNED, "zero_below_minutes": 10}, 30, 960),
        # caps
        ("09:00:00 09:50:00", {"cap": Cap.PLANNED}, 30, 960),
        ("09:00:00 09:50:00", {"cap": Cap.PLANNED, "cap_extra_minutes": 10}, 40, 1280),
        ("09:00:00 09:50:00", {"cap": Cap.COMMISSIONED, "cap_extra_minutes": 5}, 35, 1120),
        # one after another: 34 min 20 s, rounded up to 45, capped at the plan and ten more
        ("09:00:00 09:34:20", {"rounding": UP_15, "cap": Cap.PLANNED, "cap_extra_minutes": 10}, 40, 1280),
    ],
)
def test_a_contract_turns_a_stay_into_pay(
    stay: str, rules: dict[str, Any], minutes: float, amount_pence: int
) -> None:
    line = pay(stayed(*stay.split()), **rules)
    assert (line.payable_seconds, line.amount_pence) == (round(minutes * 60), amount_pence)
    assert line.exception is None


def test_each_step_says_its_clause_what_it_looked_at_and_what_it_left() -> None:
    line = pay(
        stayed("09:02", "09:36:20"),
        rounding=UP_15,
        cap=Cap.PLANNED,
        cap_extra_minutes=10,
        clauses={"rounding": "6.1", "cap": "6.4"},
    )
    assert [(s.rule, s.clause, s.seconds_after, s.pence_after, s.words) for s in line.steps] == [
        ("recorded", None, 2060, 1099, "recorded 34 min 20 s"),
        ("basis", None, 2060, 1099, "recorded time: 34 min 20 s"),
        ("rounding", "6.1", 2700, 1440, "rounded up to 15 min: 45 min"),
        ("cap", "6.4", 2400, 1280, "capped at planned time and 10 min: 40 min"),
        ("rate", None, 2400, 1280, "40 min at £19.20 an hour: £12.80"),
    ]
    assert line.steps[3].inputs == {"cap": "planned", "most_seconds": 2400}


def test_a_double_up_pays_each_worker_and_sums_them() -> None:
    line = pay(
        stayed("09:00", "09:30"),
        stayed("09:05", "09:30", BOB),
        plan={"carers_required": 2, "care_workers": (ALICE, BOB)},
    )
    assert (line.planned_seconds, line.actual_seconds, line.payable_seconds) == (3600, 3300, 3300)
    assert (line.planned_pence, line.amount_pence) == (1920, 960 + 800)
    assert [(s.rule, s.care_worker) for s in line.steps] == [
        *((rule, ALICE) for rule in ("recorded", "basis", "rate")),
        *((rule, BOB) for rule in ("recorded", "basis", "rate")),
        ("workers", None),
    ]
    assert line.exception is None


def test_one_worker_who_went_out_and_came_back_is_paid_one_plan() -> None:
    line = pay(stayed("09:00", "09:10"), stayed("09:15", "09:30"), basis=Basis.PLANNED)
    assert (line.actual_seconds, line.payable_seconds) == (1500, 1800)


def test_time_recorded_twice_is_paid_once() -> None:
    assert pay(stayed("09:00", "09:20"), stayed("09:10", "09:30")).payable_seconds == 1800


@pytest.mark.parametrize(
    ("state", "exception"),
    [
        (State.MISSED, None),
        (State.CANCELLED, None),
        (State.FRUSTRATED, "frustrated: decide what it pays"),
        (State.IN_PROGRESS, "in_progress: no check-out yet"),
        (State.OVERRUNNING, "overrunning: no check-out received"),
    ],
)
def test_what_was_not_delivered_pays_nothing_whatever_the_basis(state: State, exception: str | None) -> None:
    line = pay(stayed("09:00", "09:30"), state=state, basis=Basis.PLANNED)
    assert (line.payable_seconds, line.amount_pence, line.exception) == (0, 0, exception)
    assert (line.planned_pence, line.actual_seconds) == (960, 1800)
    assert [step.rule for step in line.steps] == ["outcome"]


ASKED_WHEN = {
    FindingCode.LATE_SYNC: "tests/actuals/test_never_unseen.py",
    FindingCode.STARTED_EARLY: "the same",
    FindingCode.OVERRAN: "the same",
    FindingCode.SHORT: "the same",
    FindingCode.DUPLICATE_TAP: "the same",
}


@pytest.mark.parametrize("code", [code for code in LOOK_FIRST if code not in ASKED_WHEN])
def test_doubtful_time_is_worked_out_but_never_passes_in_silence(code: FindingCode) -> None:
    finding = Finding(code, 400, 100, "m", detail="± 12 m")
    line = pay(stayed("09:00", "09:30"), findings=(finding,))
    assert line.amount_pence == 960
    assert line.exception == f"{code}: {explain(finding)}"


def test_a_line_says_why_in_the_words_of_the_board() -> None:
    away = Finding(FindingCode.LOCATION_OUTSIDE, 400, 100, "m", detail="± 12 m")
    line = pay(stayed("09:00", "09:30"), findings=(away, Finding(FindingCode.SHORT, 17, 30, "min")))
    assert line.exception == "location_outside: 400 m from the door ± 12 m, fence 100 m"


def test_a_missing_check_out_is_not_paid_even_by_plan() -> None:
    line = pay(
        stayed("09:00", "09:30"),
        stayed("09:00", None, BOB),
        plan={"carers_required": 2},
        basis=Basis.PLANNED,
    )
    assert (line.payable_seconds, line.exception) == (1800, "no_check_out: not payable yet")


def test_corrected_times_and_a_worker_too_many_ask_for_a_look() -> None:
    line = pay(stayed("09:00", "09:30", amended=True), stayed("09:00", "09:30", BOB))
    assert line.exception == "amended: times were corrected; 2 workers came, 1 required"


def test_a_contract_with_no_rate_pays_nothing_and_says_so() -> None:
    line = pay(stayed("09:00", "09:30"), rate_pence_per_hour=None)
    assert (line.payable_seconds, line.amount_pence) == (1800, 0)
    assert line.exception == "the contract states no hourly rate"


def test_a_visit_nobody_planned_is_paid_as_recorded_for_somebody_to_look_at() -> None:
    unplanned = {"planned_start": None, "planned_end": None, "commissioned_minutes": None}
    line = pay(
        stayed("09:00", "09:20"),
        plan=unplanned,
        findings=(Finding(FindingCode.UNPLANNED),),
        basis=Basis.PLANNED,
        tolerance_minutes=5,
        snap_early_minutes=5,
        cap=Cap.PLANNED,
    )
    assert (line.payable_seconds, line.planned_seconds, line.exception) == (1200, 0, "unplanned")


def test_the_october_night_is_ten_hours_long() -> None:
    """22:00 to 07:00 London time on 24 October 2026: the clock says nine hours, the worker did ten."""
    start, end = datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)
    line = pay(Attendance(ALICE, start, end), plan={"planned_start": start, "planned_end": end})
    assert (line.payable_seconds, line.amount_pence) == (36_000, 19_200)


minutes = st.integers(0, 90)
maybe = st.none() | st.integers(0, 30)
any_rules = st.builds(
    PaymentRules,
    basis=st.sampled_from(Basis),
    snap_early_minutes=maybe,
    snap_late_minutes=maybe,
    tolerance_minutes=maybe,
    rounding=st.builds(
        Rounding,
        st.sampled_from(RoundingMode),
        st.sampled_from((1, 5, 10, 15, 30, 60)),
        st.sampled_from(RoundingOf),
    ),
    minimum_minutes=maybe,
    zero_below_minutes=maybe,
    cap=st.sampled_from(Cap),
    cap_extra_minutes=st.integers(0, 30),
    rate_pence_per_hour=st.integers(0, 5000),
)
seconds = st.integers(0, 3 * 3600)
planned_minutes = st.integers(5, 120)


def paid(rules: PaymentRules, planned: int, start: int, end: int) -> ActualLine:
    plan = a_visit(planned_end=NINE + timedelta(minutes=planned), commissioned_minutes=planned)
    eight = NINE - timedelta(hours=1)
    stay = Attendance(ALICE, eight + timedelta(seconds=start), eight + timedelta(seconds=end))
    return payable(plan, Assessment(State.COMPLETED, (stay,)), rules)


@given(any_rules, planned_minutes, seconds, seconds, seconds)
def test_who_stays_longer_is_never_paid_less(
    rules: PaymentRules, planned: int, start: int, a: int, b: int
) -> None:
    shorter, longer = sorted((a, b))
    one, other = (paid(rules, planned, start, start + stay) for stay in (shorter, longer))
    assert one.payable_seconds <= other.payable_seconds
    assert one.amount_pence <= other.amount_pence


@given(any_rules, planned_minutes, seconds, seconds)
def test_pay_is_never_negative_and_the_cap_holds(
    rules: PaymentRules, planned: int, start: int, stay: int
) -> None:
    line = paid(rules, planned, start, start + stay)
    assert line.payable_seconds >= 0
    assert line.amount_pence >= 0
    if rules.cap is not Cap.NONE:
        assert line.payable_seconds <= (planned + rules.cap_extra_minutes) * 60


@given(any_rules, planned_minutes, seconds, seconds)
def test_the_steps_explain_the_line(rules: PaymentRules, planned: int, start: int, stay: int) -> None:
    line = paid(rules, planned, start, start + stay)
    assert line.steps[0].seconds_after == line.actual_seconds == stay
    assert (line.steps[-1].seconds_after, line.steps[-1].pence_after) == (
        line.payable_seconds,
        line.amount_pence,
    )
    for step in line.steps:
        assert step.pence_after == pence(step.seconds_after, rules.rate_pence_per_hour)
        assert step.words


@given(st.integers(0, 10**7), st.integers(0, 10**5))
def test_pence_are_rounded_half_up(seconds: int, rate: int) -> None:
    too_much = pence(seconds, rate) * 7200 - 2 * seconds * rate  # in 7200ths of a penny
    assert -3600 < too_much <= 3600


def test_finished_lines_do_not_depend_on_the_order_of_attendances() -> None:
    stays = [stayed("09:00", "09:30"), stayed("09:05", "09:31", BOB), stayed("09:40", "09:50")]
    lines = [pay(*order, plan={"carers_required": 2}) for order in (stays, stays[::-1])]
    assert lines[0].payable_seconds == lines[1].payable_seconds
    assert lines[0].amount_pence == lines[1].amount_pence
