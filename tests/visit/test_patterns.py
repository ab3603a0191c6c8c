"""Honest Hana and eight who are not, four weeks each: every trick is asked about, and she is left in peace.

Hana's phone wanders about as recorded phones do (a steady bias and a slow wander), she comes some minutes early or
late, stays as long as it takes, and now and then has no signal.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ecm.visit.model import CheckEvent, EventKind, FindingCode, Method
from ecm.visit.patterns import (
    RULES,
    PatternCode,
    Recorded,
    Stay,
    Verdict,
    patterns,
)
from ecm.visit.proof import Proof
from geo.fix import Fix

MONDAY = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
DAYS, A_DAY = 20, 6
METRES_PER_DEGREE = 111_320.0
HOMES = [(52.60 + 0.01 * n, -1.10 + 0.01 * n) for n in range(A_DAY)]


def honest(seed: int, days: int = DAYS) -> list[Stay]:
    dice = random.Random(seed)
    stays = []
    for n in range(days * A_DAY):
        day, place = divmod(n, A_DAY)
        start = MONDAY + timedelta(days=day, minutes=90 * place)
        end = start + timedelta(minutes=30)
        came = start + timedelta(seconds=dice.gauss(120, 300))
        left = max(came + timedelta(minutes=8), end + timedelta(seconds=dice.gauss(0, 360)))
        back = left + timedelta(minutes=40) if dice.random() < 0.05 else None
        bias = dice.gauss(0, 8), dice.gauss(0, 8)
        ends = [
            event(2 * n + half, kind, at, back or at + timedelta(seconds=2), where(HOMES[place], bias, dice))
            for half, (kind, at) in enumerate([(EventKind.CHECK_IN, came), (EventKind.CHECK_OUT, left)])
        ]
        stays.append(Stay(n, Recorded(n, ends[0], AT_HOME), Recorded(n, ends[1], AT_HOME), start, end))
    return stays


AT_HOME = frozenset({FindingCode.LOCATION_INSIDE})


def where(home: tuple[float, float], bias: tuple[float, float], dice: random.Random) -> Fix:
    north, east = (each + dice.gauss(0, 3) for each in bias)
    return Fix(home[0] + north / METRES_PER_DEGREE, home[1] + east / 67_000, 12.0, None)


def event(n: int, kind: EventKind, at: datetime, received: datetime, fix: Fix | None) -> CheckEvent:
    signed = frozenset({Proof.SIGNED.value})
    return CheckEvent(UUID(int=n), kind, at, received, Method.APP, "hana", fix=fix, proofs=signed)


def asked(stays: list[Stay]) -> set[PatternCode]:
    return {found.code for found in patterns(stays, events(stays)) if found.verdict is Verdict.ASK}


def events(stays: list[Stay]) -> list[Recorded]:
    return [end for stay in stays for end in (stay.check_in, stay.check_out) if end is not None]


def each_end(stay: Stay, change: Callable[[Recorded], Recorded]) -> Stay:
    assert stay.check_in is not None
    assert stay.check_out is not None
    return replace(stay, check_in=change(stay.check_in), check_out=change(stay.check_out))


def but(end: Recorded | None, found: frozenset[FindingCode] = AT_HOME, **changed: object) -> Recorded:
    assert end is not None
    return Recorded(end.visit_id, replace(end.event, **changed), found)  # type: ignore[arg-type]


# ------------------------------------------------------------------ the tricks


def copies_a_position(stay: Stay) -> Stay:
    """Sets the phone's position by hand, to the same place every time."""
    home = HOMES[stay.visit_id % A_DAY]
    return each_end(stay, lambda end: but(end, fix=Fix(*home, 12.0, None)))


def stays_exactly(stay: Stay) -> Stay:
    assert stay.check_in is not None
    came = stay.check_in.event.occurred_at
    at = came + timedelta(minutes=30, seconds=stay.visit_id % 5)
    return replace(stay, check_out=but(stay.check_out, occurred_at=at, received_at=at + timedelta(seconds=2)))


def sends_both_at_once(stay: Stay) -> Stay:
    assert stay.check_out is not None
    return replace(stay, check_in=but(stay.check_in, received_at=stay.check_out.event.received_at))


def is_everywhere(stay: Stay) -> Stay:
    """Every other visit is at the other end of the country, minutes later."""
    if stay.visit_id % 2:
        return stay
    north = 55.0 + stay.visit_id / 100_000
    return replace(stay, check_out=but(stay.check_out, fix=Fix(north, -1.5, 12.0, None)))


def enters_by_hand(stay: Stay) -> Stay:
    if stay.visit_id % 2:
        return stay
    return each_end(stay, lambda end: but(end, frozenset(), method=Method.MANUAL, fix=None))


def switches_the_position_off(stay: Stay) -> Stay:
    return each_end(stay, lambda end: but(end, frozenset({FindingCode.LOCATION_NONE}), fix=None))


def scans_a_photograph(stay: Stay) -> Stay:
    proofs = frozenset({Proof.SIGNED.value, Proof.TAG_PRINTED.value})
    return each_end(
        stay,
        lambda end: but(
            end, frozenset({FindingCode.LOCATION_NONE}), fix=None, method=Method.QR, proofs=proofs
        ),
    )


def always_the_same_minute(stay: Stay) -> Stay:
    assert stay.planned_start is not None
    at = stay.planned_start + timedelta(minutes=2, seconds=stay.visit_id % 50)
    return replace(stay, check_in=but(stay.check_in, occurred_at=at, received_at=at + timedelta(seconds=2)))


TRICKS = {
    PatternCode.REPEATED_FIXES: copies_a_position,
    PatternCode.EXACT_DURATIONS: stays_exactly,
    PatternCode.IN_AND_OUT_TOGETHER: sends_both_at_once,
    PatternCode.IMPOSSIBLE_TRAVEL: is_everywhere,
    PatternCode.MANUAL_SHARE: enters_by_hand,
    PatternCode.UNLOCATED_SHARE: switches_the_position_off,
    PatternCode.PRINTED_TAG_ONLY: scans_a_photograph,
    PatternCode.SAME_MINUTE: always_the_same_minute,
}


@pytest.mark.parametrize("code", TRICKS)
def test_each_trick_is_asked_about_and_nothing_else_is(code: PatternCode) -> None:
    assert asked([TRICKS[code](stay) for stay in honest(7)]) == {code}


def test_there_is_a_trick_for_every_pattern() -> None:
    assert set(TRICKS) == {rule.code for rule in RULES} == set(PatternCode)


def test_a_hundred_honest_workers_are_left_in_peace() -> None:
    """A pattern that asks about one honest worker in twenty is worse than none: people stop reading it."""
    suspected = [(seed, found) for seed in range(100) if (found := asked(honest(seed)))]
    assert suspected == []


def test_an_honest_worker_in_a_valley_without_signal_is_asked_about_that_and_no_more() -> None:
    valley = [sends_both_at_once(stay) if stay.visit_id % 10 < 1 else stay for stay in honest(3)]
    assert asked(valley) == set(), "one in ten is usual"
    deep = [sends_both_at_once(stay) if stay.visit_id % 10 < 5 else stay for stay in honest(3)]
    assert asked(deep) == {PatternCode.IN_AND_OUT_TOGETHER}


@pytest.mark.parametrize("code", TRICKS)
def test_a_handful_is_too_few_to_tell(code: PatternCode) -> None:
    few = [TRICKS[code](stay) for stay in honest(7, days=1)][:4]
    [found] = [each for each in patterns(few, events(few)) if each.code is code]
    assert found.verdict is Verdict.TOO_FEW


def test_nothing_at_all_says_so() -> None:
    found = patterns([], [])
    assert {each.verdict for each in found} == {Verdict.TOO_FEW}
    assert {each.share for each in found} == {None}


def test_a_pattern_names_the_visits_it_stands_on() -> None:
    stays = honest(7)
    copied = [copies_a_position(stay) if stay.visit_id in (1, 7, 13, 19) else stay for stay in stays]
    [found] = [each for each in patterns(copied, events(copied)) if each.code is PatternCode.REPEATED_FIXES]
    assert set(found.visits) == {1, 7, 13, 19}
    assert found.words == "8 of 240 positions are identical, to six places, to one sent from another visit"


def test_one_visits_two_ends_alike_are_no_repetition() -> None:
    """A phone that lies on the table all the visit says the same twice."""
    stays = [
        replace(stay, check_out=but(stay.check_out, fix=stay.check_in.event.fix if stay.check_in else None))
        for stay in honest(7)
    ]
    assert asked(stays) == set()


def test_the_home_a_secure_tag_or_a_telephone_says_is_said() -> None:
    none = frozenset({FindingCode.LOCATION_NONE})
    tag = frozenset({Proof.SIGNED.value, Proof.TAG_FRESH.value})
    tapped = [
        each_end(stay, lambda end: but(end, none, fix=None, method=Method.NFC, proofs=tag))
        for stay in honest(7)
    ]
    assert asked(tapped) == set()
    rung = [
        each_end(
            stay,
            lambda end: but(
                end, fix=None, method=Method.LANDLINE, cli="+441632960001", proofs=frozenset({"pin"})
            ),
        )
        for stay in honest(7)
    ]
    assert asked(rung) == set()


def test_chance_is_counted_in_the_workers_favour() -> None:
    """Five of twenty by hand is over 15 %, and might well be chance; fifty of two hundred is not."""

    def by_hand(n: int, every: int) -> list[Stay]:
        return [enters_by_hand(replace(stay, visit_id=0)) if place % every == 0 else stay
                for place, stay in enumerate(honest(5)[:n])]  # fmt: skip

    assert asked(by_hand(12, 4)) == set()
    assert asked(by_hand(100, 4)) == {PatternCode.MANUAL_SHARE}
