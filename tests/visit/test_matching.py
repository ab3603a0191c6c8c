"""What belongs where: stays, and the visits they find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from ecm.visit.matching import Allocation, allocate, match, unplanned_ref
from ecm.visit.model import AmendmentKind, CheckEvent, Visit
from ecm.visit.policy import DEFAULT, Policy
from ecm.visit.stays import stays
from tests.visit.story import ALICE, BOB, CAROL, MRS_EVANS, a_visit, an_amendment, an_event, at

BREAKFAST = a_visit("08:00", "08:30", 1)
LUNCH = a_visit("12:00", "12:30", 2)
TEA = a_visit("17:00", "17:30", 3)
DAY = [BREAKFAST, LUNCH, TEA]


def default(visit: Visit) -> Policy:
    return DEFAULT


def tapped(taps: str) -> list[CheckEvent]:
    """The taps of a day ("in 08:01, Bob out 08:29"), received as they happen; numbered from 1."""
    made = []
    for number, tap in enumerate(taps.split(", "), 1):
        *who, kind, when = tap.split()
        made.append(an_event(kind, when, number, who[0].lower() if who else ALICE))
    return made


def folded(taps: str) -> list[str]:
    def end(event: CheckEvent | None) -> str:
        return f"{event.occurred_at:%H:%M}" if event else "?"

    return [
        f"{end(stay.check_in)}-{end(stay.check_out)}" + f" +{len(stay.duplicates)}" * bool(stay.duplicates)
        for stay in stays(tapped(taps))
    ]


@pytest.mark.parametrize(
    ("taps", "as_told"),
    [
        ("in 08:00, out 08:30", ["08:00-08:30"]),
        ("in 08:00, out 08:30, in 12:00, out 12:30", ["08:00-08:30", "12:00-12:30"]),
        ("out 08:30", ["?-08:30"]),
        ("in 08:00, in 08:02, out 08:30, out 08:31", ["08:00-08:31 +2"]),
        ("in 08:00, in 08:03, out 08:30", ["08:00-?", "08:03-08:30"]),  # more than a double tap
        # a forgotten check-out at breakfast does not make a stay from breakfast to tea
        ("in 08:00, in 12:00, out 12:30, out 17:30", ["08:00-?", "12:00-12:30", "?-17:30"]),
        ("in 08:00, Bob in 08:01, out 08:30, Bob out 08:31", ["08:00-08:30", "08:01-08:31"]),
        ("in 08:00, out 08:00", ["08:00-08:00"]),
        ("in 06:00, out 31:00", ["06:00-07:00"]),
        ("in 06:00, out 31:01", ["06:00-?", "?-07:01"]),  # nobody stays longer than twenty-five hours
    ],
)
def test_taps_are_folded_into_stays(taps: str, as_told: list[str]) -> None:
    assert folded(taps) == as_told


def test_taps_that_name_different_visits_share_no_stay() -> None:
    came_one = an_event("in", "08:00", 1, visit_ref="V1")
    came_two = an_event("in", "08:01", 2, visit_ref="V2")
    left_one = an_event("out", "08:30", 3, visit_ref="V1")
    left_two = an_event("out", "08:40", 4, visit_ref="V2")
    told = stays([left_two, came_two, left_one, came_one])
    assert [(stay.check_in, stay.check_out) for stay in told] == [(came_one, left_one), (came_two, left_two)]


def shared(visits: Sequence[Visit], taps: list[CheckEvent]) -> Allocation:
    return allocate(visits, taps, {}, default)


def where(allocation: Allocation) -> dict[int, str]:
    """{visit: the kinds and times it got}, without the empty ones."""
    return {
        visit_id: ", ".join(f"{e.kind.removeprefix('check_')} {e.occurred_at:%H:%M}" for e in held)
        for visit_id, held in allocation.by_visit.items()
        if held
    }


@pytest.mark.parametrize(
    ("taps", "as_told"),
    [
        ("in 08:02, out 08:31", {1: "in 08:02, out 08:31"}),
        ("in 12:05", {2: "in 12:05"}),
        ("out 17:35", {3: "out 17:35"}),
        ("out 14:40", {2: "out 14:40"}),  # a check-out alone is measured from the planned end
        (
            "in 08:00, out 08:30, in 12:00, out 12:30",
            {1: "in 08:00, out 08:30", 2: "in 12:00, out 12:30"},
        ),
        ("in 10:01, out 10:30", {2: "in 10:01, out 10:30"}),  # nearer to lunch
        # but lunch does not swallow it when she comes again for lunch
        (
            "in 10:10, out 10:40, in 12:00, out 12:30",
            {1: "in 10:10, out 10:40", 2: "in 12:00, out 12:30"},
        ),
        ("Bob in 08:10, in 08:11", {1: "in 08:10, in 08:11"}),  # a double-up
    ],
)
def test_a_stay_goes_to_the_nearest_visit(taps: str, as_told: dict[int, str]) -> None:
    assert where(shared(DAY, tapped(taps))) == as_told


def test_two_stays_hours_apart_share_a_visit_only_when_no_other_is_free() -> None:
    taps = tapped("in 10:10, out 10:40, in 12:00")
    assert where(shared([LUNCH], taps)) == {2: "in 10:10, out 10:40, in 12:00"}


def test_a_rostered_worker_is_an_hour_nearer() -> None:
    bobs = a_visit("08:40", "09:10", 2, care_workers=(BOB,))
    assert where(shared([BREAKFAST, bobs], tapped("Bob in 08:05"))) == {2: "in 08:05"}
    assert where(shared([BREAKFAST, bobs], tapped("in 08:35"))) == {1: "in 08:35"}
    assert where(shared([BREAKFAST, bobs], tapped("Carol in 08:35"))) == {2: "in 08:35"}


def test_a_worker_who_stands_in_is_not_sent_to_her_own_visit_hours_later() -> None:
    bobs_breakfast = a_visit("08:00", "08:30", 1, care_workers=(BOB,))
    assert where(shared([bobs_breakfast, LUNCH], tapped("in 08:05"))) == {1: "in 08:05"}


def test_equally_near_visits_are_told_apart_by_their_plan_and_their_number() -> None:
    twins = [a_visit("08:00", "08:30", 5), a_visit("08:00", "08:30", 4), a_visit("09:00", "09:30", 3)]
    assert where(shared(twins, tapped("in 08:10"))) == {4: "in 08:10"}
    assert where(shared(twins, tapped("in 08:30"))) == {4: "in 08:30"}


@pytest.mark.parametrize(
    ("taps", "lands"),
    [("in 04:00", True), ("in 03:59", False), ("in 12:30", True), ("in 12:31", False), ("out 12:31", False)],
)
def test_the_matching_window_is_four_hours_each_way(taps: str, lands: bool) -> None:
    assert bool(where(shared([BREAKFAST], tapped(taps)))) is lands


def test_a_named_visit_is_obeyed_if_it_is_this_persons() -> None:
    event = an_event("in", "08:00", visit_ref="V3")
    allocation = shared(DAY, [event])
    assert where(allocation) == {3: "in 08:00"}
    assert allocation.matches[event.event_id].explicit


@pytest.mark.parametrize("ref", ["V9", "V4"])
def test_a_named_visit_that_will_not_do_is_said_and_the_nearest_taken(ref: str) -> None:
    hers = a_visit("08:00", "08:30", 4, service_user=MRS_EVANS)
    event = an_event("in", "12:00", visit_ref=ref)
    answer = shared([*DAY, hers], [event]).matches[event.event_id]
    assert answer.visit_id == 2
    assert not answer.explicit
    assert ref in answer.reason


def test_a_stay_follows_whichever_of_its_events_names_the_visit() -> None:
    events = [an_event("in", "08:00", 1), an_event("out", "08:30", 2, visit_ref="V2")]
    assert where(shared(DAY, events)) == {2: "in 08:00, out 08:30"}


def test_an_amendment_links_and_a_later_one_rejects_and_a_last_one_links_again() -> None:
    taps = tapped("in 08:00, out 08:30")
    link = an_amendment(AmendmentKind.LINK, "10:00", 1, event_id=taps[0].event_id)
    reject = an_amendment(AmendmentKind.REJECT, "11:00", 2, event_id=taps[0].event_id)
    again = an_amendment(AmendmentKind.LINK, "12:00", 3, event_id=taps[0].event_id)
    assert where(allocate(DAY, taps, {3: [link]}, default)) == {3: "in 08:00, out 08:30"}
    rejected = allocate(DAY, taps, {3: [link], None: [reject]}, default)
    assert where(rejected) == {1: "out 08:30"}
    assert rejected.unmatched == ((taps[0], "rejected: phone call with worker"),)
    assert rejected.matches[taps[0].event_id].rejected
    linked = allocate(DAY, taps, {3: [again, link], None: [reject]}, default)
    assert where(linked) == {3: "in 08:00, out 08:30"}


def test_what_an_amendment_gave_to_another_person_is_not_ours() -> None:
    taps = tapped("in 08:00")
    elsewhere = an_amendment(AmendmentKind.LINK, "10:00", event_id=taps[0].event_id)
    allocation = allocate(DAY, taps, {77: [elsewhere]}, default)
    assert (where(allocation), allocation.unplanned, allocation.unmatched) == ({}, (), ())
    assert allocation.matches[taps[0].event_id].visit_id is None


def test_a_known_worker_at_a_known_home_with_no_visit_near_is_unplanned() -> None:
    taps = tapped("in 22:00, out 22:20")
    allocation = shared(DAY, taps)
    (stay,) = allocation.unplanned
    assert (stay.check_in, stay.check_out) == (taps[0], taps[1])
    made = a_visit(None, None, 9, ref=unplanned_ref(stay))
    assert where(shared([*DAY, made], taps)) == {9: "in 22:00, out 22:20"}


def test_an_unplanned_visit_keeps_its_stay_and_takes_no_other() -> None:
    taps = tapped("in 22:00, out 22:20")
    made = a_visit(None, None, 9, ref=unplanned_ref(shared([], taps).unplanned[0]))
    assert where(shared([made], taps)) == {9: "in 22:00, out 22:20"}
    other = an_event("in", "22:05", 7, BOB)
    assert where(shared([made], [*taps, other])) == {9: "in 22:00, out 22:20"}


def test_a_plan_that_comes_after_the_check_in_takes_it_back_from_the_unplanned_visit() -> None:
    """The same stay, whether the rota or the check-in was first; and the worker who is there is not missed."""
    taps = tapped("in 22:00, out 22:20")
    made = a_visit(None, None, 9, ref=unplanned_ref(shared([], taps).unplanned[0]))
    late_plan = a_visit("22:00", "22:30", 8)
    assert where(shared([late_plan, made], taps)) == {8: "in 22:00, out 22:20"}
    assert where(shared([late_plan], taps)) == {8: "in 22:00, out 22:20"}
    assert where(shared([late_plan, made], taps[:1])) == {8: "in 22:00"}
    far_plan = a_visit("12:00", "12:30", 8)
    assert where(shared([far_plan, made], taps)) == {9: "in 22:00, out 22:20"}


def test_of_a_cancelled_plan_and_one_made_in_its_place_the_live_one_is_attended() -> None:
    """The twin has the smaller number, the same time and the same worker; only its life is gone."""
    old, new = a_visit("08:00", "08:30", 1, cancelled=True), a_visit("08:00", "08:30", 2)
    taps = tapped("in 08:00, out 08:30")
    assert where(shared([old, new], taps)) == {2: "in 08:00, out 08:30"}
    by_hand = {1: [an_amendment(AmendmentKind.CANCELLED, "07:00")]}
    live_twin = a_visit("08:00", "08:30", 1)
    assert where(allocate([live_twin, new], taps, by_hand, default)) == {2: "in 08:00, out 08:30"}
    farther = a_visit("09:30", "10:00", 2, care_workers=(BOB,))
    assert where(shared([old, farther], taps)) == {2: "in 08:00, out 08:30"}
    assert where(shared([old], taps)) == {1: "in 08:00, out 08:30"}  # attended although cancelled


@pytest.mark.parametrize(
    ("taps", "as_told"),
    [
        # a pocket that taps between two visits says nothing of the second
        ("in 08:00, out 08:30, out 11:05", {1: "in 08:00, out 08:30, out 11:05"}),
        # who forgot to check in at lunch, and leaves once lunch has begun, leaves lunch
        ("in 08:00, out 08:30, out 12:29", {1: "in 08:00, out 08:30", 2: "out 12:29"}),
        # another worker's check-out is another matter
        ("in 08:00, out 08:30, Bob out 11:05", {1: "in 08:00, out 08:30", 2: "out 11:05"}),
        ("in 08:00, out 11:05", {1: "in 08:00, out 11:05"}),
        ("out 08:30, out 11:05", {1: "out 08:30", 2: "out 11:05"}),
        # four hours after breakfast it is nobody's second thought
        ("in 08:00, out 08:30, in 12:00, out 12:30, out 16:31", {1: "in 08:00, out 08:30",
                                                                2: "in 12:00, out 12:30", 3: "out 16:31"}),
    ],
)  # fmt: skip
def test_a_check_out_alone_is_of_the_visit_its_worker_had_left(taps: str, as_told: dict[int, str]) -> None:
    for_anybody = [
        a_visit("08:00", "08:30", 1, care_workers=()),
        a_visit("12:00", "12:30", 2, care_workers=()),
        a_visit("17:00", "17:30", 3, care_workers=()),
    ]
    assert where(shared(DAY, tapped(taps))) == as_told
    assert where(shared(for_anybody, tapped(taps))) == as_told


def test_a_live_in_visit_of_a_day_and_an_hour_gets_its_check_out() -> None:
    """The night the clocks go back; the next day's worker is expected at the same door at the same time."""
    today, tomorrow = a_visit("09:00", "33:00", 1), a_visit("33:00", "57:00", 2, care_workers=(BOB,))
    taps = [an_event("in", "09:00", 1), an_event("out", "34:00", 2)]
    assert {v: len(held) for v, held in shared([today, tomorrow], taps).by_visit.items()} == {1: 2, 2: 0}


def test_an_unplanned_visit_keeps_its_stay_when_an_earlier_tap_turns_up() -> None:
    first, second = tapped("in 22:00, in 22:01")
    made = a_visit(None, None, 9, ref=unplanned_ref(shared([], [second]).unplanned[0]))
    assert where(shared([made], [first, second])) == {9: "in 22:00, in 22:01"}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (an_event("out", "22:00"), "a check-out alone, and no planned visit near"),
        (an_event("in", "22:00", worker=None), "care worker not known, and no planned visit near"),
        (an_event("in", "08:00", service_user=None), "person not known"),
        (an_event("out", "22:00", visit_ref="V9"), "visit V9 is not one of this person's"),
    ],
)
def test_what_fits_nowhere_waits_with_its_reason(event: CheckEvent, reason: str) -> None:
    allocation = shared(DAY, [event])
    assert (allocation.unmatched, allocation.unplanned) == (((event, reason),), ())


def test_one_stay_alone_finds_the_same_visit() -> None:
    (stay,) = stays(tapped("in 08:02, out 08:31"))
    assert match(stay, DAY, default).visit_id == 1
    assert match(stay, DAY, default, {UUID(int=2): 3}).visit_id == 3
    assert match(stay, DAY, default, {UUID(int=2): 33}).visit_id is None
    assert match(stay, [], default).visit_id is None


def test_a_phone_in_1970_still_finds_todays_visit() -> None:
    event = an_event("in", at("08:00") - timedelta(days=20_000), worker=CAROL, received_at=at("08:03"))
    assert shared(DAY, [event]).matches[event.event_id].visit_id == 1
