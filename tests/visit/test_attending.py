"""Who came, when, and when we came to know of it."""

from __future__ import annotations

import pytest

from ecm.visit.attending import Presence, attending, in_order
from ecm.visit.model import Amendment, AmendmentKind, CheckEvent
from ecm.visit.policy import DEFAULT
from tests.visit.story import ALICE, BOB, a_visit, an_amendment, an_event, at


def present(*events: CheckEvent, amendments: tuple[Amendment, ...] = ()) -> list[Presence]:
    return attending(a_visit(), in_order(events, DEFAULT), amendments, DEFAULT).presences


def told(presence: Presence) -> str:
    """ "alice 09:00-09:05 09:50-? in" """
    spans = [
        "-".join(f"{each:%H:%M}" if each else "?" for each in (one.check_in_at, one.check_out_at))
        + " amended" * one.amended
        for one in presence.attendances
    ]
    return f"{presence.care_worker} {' '.join(spans)}{' in' * presence.is_in}"


def test_one_attendance_for_each_spell_of_each_worker_in_the_order_they_came() -> None:
    found = present(
        an_event("in", "09:05", 1, BOB),
        an_event("in", "09:00", 2),
        an_event("out", "09:30", 3),
        an_event("in", "09:40", 4),
        an_event("out", "09:50", 5),
    )
    assert [told(each) for each in found] == ["alice 09:00-09:30 09:40-09:50", "bob 09:05-? in"]
    assert [len(each.spells) for each in found] == [2, 1]


def test_whoever_checks_in_after_their_check_out_is_in_again() -> None:
    (alice,) = present(an_event("in", "09:00"), an_event("out", "09:30", 2), an_event("in", "09:40", 3))
    assert told(alice) == "alice 09:00-09:30 09:40-? in"


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
    assert (alice.attendances[0].check_in_event, alice.left_known_at) == (
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
        "bob 09:00-? amended in",
        "alice 09:01-? in",
    ]


def test_repeats_are_the_taps_that_do_not_count() -> None:
    taps = [an_event("in", "09:00", 1), an_event("in", "09:02", 2), an_event("out", "09:30", 3)]
    taps += [an_event("out", "09:31", 4), an_event("in", "09:32", 5, BOB), an_event("in", "09:50", 6, BOB)]
    found = attending(a_visit(care_workers=(ALICE, BOB)), in_order(taps, DEFAULT), (), DEFAULT)
    idle = [(each.care_worker, [tap[3] for tap in each.taps]) for each in found.repeats]
    assert idle == [(ALICE, [taps[1], taps[2]]), (BOB, [taps[5]])]


def test_time_away_is_not_attendance() -> None:
    """A pharmacy between two halves of a visit is walked to on nobody's time."""
    taps = [an_event("in", "09:00"), an_event("out", "09:05", 2)]
    taps += [an_event("in", "09:50", 3), an_event("out", "09:55", 4)]
    (alice,) = present(*taps)
    assert told(alice) == "alice 09:00-09:05 09:50-09:55"
    assert sum(each.total_seconds() for each in alice.lengths()) == 600


@pytest.mark.parametrize(
    ("again", "as_told"),
    [
        ("09:45", "alice 09:00-09:45"),  # tapped out too early by mistake, and again when leaving
        ("09:46", "alice 09:00-09:20"),  # past the overrunning limit: nobody knows what that was
        ("13:00", "alice 09:00-09:20"),
    ],
)
def test_a_second_check_out_lengthens_the_visit_only_within_its_time(again: str, as_told: str) -> None:
    (alice,) = present(an_event("in", "09:00"), an_event("out", "09:20", 2), an_event("out", again, 3))
    assert told(alice) == as_told


def test_a_double_tap_at_the_end_is_the_end_however_late() -> None:
    (alice,) = present(an_event("in", "09:00"), an_event("out", "10:10", 2), an_event("out", "10:12", 3))
    assert told(alice) == "alice 09:00-10:12"


def test_one_end_that_contradicts_the_evidence_is_not_used() -> None:
    """Never out before in: the evidence stands, and the amendment is told of."""
    seen = [an_event("in", "09:00"), an_event("out", "09:30", 2)]
    late_in = an_amendment(AmendmentKind.TIMES, "11:00", 1, check_in_at=at("09:45"))
    found = attending(a_visit(), in_order(seen, DEFAULT), (late_in,), DEFAULT)
    assert ([told(each) for each in found.presences], found.unused) == (["alice 09:00-09:30"], {1})
    assert found.presences[0].left_known_at == at("09:30")

    out = an_amendment(AmendmentKind.TIMES, "12:00", 2, check_out_at=at("10:15"))
    found = attending(a_visit(), in_order(seen, DEFAULT), (out, late_in), DEFAULT)
    assert ([told(each) for each in found.presences], found.unused) == (["alice 09:45-10:15 amended"], set())

    early_out = an_amendment(AmendmentKind.TIMES, "11:00", 3, check_out_at=at("08:50"))
    found = attending(a_visit(), in_order(seen[:1], DEFAULT), (early_out,), DEFAULT)
    assert ([told(each) for each in found.presences], found.unused) == (["alice 09:00-? in"], {3})

    backwards = an_amendment(
        AmendmentKind.TIMES, "11:00", 4, check_in_at=at("09:30"), check_out_at=at("09:00")
    )
    found = attending(a_visit(), [], (backwards,), DEFAULT)
    assert (found.presences, found.unused) == ([], {4})


def test_both_ends_given_together_are_the_whole_attendance() -> None:
    taps = [an_event("in", "09:00"), an_event("out", "09:05", 2)]
    taps += [an_event("in", "09:20", 3), an_event("out", "09:35", 4)]
    both = an_amendment(AmendmentKind.TIMES, "11:00", check_in_at=at("09:00"), check_out_at=at("09:30"))
    (alice,) = present(*taps, amendments=(both,))
    assert told(alice) == "alice 09:00-09:30 amended"
    out = an_amendment(AmendmentKind.TIMES, "11:00", check_out_at=at("09:31"))
    (alice,) = present(*taps, amendments=(out,))
    assert told(alice) == "alice 09:00-09:05 09:20-09:31 amended"
