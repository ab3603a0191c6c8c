"""Who came, when, and when we came to know of it."""

from __future__ import annotations

from ecm.visit.attending import Presence, attending, in_order
from ecm.visit.model import Amendment, AmendmentKind, CheckEvent
from ecm.visit.policy import DEFAULT
from tests.visit.story import ALICE, BOB, a_visit, an_amendment, an_event, at


def present(*events: CheckEvent, amendments: tuple[Amendment, ...] = ()) -> list[Presence]:
    found, _ = attending(a_visit(), in_order(events, DEFAULT), amendments, DEFAULT)
    return found


def told(presence: Presence) -> str:
    one = presence.attendance
    ends = [f"{each:%H:%M}" if each else "?" for each in (one.check_in_at, one.check_out_at)]
    return f"{one.care_worker} {'-'.join(ends)}{' in' * presence.is_in}{' amended' * one.amended}"


def test_one_attendance_per_worker_in_the_order_they_came() -> None:
    found = present(
        an_event("in", "09:05", 1, BOB),
        an_event("in", "09:00", 2),
        an_event("out", "09:30", 3),
        an_event("in", "09:40", 4),
        an_event("out", "09:50", 5),
    )
    assert [told(each) for each in found] == ["alice 09:00-09:50", "bob 09:05-? in"]
    assert [len(each.spells) for each in found] == [2, 1]


def test_whoever_checks_in_after_their_check_out_is_in_again() -> None:
    (alice,) = present(an_event("in", "09:00"), an_event("out", "09:30", 2), an_event("in", "09:40", 3))
    assert told(alice) == "alice 09:00-? in"


def test_a_check_in_that_was_tapped_again_is_one_spell() -> None:
    (alice,) = present(an_event("in", "09:00"), an_event("in", "09:10", 2), an_event("out", "09:30", 3))
    assert (told(alice), len(alice.spells)) == ("alice 09:00-09:30", 1)


def test_a_check_out_alone_is_an_attendance_without_a_spell() -> None:
    (alice,) = present(an_event("out", "09:30"))
    assert (told(alice), alice.spells, alice.known_at) == ("alice ?-09:30", (), at("09:30"))


def test_at_one_instant_the_check_in_is_first() -> None:
    (alice,) = present(an_event("out", "09:00", 1), an_event("in", "09:00", 2))
    assert told(alice) == "alice 09:00-09:00"


def test_an_event_is_known_when_received_and_not_before_it_was_linked() -> None:
    came = an_event("in", "09:00", received_at=at("09:10"))
    assert present(came)[0].known_at == at("09:10")
    link = an_amendment(AmendmentKind.LINK, "11:00", event_id=came.event_id)
    assert present(came, amendments=(link,))[0].known_at == at("11:00")


def test_an_amendment_has_the_last_word_on_the_ends_it_gives() -> None:
    out = an_amendment(AmendmentKind.TIMES, "11:00", 1, check_out_at=at("09:33"))
    (alice,) = present(an_event("in", "09:00"), amendments=(out,))
    assert told(alice) == "alice 09:00-09:33 amended"
    assert (alice.attendance.check_in_event, alice.left_known_at) == (
        an_event("in", "09:00").event_id,
        at("11:00"),
    )
    better = an_amendment(AmendmentKind.TIMES, "12:00", 2, check_in_at=at("09:02"), check_out_at=at("09:31"))
    (alice,) = present(an_event("in", "09:00"), amendments=(better, out))
    assert told(alice) == "alice 09:02-09:31 amended"


def test_an_amendment_of_an_attendance_nobody_evidenced_makes_one() -> None:
    both = an_amendment(AmendmentKind.TIMES, "11:00", check_in_at=at("09:00"), check_out_at=at("09:30"))
    (rostered,) = present(amendments=(both,))
    assert (told(rostered), rostered.known_at) == ("alice 09:00-09:30 amended", at("11:00"))
    came = an_amendment(AmendmentKind.TIMES, "11:00", care_worker=BOB, check_in_at=at("09:00"))
    assert [told(each) for each in present(an_event("in", "09:01"), amendments=(came,))] == [
        "bob 09:00-? in amended",
        "alice 09:01-? in",
    ]


def test_repeats_are_the_taps_that_do_not_count() -> None:
    taps = [an_event("in", "09:00", 1), an_event("in", "09:02", 2), an_event("out", "09:30", 3)]
    taps += [an_event("out", "09:31", 4), an_event("in", "09:32", 5, BOB)]
    _, repeats = attending(a_visit(care_workers=(ALICE, BOB)), in_order(taps, DEFAULT), (), DEFAULT)
    assert [(each.event, each.seconds) for each in repeats] == [(taps[1], 120.0), (taps[2], 60.0)]
