"""The instants at which a visit changes if nothing arrives, and which of them passed unmet.

    kind                   falls due                                           unless by then we know of
    ---------------------  --------------------------------------------------  -------------------------------
    late                   planned start + the late limit                      anybody's coming (`coming`)
    missed                 the earliest of planned start + the missed limit,   anybody's coming (`coming`)
                           the person's next planned start (if the contract
                           counts a merged visit as missed), and the local
                           day cut-off (if planned to start before it)
    second_worker_missing  planned start + the late limit                      the coming of as many workers as
                                                                               the plan asks
    overrunning            planned end + the overrunning limit                 the check-out
    no_check_out           planned end + the no-check-out limit                the check-out

A cancelled or frustrated visit expects nobody, from the moment that was known. If missed falls due no later
than late, late is skipped. Second-worker counts from the first worker's coming: while nobody came, the visit
is late or missed, and one alarm is enough. Nobody planned the end of an unplanned visit; its check-out is
overdue when it could no longer close the check-in.

Late news gets grace: a deadline that was over, or all but over, when we heard of the check-in it springs from
falls due `late_sync_grace_minutes` after we heard. Otherwise a phone that finds signal would flash
"overrunning" between its check-in and its check-out. So does news that whoever had met late or missed had left
before the visit's time: the visit is late or missed at once, but the deadline passes, and rings, after the grace,
unless somebody's coming is known by then.

Whether a deadline passed *unmet* is asked of what was known at that instant, not of when a process happened to
look, nor of what turned up later: an alarm that was right to ring is not unrung. So the crossings are a
function of the evidence with its times of receipt, and only ever grow with time.

All sums are of UTC instants. The cut-off alone is a local time; `clocks.utc_of` says what it means on the two
nights a year when that is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from ecm.visit.attending import Presence, Spell, window_opens
from ecm.visit.clocks import utc_of
from ecm.visit.coming import Coming
from ecm.visit.model import Crossing, DeadlineKind, Visit
from ecm.visit.policy import Policy
from ecm.visit.stays import LONGEST_STAY

ALWAYS = datetime.min.replace(tzinfo=UTC)


class Due(NamedTuple):
    """One deadline. `unmet`: not met by what was known then. `stands`: not met by all we know now."""

    kind: DeadlineKind
    at: datetime
    unmet: bool
    stands: bool
    care_worker: str | None = None


def dues(
    visit: Visit,
    coming: Coming,
    policy: Policy,
    cancelled_known_at: datetime | None = None,
    frustrated_known_at: datetime | None = None,
) -> list[Due]:
    """Every deadline of a visit that matters, in the order of the table above, past and to come."""
    found: list[Due] = []
    if visit.planned_start is not None:
        called_off_at = _earlier(cancelled_known_at, frustrated_known_at)
        late_at = visit.planned_start + minutes(late_limit(visit, policy))
        missed_at, _ = missed(visit, policy)
        nobody = not coming.counted and called_off_at is None
        unmet_late = _unmet_at(late_at, coming, called_off_at, policy) if late_at < missed_at else None
        unmet_missed = _unmet_at(missed_at, coming, called_off_at, policy)
        if unmet_late is not None and unmet_late != unmet_missed:
            found.append(Due(DeadlineKind.LATE, unmet_late, True, nobody))
        if unmet_missed is not None:
            found.append(Due(DeadlineKind.MISSED, unmet_missed, True, nobody))
        if nobody and late_at < missed_at and unmet_late != late_at:
            found.append(Due(DeadlineKind.LATE, late_at, False, True))
        if nobody and unmet_missed != missed_at:
            found.append(Due(DeadlineKind.MISSED, missed_at, False, True))
        if visit.carers_required > 1 and coming.attended.presences:
            found.extend(_second_worker(visit, coming, late_at, policy, called_off_at))
    for presence in coming.counted:
        found.extend(_check_outs(visit, presence, presence.spells, policy, frustrated_known_at))
    opens = window_opens(visit, policy)
    for presence in coming.others:
        there = tuple(spell for spell in presence.spells if opens is None or spell.in_at >= opens)
        found.extend(_check_outs(visit, presence, there, policy, frustrated_known_at))
    return found


def crossings(found: Iterable[Due], now: datetime) -> tuple[Crossing, ...]:
    """The deadlines that passed unmet by `now`: of each kind the first, in the order of the kinds."""
    first: dict[DeadlineKind, datetime] = {}
    for due in found:
        if due.unmet and due.at <= now and (due.kind not in first or due.at < first[due.kind]):
            first[due.kind] = due.at
    if not first:
        return ()
    return tuple(Crossing(kind, first[kind]) for kind in DeadlineKind if kind in first)


def next_change(found: Sequence[Due], now: datetime) -> tuple[datetime, DeadlineKind] | tuple[None, None]:
    """The next instant after `now` at which the assessment becomes another one if nothing arrives."""
    crossed: dict[DeadlineKind, datetime] = {}
    standing: dict[DeadlineKind, datetime] = {}
    chosen: Due | None = None
    for due in found:
        if due.unmet:
            crossed[due.kind] = min(due.at, crossed.get(due.kind, due.at))
        if due.stands:
            standing[due.kind] = min(due.at, standing.get(due.kind, due.at))
    for due in found:
        if due.at <= now or (chosen is not None and chosen.at <= due.at):
            continue
        first_of_kind = crossed.get(due.kind) == due.at or standing.get(due.kind) == due.at
        own_finding = due.stands and due.kind is DeadlineKind.NO_CHECK_OUT
        if first_of_kind or own_finding:
            chosen = due
    return (chosen.at, chosen.kind) if chosen is not None else (None, None)


def late_limit(visit: Visit, policy: Policy) -> int:
    """Minutes after the planned start; a time-critical visit may have its own."""
    own = policy.time_critical_late_after_minutes
    return own if visit.time_critical and own is not None else policy.late_after_minutes


def missed(visit: Visit, policy: Policy) -> tuple[datetime, str]:
    """When a visit counts as missed, and which of the three limits that is."""
    start = visit.planned_start
    assert start is not None
    at, why = (
        start + minutes(policy.missed_after_minutes),
        f"{policy.missed_after_minutes} min after planned start",
    )
    following = visit.next_planned_start
    if policy.missed_at_next_visit and following is not None and start < following < at:
        at, why = following, "the next visit began"
    cut_off = utc_of(visit.local_date, policy.day_cut_off, visit.zone)
    if start < cut_off < at:
        at, why = cut_off, "end of the day"
    return at, why


@lru_cache(maxsize=1024)
def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def _unmet_at(
    at: datetime, coming: Coming, called_off_at: datetime | None, policy: Policy
) -> datetime | None:
    """When a deadline of somebody's coming passed, or will pass, unmet: at its time, or when we learnt better."""
    if _by(called_off_at, at):
        return None
    if not coming.by(at):
        return at
    gone_at = coming.gone_after(at, minutes(policy.late_sync_grace_minutes))
    return None if gone_at is None or _by(called_off_at, gone_at) else gone_at


def _second_worker(
    visit: Visit, coming: Coming, late_at: datetime, policy: Policy, called_off_at: datetime | None
) -> Iterable[Due]:
    at = late_at
    if not coming.by(late_at):
        first_known_at = coming.first_after(late_at)
        if first_known_at is None:
            return
        at = first_known_at + minutes(policy.late_sync_grace_minutes)
    if not _by(called_off_at, at) and len(coming.by(at)) < visit.carers_required:
        stands = 0 < len(coming.counted) < visit.carers_required
        yield Due(DeadlineKind.SECOND_WORKER_MISSING, at, True, stands)


def _check_outs(
    visit: Visit,
    presence: Presence,
    spells: Sequence[Spell],
    policy: Policy,
    frustrated_known_at: datetime | None,
) -> Iterable[Due]:
    worker, last = presence.care_worker, presence.spells[-1] if presence.spells else None
    for spell in spells:
        floor = spell.in_known_at + minutes(policy.late_sync_grace_minutes)
        for kind, at in _ends(visit, spell.in_at, policy):
            at = max(at, floor)
            if not (_by(spell.out_known_at, at) or _by(frustrated_known_at, at)):
                yield Due(kind, at, True, presence.is_in and spell is last, worker)


def _ends(visit: Visit, in_at: datetime, policy: Policy) -> Iterable[tuple[DeadlineKind, datetime]]:
    end = visit.planned_end
    if end is None:
        return ((DeadlineKind.NO_CHECK_OUT, in_at + LONGEST_STAY),)
    return (
        (DeadlineKind.OVERRUNNING, end + minutes(policy.overrunning_after_minutes)),
        (DeadlineKind.NO_CHECK_OUT, end + minutes(policy.no_check_out_after_minutes)),
    )


def _by(known_at: datetime | None, at: datetime) -> bool:
    return known_at is not None and known_at <= at


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
