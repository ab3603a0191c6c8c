"""A visit's day, told line by line."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ecm.visit.assess import assess, difference
from ecm.visit.model import Crossing, DeadlineKind, Evidence, FindingCode, State
from ecm.visit.policy import DEFAULT, Policy
from tests.visit.story import ALICE, BOB, a_visit, an_event, at, codes, tell

TWO = {"carers_required": 2, "care_workers": (ALICE, BOB)}


def test_an_ordinary_visit() -> None:
    after = tell("""
        08:00  tick       -> planned
        09:02  in         -> in_progress  location_inside
        09:33  out        -> completed    location_inside
    """)
    assert (after.actual_start, after.actual_end) == (at("09:02"), at("09:33"))
    assert after.settled_reason == "09:02 to 09:33"
    assert after.deadline_at is None


def test_nobody_came_and_then_the_phone_found_signal() -> None:
    tell(
        """
        09:15  tick                      -> late         !late
        09:45  tick                      -> missed       !missed
        09:50  sync: in 09:03 at 400 m   -> in_progress  location_outside, late_sync
                                            ; late stood down, missed stood down
        09:52  sync: out 09:28 at 95 m   -> completed    location_uncertain, late_sync, short
    """,
        policy=Policy(missed_after_minutes=45),
    )


def test_whether_anybody_looked_makes_no_difference_to_which_alarms_were_right() -> None:
    tell("""
        11:30  in 09:03   -> in_progress  location_inside, late_sync, !late, !missed
                             ; late stood down, missed stood down
    """)


def test_an_offline_check_in_does_not_flash_overrunning_before_its_check_out() -> None:
    tell("""
        09:14  tick            -> planned
        12:00  sync: in 09:03  -> in_progress  location_inside, late_sync, !late, !missed
                                  ; late stood down, missed stood down
        12:04  tick            -> in_progress
        12:05  tick            -> overrunning  no_check_out, !overrunning, !no_check_out
        12:06  sync: out 09:33 -> completed    location_inside, late_sync, -no_check_out
                                  ; overrunning stood down, no_check_out stood down
    """)


def test_a_check_out_that_never_comes() -> None:
    tell("""
        08:58  in         -> in_progress  location_inside
        09:44  tick       -> in_progress
        09:45  tick       -> overrunning  !overrunning
        10:30  tick       -> overrunning  no_check_out, !no_check_out
        11:00  out 09:31  -> completed    location_inside, late_sync, -no_check_out
                             ; overrunning stood down, no_check_out stood down
    """)


def test_leaving_late_is_over_when_it_is_over() -> None:
    tell("""
        09:00  in    -> in_progress  location_inside
        09:50  tick  -> overrunning  !overrunning
        09:55  out   -> completed    location_inside, overran; overrunning stood down
    """)


def test_a_check_out_without_its_check_in_still_means_somebody_came() -> None:
    tell("""
        09:15  tick             -> late       !late
        09:31  out              -> completed  location_inside, no_check_in; late stood down
        09:40  sync: in 09:01   -> completed  location_inside, late_sync, -no_check_in
    """)


def test_a_check_in_at_the_very_limit_is_not_late() -> None:
    tell("""
        09:15  in  -> in_progress  location_inside
    """)
    tell("""
        09:16  in  -> in_progress  location_inside, started_late, !late; late stood down
    """)


def test_nobody_could_get_in() -> None:
    after = tell("""
        09:01  in                        -> in_progress  location_inside
        09:12  out because no_reply      -> frustrated   location_inside
    """)
    assert after.settled_reason == "attended, care could not be given: no reply"


def test_tried_again_and_got_in() -> None:
    tell("""
        09:01  in                        -> in_progress  location_inside
        09:05  out because no_reply      -> frustrated   location_inside
        09:20  in                        -> in_progress  location_inside
        09:36  out                       -> completed    location_inside, short
    """)


def test_one_of_two_was_refused_and_the_other_was_not() -> None:
    tell(
        """
        09:00  Alice in                   -> in_progress  location_inside
        09:01  Bob in                     -> in_progress  location_inside
        09:04  Bob out because refused    -> in_progress  location_inside
        09:31  Alice out                  -> completed    location_inside, short
    """,
        a_visit(**TWO),
    )


def test_the_second_worker_never_came() -> None:
    tell(
        """
        08:59  Alice in   -> in_progress  location_inside
        09:15  tick       -> in_progress  second_worker_missing, !second_worker_missing
        09:31  Alice out  -> completed    location_inside
    """,
        a_visit(**TWO),
    )


def test_the_second_worker_came_late() -> None:
    tell(
        """
        09:15  tick       -> late         !late
        09:20  Alice in   -> in_progress  location_inside, started_late; late stood down
        09:25  tick       -> in_progress  second_worker_missing, !second_worker_missing
        09:28  Bob in     -> in_progress  location_inside, -second_worker_missing
                             ; second_worker_missing stood down
    """,
        a_visit(**TWO),
    )


def test_two_workers_who_came_together_raise_nothing() -> None:
    tell(
        """
        09:00  Alice in   -> in_progress  location_inside
        09:02  Bob in     -> in_progress  location_inside
        09:32  Alice out  -> in_progress  location_inside
        09:33  Bob out    -> completed    location_inside
    """,
        a_visit(**TWO),
    )


def test_of_two_who_overran_one_left() -> None:
    tell(
        """
        09:00  Alice in              -> in_progress  location_inside
        09:45  tick                  -> overrunning  second_worker_missing, !second_worker_missing, !overrunning
        09:46  sync: Bob in 09:01    -> overrunning  location_inside, late_sync, -second_worker_missing
                                        ; second_worker_missing stood down
        09:47  Alice out             -> in_progress  location_inside; overrunning stood down
        09:51  tick                  -> overrunning
        10:30  tick                  -> overrunning  no_check_out, !no_check_out
    """,
        a_visit(**TWO),
    )


def test_a_stranger_came_instead() -> None:
    tell("""
        09:00  Carol in  -> in_progress  location_inside, wrong_worker
        09:30  Carol out -> completed    location_inside
    """)


def test_a_cancelled_visit_rings_nobody() -> None:
    tell(
        """
        10:30  tick  -> cancelled
    """,
        a_visit(cancelled=True),
    )


def test_cancelled_after_the_alarm_does_not_unring_it() -> None:
    tell("""
        09:15  tick                -> late       !late
        09:40  amended: cancelled  -> cancelled  ; late stood down
        10:30  tick                -> cancelled
    """)
    tell(
        """
        10:30  tick  -> cancelled  !late; late stood down
    """,
        a_visit(cancelled=True, cancelled_at=at("09:40")),
    )


def test_attended_although_cancelled() -> None:
    after = tell(
        """
        09:01  in   -> in_progress  location_inside, unplanned
        09:31  out  -> completed    location_inside
    """,
        a_visit(cancelled=True),
    )
    assert [f.detail for f in after.findings if f.code is FindingCode.UNPLANNED] == ["visit was cancelled"]


def test_an_officer_established_the_times() -> None:
    after = tell("""
        09:15  tick                         -> late       !late
        10:00  tick                         -> missed     !missed
        14:00  amended: in 09:00 out 09:30  -> completed  manual_entry; late stood down, missed stood down
    """)
    assert [(a.care_worker, a.amended) for a in after.attendances] == [(ALICE, True)]


def test_an_officer_added_a_forgotten_check_out() -> None:
    tell("""
        09:00  in                  -> in_progress  location_inside
        10:30  tick                -> overrunning  no_check_out, !overrunning, !no_check_out
        10:40  amended: out 09:31  -> completed    manual_entry, -no_check_out
                                      ; overrunning stood down, no_check_out stood down
    """)


def test_an_officer_says_it_was_frustrated() -> None:
    tell("""
        09:15  tick                 -> late        !late
        09:20  amended: frustrated  -> frustrated  ; late stood down
        10:30  tick                 -> frustrated
    """)


def test_the_next_visit_makes_this_one_missed() -> None:
    after = tell(
        """
        09:10  tick  -> missed  !missed
    """,
        a_visit(next_planned_start=at("09:10")),
    )
    assert after.settled_reason == "no check-in received by 09:10 (the next visit began)"
    tell(
        """
        09:10  tick  -> planned
        09:15  tick  -> late  !late
    """,
        a_visit(next_planned_start=at("09:10")),
        Policy(missed_at_next_visit=False),
    )


def test_the_day_ends_before_the_limit() -> None:
    after = tell(
        """
        22:45  tick  -> late    !late
        23:00  tick  -> missed  !missed
    """,
        a_visit("22:30", "23:30"),
    )
    assert after.settled_reason == "no check-in received by 23:00 (end of the day)"


def test_a_visit_planned_after_the_cut_off_is_not_missed_before_it_began() -> None:
    tell(
        """
        23:00  tick  -> planned
        23:25  tick  -> late    !late
        24:10  tick  -> missed  !missed
    """,
        a_visit("23:10", "23:40"),
    )


def test_a_time_critical_visit_has_its_own_limit() -> None:
    tell(
        """
        09:05  tick  -> late  !late
    """,
        a_visit(time_critical=True),
        Policy(time_critical_late_after_minutes=5),
    )


def test_an_unplanned_visit_waits_for_its_check_out_until_none_can_come() -> None:
    tell(
        """
        10:00  in    -> in_progress  location_inside, unplanned
        34:59  tick  -> in_progress
        35:00  tick  -> in_progress  no_check_out, !no_check_out
    """,
        a_visit(None, None, ref="unplanned-1", care_workers=()),
    )


def test_an_unplanned_visit_whose_evidence_went_elsewhere_is_nothing() -> None:
    after = tell(
        """
        10:00  tick  -> cancelled
    """,
        a_visit(None, None),
    )
    assert after.settled_reason == "its evidence belongs elsewhere"


def test_reasons_speak_local_time() -> None:
    summer = a_visit()
    day = timedelta(days=120)
    visit = replace(
        summer,
        planned_start=at("08:00") + day,
        planned_end=at("08:30") + day,
        local_date=(at("08:00") + day).date(),
    )
    assert assess(visit, Evidence(), DEFAULT, at("07:00") + day).settled_reason == "due at 09:00"
    assert (
        assess(visit, Evidence(), DEFAULT, at("08:15") + day).settled_reason
        == "no check-in received by 09:15"
    )


def test_a_difference_says_only_what_is_new() -> None:
    visit = a_visit()
    planned = assess(visit, Evidence(), DEFAULT, at("08:00"))
    late = assess(visit, Evidence(), DEFAULT, at("09:15"))
    first = difference(None, planned)
    assert first is not None
    assert (first.state_from, first.state_to, first.added, first.crossings) == (None, State.PLANNED, (), ())
    change = difference(planned, late)
    assert change is not None
    assert (change.state_from, change.state_to) == (State.PLANNED, State.LATE)
    assert change.crossings == (Crossing(DeadlineKind.LATE, at("09:15")),)
    assert difference(late, assess(visit, Evidence(), DEFAULT, at("09:30"))) is None


def test_a_repeated_event_changes_nothing() -> None:
    visit, came = a_visit(), an_event("in", "09:00")
    once = assess(visit, Evidence((came,)), DEFAULT, at("09:05"))
    assert assess(visit, Evidence((came, came, came)), DEFAULT, at("09:05")) == once
    assert codes(once) == ["location_inside"]


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_told(state: State) -> None:
    """A state no story reaches would be a word without a meaning."""
    visit = a_visit(cancelled=state is State.CANCELLED)
    events = {
        State.IN_PROGRESS: [an_event("in", "09:00")],
        State.OVERRUNNING: [an_event("in", "09:00")],
        State.COMPLETED: [an_event("in", "09:00"), an_event("out", "09:30", 2)],
        State.FRUSTRATED: [an_event("in", "09:00"), an_event("out", "09:05", 2, reason_code="refused")],
    }.get(state, [])
    now = {State.PLANNED: "08:00", State.LATE: "09:20", State.IN_PROGRESS: "09:10"}.get(state, "10:10")
    assert assess(visit, Evidence(tuple(events)), DEFAULT, at(now)).state is state


def test_a_visit_is_frustrated_from_when_the_last_of_them_left() -> None:
    three = a_visit(carers_required=3, care_workers=(ALICE, BOB))
    tell(
        """
        09:00  Alice in                   -> in_progress  location_inside
        09:01  Bob in                     -> in_progress  location_inside
        09:05  Alice out because refused  -> in_progress  location_inside
        09:15  tick                       -> in_progress  second_worker_missing, !second_worker_missing
        09:20  Bob out because refused    -> frustrated   location_inside
    """,
        three,
    )
