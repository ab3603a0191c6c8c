"""Actual against planned, each limit at its edge."""

from __future__ import annotations

import pytest

from ecm.visit.assess import assess
from ecm.visit.model import CheckEvent, Evidence, FindingCode, Visit
from ecm.visit.policy import DEFAULT, Policy
from ecm.visit.reasons import explain
from tests.visit.story import ALICE, BOB, a_visit, an_event, at, codes


def told(visit: Visit, *events: CheckEvent, policy: Policy = DEFAULT) -> list[str]:
    """Every finding but the place, as it explains itself."""
    seen = assess(visit, Evidence(events), policy, at("22:00"))
    return [explain(finding) for finding in seen.findings if finding.code is not FindingCode.LOCATION_INSIDE]


def stayed(came: str, left: str, worker: str = ALICE, first: int = 1) -> tuple[CheckEvent, CheckEvent]:
    return an_event("in", came, first, worker), an_event("out", left, first + 1, worker)


@pytest.mark.parametrize(
    ("came", "as_told"),
    [
        ("08:44", ["started 16 min early, limit 15"]),
        ("08:45", []),
        ("09:15", []),
        ("09:16", ["started 16 min late, limit 15"]),
    ],
)
def test_punctuality_counts_from_beyond_the_limit(came: str, as_told: list[str]) -> None:
    assert told(a_visit(end="10:00"), *stayed(came, "10:10")) == as_told


def test_a_time_critical_visit_is_started_late_by_its_own_limit() -> None:
    visit = a_visit(time_critical=True, end="10:00", commissioned_minutes=40)
    policy = Policy(time_critical_late_after_minutes=30)
    assert told(visit, *stayed("09:30", "10:10"), policy=policy) == []
    assert told(visit, *stayed("09:31", "10:10"), policy=policy) == ["started 31 min late, limit 30"]


@pytest.mark.parametrize(
    ("end", "changes", "left", "as_told"),
    [
        ("09:30", {}, "09:30", []),
        ("09:30", {}, "09:17", ["17 min of 30, limit 30", "17 min of 30 (80 %), limit 24"]),
        ("09:30", {}, "09:29", ["29 min of 30, limit 30"]),
        ("09:15", {}, "09:15", ["15 min of 15, limit 30"]),  # fifteen minutes that nobody agreed to
        ("09:15", {"commissioned_minutes": 15, "agreed_short": True}, "09:15", []),
        (
            "09:15",
            {"commissioned_minutes": 15, "agreed_short": True},
            "09:14",
            ["14 min of 15 agreed, limit 15"],
        ),
        ("10:00", {"commissioned_minutes": 60}, "09:48", []),
        ("10:00", {"commissioned_minutes": 60}, "09:47", ["47 min of 60 (80 %), limit 48"]),
        ("10:00", {"commissioned_minutes": 45}, "09:36", []),  # of what was bought, not what was scheduled
    ],
)
def test_short_has_two_measures_and_says_which(
    end: str, changes: dict[str, object], left: str, as_told: list[str]
) -> None:
    assert told(a_visit(end=end, **changes), *stayed("09:00", left)) == as_told


def test_a_handover_is_not_short() -> None:
    first, second = stayed("09:00", "09:16"), stayed("09:15", "09:31", BOB, 3)
    assert told(a_visit(care_workers=(ALICE, BOB)), *first, *second) == []


def test_of_two_who_are_needed_together_each_must_stay() -> None:
    two = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    first, second = stayed("09:00", "09:31"), stayed("09:01", "09:11", BOB, 3)
    assert told(two, *first, *second) == ["10 min of 30, limit 30", "10 min of 30 (80 %), limit 24"]


def test_minutes_that_nobody_knows_are_not_called_short() -> None:
    assert told(a_visit(), an_event("out", "09:05")) == ["no check-in received"]


def test_a_frustrated_visit_is_not_short() -> None:
    assert told(a_visit(), an_event("in", "09:00"), an_event("out", "09:05", 2, reason_code="refused")) == []


@pytest.mark.parametrize(
    ("left", "as_told"), [("09:45", []), ("09:46", ["left 16 min after planned end, limit 15"])]
)
def test_overran_counts_from_beyond_the_limit(left: str, as_told: list[str]) -> None:
    assert told(a_visit(), *stayed("09:00", left)) == as_told


def test_only_a_roster_makes_a_wrong_worker() -> None:
    assert told(a_visit(), *stayed("09:00", "09:30", BOB)) == ["not the rostered care worker"]
    assert told(a_visit(care_workers=()), *stayed("09:00", "09:30", BOB)) == []
    unknown = [an_event("in", "09:00", 1, None), an_event("out", "09:30", 2, None)]
    assert told(a_visit(), *unknown) == ["care worker not known"]


def test_a_second_worker_is_missed_as_soon_as_the_only_one_has_left() -> None:
    two = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    left = Evidence((an_event("in", "08:50"), an_event("out", "09:10", 2)))
    assert "second_worker_missing" in codes(assess(two, left, DEFAULT, at("09:10")))
    still_in = Evidence((an_event("in", "08:50"),))
    assert "second_worker_missing" not in codes(assess(two, still_in, DEFAULT, at("09:10")))
    assert "1 of 2 care workers came" in told(two, *stayed("09:00", "09:31"))


def test_nobody_planned_it() -> None:
    assert told(a_visit(None, None, care_workers=()), *stayed("20:00", "20:40")) == [
        "nobody planned this visit"
    ]


def test_time_together_and_time_with_nobody_there_are_counted_once_and_never() -> None:
    both = a_visit(care_workers=(ALICE, BOB))
    together = [*stayed("09:00", "09:20"), *stayed("09:05", "09:25", BOB, 3)]
    assert told(both, *together) == ["25 min of 30, limit 30"]
    with_a_gap = [*stayed("09:00", "09:14"), *stayed("09:25", "09:39", BOB, 3)]
    assert told(both, *with_a_gap) == ["28 min of 30, limit 30"]


@pytest.mark.parametrize(
    ("alice", "bob", "as_told"),
    [
        (("09:00", "09:30"), ("09:00", "09:30"), None),
        (("09:00", "09:30"), ("09:14", "09:44"), None),  # staggered: 16 of 30 minutes together
        (("09:00", "09:30"), ("09:16", "09:46"), "together for 14 min of 30"),
        (("09:00", "09:30"), ("09:35", "10:05"), "together for 0 min of 30"),  # one after the other
        (("08:55", "09:12"), ("09:13", "09:43"), "together for 0 min of 17"),
        (("09:00", "10:00"), ("09:00", "09:16"), None),  # all of the shorter stay; that it was short is said
        (("09:00", "09:30"), ("09:10", "09:10"), "together for 0 min of 0"),
    ],
)
def test_two_who_were_never_there_together_are_each_alone(
    alice: tuple[str, str], bob: tuple[str, str], as_told: str | None
) -> None:
    both = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    lines = [line for line in told(both, *stayed(*alice), *stayed(*bob, BOB, 3)) if "care workers" in line]
    assert lines == ([f"2 of 2 care workers came, {as_told}"] if as_told else [])


def test_a_third_worker_may_relieve_one_of_the_two() -> None:
    both = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    relay = [
        *stayed("09:00", "09:15"),
        *stayed("09:00", "09:30", BOB, 3),
        *stayed("09:15", "09:30", "dan", 5),
    ]
    assert not [line for line in told(both, *relay) if "together" in line]


def test_short_looks_at_the_sum_of_a_workers_time_there() -> None:
    away = [*stayed("09:00", "09:10"), *stayed("09:15", "09:30", ALICE, 3)]
    assert told(a_visit(), *away) == ["25 min of 30, limit 30"]
    both = a_visit(carers_required=2, care_workers=(ALICE, BOB))
    assert told(both, *away, *stayed("09:00", "09:30", BOB, 5)) == ["25 min of 30, limit 30"]
