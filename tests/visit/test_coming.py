"""Whose presence counts as somebody's having come, and what the person without care hears of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ecm.visit.assess import assess
from ecm.visit.model import AmendmentKind, CheckEvent, Evidence, FindingCode, State, Visit
from ecm.visit.policy import DEFAULT
from ecm.visit.reasons import explain
from tests.visit.story import ALICE, BOB, a_visit, an_amendment, an_event, at, codes, tell

LUNCH = a_visit("12:00", "12:30")


def came(visit: Visit, *events: CheckEvent) -> bool:
    """Whether somebody came, as one may see it the moment the missed limit is reached."""
    seen = assess(visit, Evidence(events), DEFAULT, at("13:00"))
    assert bool(seen.attendances) is (seen.state is not State.MISSED)
    return bool(seen.attendances)


def stayed(came_at: str, left_at: str, worker: str = ALICE, **changes: object) -> tuple[CheckEvent, ...]:
    return an_event("in", came_at, 1, worker), an_event("out", left_at, 2, worker, **changes)


@pytest.mark.parametrize(
    ("events", "counted"),
    [
        (stayed("12:00", "12:30"), True),
        (stayed("11:40", "11:45"), True),  # at the early limit: short, and said to be
        (stayed("11:40", "11:44"), False),
        (stayed("11:00", "11:24"), True),  # given an hour early, and given
        (stayed("11:00", "11:23"), False),  # not their time
        (stayed("10:30", "11:00"), True),
        (stayed("10:29", "10:59"), False),  # gone more than an hour before anybody was hungry
        (stayed("10:40", "10:50", BOB), False),
        (stayed("10:40", "10:50", BOB, reason_code="no_reply"), True),  # frustrated: the office is told
        (stayed("07:20", "07:59", reason_code="no_reply"), False),  # of a visit before the window opened
        ((an_event("out", "12:00"),), True),
        ((an_event("out", "11:59"),), False),
        ((an_event("out", "11:59", reason_code="no_access"),), True),
        ((an_event("in", "08:00"),), True),
        ((an_event("in", "07:59"),), False),
    ],
)
def test_the_table_of_coming(events: tuple[CheckEvent, ...], counted: bool) -> None:
    assert came(LUNCH, *events) is counted


def test_time_critical_care_is_not_given_an_hour_early() -> None:
    assert not came(replace(LUNCH, time_critical=True), *stayed("11:00", "11:30"))


def test_a_stray_check_out_feeds_nobody() -> None:
    after = tell(
        """
        11:05  out   -> planned  location_inside, no_check_in
        12:15  tick  -> late     !late
        13:00  tick  -> missed   !missed
    """,
        LUNCH,
    )
    assert [explain(f) for f in after.findings if f.code is FindingCode.NO_CHECK_IN] == [
        "no check-in received, checked out too early to be this visit"
    ]
    assert (after.actual_start, after.actual_end, after.attendances) == (None, None, ())


def test_a_colleague_who_looked_in_before_lunch_was_not_lunch() -> None:
    tell(
        """
        10:40  Bob in   -> in_progress  location_inside, wrong_worker, started_early
        10:50  Bob out  -> planned      location_inside, -wrong_worker, -started_early, started_early
        12:15  tick     -> late         !late
        12:20  Alice in -> in_progress  location_inside, started_late; late stood down
        12:45  Alice out -> completed   location_inside, short
    """,
        LUNCH,
    )


def test_news_that_they_had_left_too_early_rings_when_it_comes() -> None:
    """By what was known at 12:15 somebody was in; nobody is left without care because the news was late."""
    tell(
        """
        10:40  in               -> in_progress  location_inside, started_early
        12:16  tick             -> in_progress
        12:20  sync: out 10:50  -> late         location_inside, late_sync, -started_early, started_early
        12:24  tick             -> late
        12:25  tick             -> late         !late
        13:00  tick             -> missed       !missed
    """,
        LUNCH,
    )
    tell(
        """
        10:40  in               -> in_progress  location_inside, started_early
        12:20  sync: out 10:50  -> late         location_inside, late_sync, -started_early, started_early
        12:22  sync: in 12:02   -> in_progress  location_inside, late_sync, -started_early, started_early
        12:31  out              -> completed    location_inside
    """,
        LUNCH,
    )


def test_tomorrows_visit_tapped_today_is_still_tomorrows() -> None:
    tomorrow = a_visit("33:00", "33:30")
    tell(
        """
        09:00  in    -> planned    location_inside, started_early
        09:30  out   -> planned    location_inside
        33:15  tick  -> late       !late
        34:00  tick  -> missed     !missed
    """,
        tomorrow,
    )
    after = tell(
        """
        09:00  in    -> planned      location_inside, started_early
        33:02  in    -> in_progress  location_inside
        33:32  out   -> completed    location_inside
    """,
        tomorrow,
    )
    assert (after.actual_start, len(after.attendances)) == (at("33:02"), 1)


def test_a_plan_that_was_moved_to_another_day_is_not_done_by_the_evidence_of_this_one() -> None:
    moved = replace(
        a_visit(), planned_start=at("57:00"), planned_end=at("57:30"), local_date=at("57:00").date()
    )
    seen = assess(moved, Evidence(stayed("09:00", "09:30")), DEFAULT, at("12:00"))
    assert (seen.state, seen.attendances, seen.deadline_at) == (State.PLANNED, (), at("57:15"))


def test_what_the_office_says_of_early_evidence_is_so() -> None:
    events = stayed("10:40", "10:50", BOB)
    link = an_amendment(AmendmentKind.LINK, "11:00", event_id=events[0].event_id)
    seen = assess(LUNCH, Evidence(events, (link,)), DEFAULT, at("14:00"))
    assert seen.state is State.COMPLETED
    times = an_amendment(AmendmentKind.TIMES, "11:00", care_worker=BOB, check_out_at=at("10:55"))
    assert assess(LUNCH, Evidence(events, (times,)), DEFAULT, at("14:00")).state is State.COMPLETED


def test_of_two_the_one_who_left_too_early_is_the_one_who_is_missing() -> None:
    both = replace(LUNCH, carers_required=2, care_workers=(ALICE, BOB))
    tell(
        """
        10:40  Bob in     -> in_progress  location_inside, started_early
        10:50  Bob out    -> planned      location_inside, -started_early, started_early
        12:00  Alice in   -> in_progress  location_inside
        12:15  tick       -> in_progress  second_worker_missing, !second_worker_missing
        12:31  Alice out  -> completed    location_inside
    """,
        both,
    )


def test_a_cancelled_visit_that_somebody_looked_in_on_stays_cancelled() -> None:
    seen = assess(replace(LUNCH, cancelled=True), Evidence(stayed("10:40", "10:50")), DEFAULT, at("14:00"))
    assert (seen.state, "started_early" in codes(seen)) == (State.CANCELLED, True)


def test_a_thousand_early_taps_cost_what_they_are() -> None:
    """Received long after they happened: the dearest way there is to ask who had come by when."""
    taps = [
        an_event(
            "out" if n % 2 else "in",
            at("10:00") + timedelta(seconds=n),
            n + 1,
            received_at=at("12:16") + timedelta(seconds=n),
        )
        for n in range(1_000)
    ]
    seen = assess(LUNCH, Evidence(tuple(taps)), DEFAULT, at("14:00"))
    assert seen.state is State.MISSED
