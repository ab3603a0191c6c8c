"""What one care worker's check-ins have in common: questions for a person to ask, and never an answer.

    pattern               of what                        what honest work looks like         asked about over
    --------------------  -----------------------------  ----------------------------------  ------------------
    repeated_fixes        positions                      a phone wanders: two visits' fixes  2 % alike to six
                                                         are never alike to six places       places
    exact_durations       stays as long as planned       a handful in a hundred              10 % within 5 s
    in_and_out_together   stays whose two ends arrived   a phone without signal, now and     20 %
                          at once                        then
    impossible_travel     journeys between homes         none, but for a wrong clock         1 %, and two
    manual_share          check-ins and check-outs       15 % is what contracts allow        15 %
    unlocated_share       check-ins and check-outs       15 % is what contracts allow        15 %
    printed_tag_only      check-ins and check-outs       as many as have no better tag       50 %
    same_minute           check-ins, minutes from plan   one in ten on the commonest minute  35 % on one minute

A share of few is chance. So a pattern says "too few to tell" under its smallest sample, and asks only when even the low
end of what chance allows (Wilson's interval, 95 %) lies over its limit. Nothing is blocked, paid less or marked because
of it: some homes have no signal, some phones lie about where they are, some plans are exactly right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import sqrt

from ecm.visit.model import CheckEvent, Finding, FindingCode, Method
from ecm.visit.policy import DEFAULT
from ecm.visit.proof import Grade, Proof, graded
from geo.travel import travel

EXACT_SECONDS = 5
TOGETHER_SECONDS = 60
SHORTEST_STAY_SECONDS = 300
VISITS_SHOWN_MAX = 50
Z_95 = 1.96


class PatternCode(StrEnum):
    REPEATED_FIXES = "repeated_fixes"
    EXACT_DURATIONS = "exact_durations"
    IN_AND_OUT_TOGETHER = "in_and_out_together"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    MANUAL_SHARE = "manual_share"
    UNLOCATED_SHARE = "unlocated_share"
    PRINTED_TAG_ONLY = "printed_tag_only"
    SAME_MINUTE = "same_minute"


class Verdict(StrEnum):
    TOO_FEW = "too_few"
    USUAL = "usual"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One of the worker's events on one visit, and what was found of it."""

    visit_id: int
    event: CheckEvent
    found: frozenset[FindingCode] = frozenset()


@dataclass(frozen=True, slots=True)
class Stay:
    """The worker's attendance on one visit. Either end may be missing; so may the plan."""

    visit_id: int
    check_in: Recorded | None
    check_out: Recorded | None
    planned_start: datetime | None = None
    planned_end: datetime | None = None

    @property
    def ends(self) -> tuple[Recorded, Recorded] | None:
        """Both ends, where both were recorded otherwise than by hand."""
        if self.check_in is None or self.check_out is None:
            return None
        return (
            None if _by_hand(self.check_in) or _by_hand(self.check_out) else (self.check_in, self.check_out)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """How many of how many, and on which visits."""

    count: int
    sample: int
    visits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`limit`: the share over which somebody should ask. `words` take {count} and {sample}."""

    code: PatternCode
    limit: float
    smallest_sample: int
    find: Callable[[Sequence[Stay], Sequence[Recorded]], Found]
    words: str
    usual: str
    least: int = 2


@dataclass(frozen=True, slots=True)
class Pattern:
    """`share` and `limit` as fractions; `share` is None of an empty sample. `usual`: what honest work looks like."""

    code: PatternCode
    verdict: Verdict
    count: int
    sample: int
    share: float | None
    limit: float
    words: str
    usual: str
    visits: tuple[int, ...]


def patterns(stays: Sequence[Stay], recorded: Sequence[Recorded]) -> tuple[Pattern, ...]:
    """Every pattern of one worker's span, in the order of the table above."""
    return tuple(_judged(rule, rule.find(stays, recorded)) for rule in RULES)


def _judged(rule: Rule, found: Found) -> Pattern:
    if found.sample < rule.smallest_sample:
        verdict = Verdict.TOO_FEW
    elif found.count >= rule.least and _at_least(found.count, found.sample) > rule.limit:
        verdict = Verdict.ASK
    else:
        verdict = Verdict.USUAL
    return Pattern(
        rule.code,
        verdict,
        found.count,
        found.sample,
        found.count / found.sample if found.sample else None,
        rule.limit,
        rule.words.format(count=found.count, sample=found.sample),
        rule.usual,
        found.visits[:VISITS_SHOWN_MAX],
    )


def _at_least(count: int, sample: int) -> float:
    """The low end of Wilson's interval: what share there is even if chance was against the worker."""
    share = count / sample
    spread = Z_95 * sqrt(share * (1 - share) / sample + Z_95**2 / (4 * sample**2))
    return (share + Z_95**2 / (2 * sample) - spread) / (1 + Z_95**2 / sample)


def _repeated_fixes(_: Sequence[Stay], recorded: Sequence[Recorded]) -> Found:
    """Alike on another visit. One phone standing still for both ends of one visit is no repetition."""
    located = [(each, _six_places(each)) for each in recorded if each.event.fix is not None]
    visits_at: dict[tuple[float, float], set[int]] = defaultdict(set)
    for each, place in located:
        visits_at[place].add(each.visit_id)
    again = [each for each, place in located if len(visits_at[place]) > 1]
    return _found(again, len(located))


def _exact_durations(stays: Sequence[Stay], _: Sequence[Recorded]) -> Found:
    exact, sample = [], 0
    for stay in stays:
        if stay.ends is None or stay.planned_start is None or stay.planned_end is None:
            continue
        sample += 1
        planned = (stay.planned_end - stay.planned_start).total_seconds()
        if abs(_seconds(*stay.ends) - planned) <= EXACT_SECONDS:
            exact.append(stay)
    return _found(exact, sample)


def _in_and_out_together(stays: Sequence[Stay], _: Sequence[Recorded]) -> Found:
    long = [stay for stay in stays if stay.ends is not None and _seconds(*stay.ends) >= SHORTEST_STAY_SECONDS]
    together = []
    for stay in long:
        assert stay.ends is not None
        came, left = stay.ends
        apart = abs((left.event.received_at - came.event.received_at).total_seconds())
        if apart <= TOGETHER_SECONDS:
            together.append(stay)
    return _found(together, len(long))


def _impossible_travel(_: Sequence[Stay], recorded: Sequence[Recorded]) -> Found:
    on_the_road = sorted(
        (each for each in recorded if each.event.fix is not None),
        key=lambda each: (each.event.occurred_at, each.event.event_id),
    )
    sample, too_fast = 0, []
    for before, after in pairwise(on_the_road):
        if before.visit_id == after.visit_id:
            continue
        assert before.event.fix is not None
        assert after.event.fix is not None
        road = travel(before.event.fix, before.event.occurred_at, after.event.fix, after.event.occurred_at)
        if road is None:
            continue
        sample += 1
        if road.km_h > DEFAULT.travel_max_km_h:
            too_fast.append(after)
    return _found(too_fast, sample)


def _manual_share(_: Sequence[Stay], recorded: Sequence[Recorded]) -> Found:
    return _found([each for each in recorded if _by_hand(each)], len(recorded))


def _unlocated_share(_: Sequence[Stay], recorded: Sequence[Recorded]) -> Found:
    """Nothing says where; what says "elsewhere" says where."""
    told = [each for each in recorded if not _by_hand(each)]
    nowhere = [
        each for each in told if _place(each) is Grade.NONE and FindingCode.LOCATION_OUTSIDE not in each.found
    ]
    return _found(nowhere, len(told))


def _printed_tag_only(_: Sequence[Stay], recorded: Sequence[Recorded]) -> Found:
    told = [each for each in recorded if not _by_hand(each)]
    copyable = [
        each
        for each in told
        if Proof.TAG_PRINTED in each.event.proofs and _place(each) in (Grade.WEAK, Grade.NONE)
    ]
    return _found(copyable, len(told))


def _same_minute(stays: Sequence[Stay], _: Sequence[Recorded]) -> Found:
    minutes: dict[int, list[Stay]] = defaultdict(list)
    for stay in stays:
        if stay.check_in is not None and stay.planned_start is not None and not _by_hand(stay.check_in):
            late = (stay.check_in.event.occurred_at - stay.planned_start).total_seconds()
            minutes[int(late // 60)].append(stay)
    commonest = max(minutes.values(), key=len, default=[])
    return _found(commonest, sum(len(each) for each in minutes.values()))


def _found(some: Iterable[Recorded | Stay], sample: int) -> Found:
    several = list(some)
    return Found(len(several), sample, tuple(Counter(each.visit_id for each in several)))


def _by_hand(each: Recorded) -> bool:
    return each.event.method is Method.MANUAL or Proof.TYPED in each.event.proofs


def _place(each: Recorded) -> Grade:
    about = (Finding(code, event_id=each.event.event_id) for code in each.found)
    return graded(each.event, about).place.grade


def _six_places(each: Recorded) -> tuple[float, float]:
    assert each.event.fix is not None
    return round(each.event.fix.lat, 6), round(each.event.fix.lon, 6)


def _seconds(came: Recorded, left: Recorded) -> float:
    return (left.event.occurred_at - came.event.occurred_at).total_seconds()


RULES: tuple[Rule, ...] = (
    Rule(PatternCode.REPEATED_FIXES, 0.02, 20, _repeated_fixes,
         "{count} of {sample} positions are identical, to six places, to one sent from another visit",
         "A phone's position wanders by metres: two visits are all but never alike to a hand's breadth", least=3),
    Rule(PatternCode.EXACT_DURATIONS, 0.10, 20, _exact_durations,
         "{count} of {sample} stays were as long as planned, to within 5 seconds",
         "Two or three in a hundred come out exact by chance"),
    Rule(PatternCode.IN_AND_OUT_TOGETHER, 0.20, 20, _in_and_out_together,
         "{count} of {sample} stays had their check-in and check-out arrive within a minute of each other",
         "A phone without signal sends both later; in a town that is a few in a hundred"),
    Rule(PatternCode.IMPOSSIBLE_TRAVEL, 0.01, 10, _impossible_travel,
         "{count} of {sample} journeys between homes were faster than 120 km/h in a straight line",
         "None, unless a phone's clock is wrong"),
    Rule(PatternCode.MANUAL_SHARE, 0.15, 20, _manual_share,
         "{count} of {sample} check-ins and check-outs were entered by hand",
         "Contracts commonly ask for 85 in 100 without"),
    Rule(PatternCode.UNLOCATED_SHARE, 0.15, 20, _unlocated_share,
         "{count} of {sample} check-ins and check-outs say nothing of where they were made",
         "Contracts commonly ask for 85 in 100 made in the home"),
    Rule(PatternCode.PRINTED_TAG_ONLY, 0.50, 20, _printed_tag_only,
         "{count} of {sample} check-ins and check-outs rest on a printed tag alone, which can be photographed",
         "As many as there are homes with no better tag and no position"),
    Rule(PatternCode.SAME_MINUTE, 0.35, 20, _same_minute,
         "{count} of {sample} check-ins came in the same minute before or after the planned start",
         "The commonest minute has about one in ten"),
)  # fmt: skip
