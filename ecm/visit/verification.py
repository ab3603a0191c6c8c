"""What the evidence is worth: every event checked, each answer a finding with its measure and its limit.

    about                    asked of                       found
    -----------------------  -----------------------------  ----------------------------------------------
    the place                every event, the best of the   location_inside / _outside / _uncertain / _none
                             person's places
    the telephone            events with a caller's number  cli_unknown, or it stands for the place; a text from
                                                            the worker's own mobile says nothing of the place
    what is in the home      events without a usable        location_inside, by its tag or its code
                             position
    whose name it is         events of a worker who had     leaver
                             left their provider by then
    the clock                every event                    clock_skew, late_sync
    the hand that wrote it   method manual, amended times   manual_entry; says so if it could not be followed
    the tapping              each worker's taps that bound  duplicate_tap, one a worker with their number
                             no attendance
    the worker's road        each coming, against the       overlap, impossible_travel, repeated_fix
                             worker's last event elsewhere

"Every event" means each that an attendance begins or ends with; of the others only their number is told, and of each
worker's the first whose clock is wrong and the first that was sent late. A position
that was fixed more than the contract's `fix_old_after_minutes` before it was sent says where the telephone was
then, and is no place and no point of a road.

A position is kept for so many days (`ecm.reducing`). Of an event whose position has gone the findings made while it was
there are taken as given: of the place, if it counts for the same person still; of the road, from either end of it.

A finding never refuses anything. Overlap belongs to the later of two stays: the worker's last event elsewhere
before this coming is a check-in, less than LONGEST_STAY old, that no check-out of theirs has closed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ecm.visit.attending import Presence, Repeats, Timed, in_order
from ecm.visit.clocks import local_hh_mm, skew
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    CheckEvent,
    Finding,
    FindingCode,
    Method,
    Reduced,
    Visit,
)
from ecm.visit.policy import Policy
from ecm.visit.proof import Proof
from ecm.visit.stays import LONGEST_STAY
from geo.assess import Verdict, Whereabouts, best
from geo.fix import Fix
from geo.travel import travel

OF_VERDICT = {
    Whereabouts.INSIDE: FindingCode.LOCATION_INSIDE,
    Whereabouts.OUTSIDE: FindingCode.LOCATION_OUTSIDE,
    Whereabouts.UNCERTAIN: FindingCode.LOCATION_UNCERTAIN,
}
OF_THE_PLACE = frozenset({*OF_VERDICT.values(), FindingCode.LOCATION_NONE})
OF_THE_ROAD = frozenset({FindingCode.IMPOSSIBLE_TRAVEL, FindingCode.REPEATED_FIX})
BY_TELEPHONE = frozenset({Method.LANDLINE, Method.SMS})


def verify(visit: Visit, timed: Iterable[Timed], policy: Policy) -> Iterator[Finding]:
    """What is found of each event by itself, event by event in the order they happened."""
    for at, _, event_id, event in timed:
        worker = event.care_worker
        yield location(visit, event, policy)
        own_mobile = event.method is Method.SMS and Proof.REGISTERED_MOBILE in event.proofs
        if event.cli is not None and event.cli not in visit.phones and not own_mobile:
            yield Finding(
                FindingCode.CLI_UNKNOWN,
                event_id=event_id,
                care_worker=worker,
                detail="caller's number is not one of this person's",
            )
        if Proof.LEFT in event.proofs:
            yield Finding(FindingCode.LEAVER, event_id=event_id, care_worker=worker)
        if (wrong := skew(event, policy)) is not None:
            yield wrong
        if (waited := _late_sync(event, at, policy)) is not None:
            yield waited
        if event.method is Method.MANUAL:
            yield _by_hand(event.reason_code or "no reason given", worker, event)


def location(visit: Visit, event: CheckEvent, policy: Policy) -> Finding:
    """Where one event happened: exactly one of the four location findings, in metres against the fence."""
    fix = event.fix
    here = event.reduced is not None and event.reduced.service_user == visit.service_user
    if here and (given := _given(event.reduced, event, OF_THE_PLACE)) is not None:
        return given
    if fix is None:
        if event.method in BY_TELEPHONE and event.cli is not None and event.cli in visit.phones:
            return _located(FindingCode.LOCATION_INSIDE, event, "person's own telephone")
        return _by_what_is_there(event, "position no longer kept" if event.reduced else "no position sent")
    if (minutes := _old_fix(event, policy)) is not None:
        return _by_what_is_there(event, f"position {minutes:.0f} min old")
    fences = [place.fence for place in visit.places if place.fence is not None]
    answer = best(fix, fences)
    if answer is None:
        return _by_what_is_there(event, "place not located")
    index, verdict = answer
    if verdict.distance_m is None:
        return _by_what_is_there(event, "not a position on earth")
    detail = _doubt(verdict)
    if len(fences) > 1:
        located = [place for place in visit.places if place.fence is not None]
        detail = f"{detail} ({located[index].label})"
    return Finding(
        OF_VERDICT[verdict.code],
        round(verdict.distance_m, 1),
        verdict.radius_m,
        "m",
        event.event_id,
        event.care_worker,
        detail,
    )


def _given(kept: Reduced | None, event: CheckEvent, codes: Collection[FindingCode]) -> Finding | None:
    """What was found of an event before a position had gone."""
    for found in kept.findings if kept is not None else ():
        if found.event_id == event.event_id and found.code in codes:
            return replace(found, care_worker=event.care_worker)
    return None


def _by_what_is_there(event: CheckEvent, otherwise: str) -> Finding:
    """What can only be read in the home says where, when no position does."""
    if Proof.TAG_FRESH in event.proofs:
        return _located(FindingCode.LOCATION_INSIDE, event, "the home's tag")
    if Proof.CODE_VALID in event.proofs:
        return _located(FindingCode.LOCATION_INSIDE, event, "the home's code")
    return _located(FindingCode.LOCATION_NONE, event, otherwise)


def verify_amendments(amendments: Iterable[Amendment], unused: Collection[int]) -> Iterator[Finding]:
    """Times that a person wrote, in the order they wrote them."""
    for amendment in sorted(amendments, key=lambda a: (a.made_at, a.amendment_id)):
        if amendment.amendment_id in unused:
            reason = f"{amendment.reason_code} (not used: it would end before it began)"
            yield _by_hand(reason, amendment.care_worker, None)
        elif amendment.kind is AmendmentKind.TIMES:
            yield _by_hand(amendment.reason_code, amendment.care_worker, None)


def verify_repeats(visit: Visit, repeats: Iterable[Repeats], policy: Policy) -> Iterator[Finding]:
    """How often each worker tapped beyond what bounds an attendance, and between when."""
    for worker, taps in repeats:
        first, last = (local_hh_mm(taps[end][0], visit.zone) for end in (0, -1))
        when = f"at {first}" if first == last else f"{first} to {last}"
        detail = f"{'once' if len(taps) == 1 else f'{len(taps)} times'} more, {when}"
        yield Finding(FindingCode.DUPLICATE_TAP, len(taps), None, "", taps[0][2], worker, detail)
        wrong = (skew(tap[3], policy) for tap in taps)
        late = (_late_sync(tap[3], tap[0], policy) for tap in taps)
        for findings in (wrong, late):
            if (found := next(filter(None, findings), None)) is not None:
                yield found


def verify_road(
    presences: Sequence[Presence], timed: Sequence[Timed], trail: Sequence[CheckEvent], policy: Policy
) -> Iterator[Finding]:
    """Each worker's coming here, against where their trail says they were before."""
    here = {each[2] for each in timed}
    elsewhere: dict[str | None, list[Timed]] = {}
    for tap in in_order(trail, policy):
        if tap[2] not in here:
            elsewhere.setdefault(tap[3].care_worker, []).append(tap)
    for presence in presences:
        worker = presence.care_worker
        theirs = elsewhere.get(worker)
        if worker is None or theirs is None:
            continue
        for spell in presence.spells:
            index = bisect_left(theirs, spell.in_at, key=lambda each: each[0])
            if spell.check_in is None or index == 0:
                continue
            before_at, left, _, before = theirs[index - 1]
            if not left and spell.in_at - before_at < LONGEST_STAY:
                apart = (spell.in_at - before_at).total_seconds() / 60
                yield Finding(
                    FindingCode.OVERLAP, round(apart, 2), None, "min", spell.check_in.event_id, worker
                )
            if (found := _too_fast(before, before_at, spell.check_in, spell.in_at, policy)) is not None:
                yield found
        fixed: dict[tuple[float, float], set[datetime]] = {}
        for their_at, _, _, other in theirs:
            if other.fix is not None:
                fixed.setdefault(_six_places(other.fix), set()).add(their_at)
        for at, _, _, event in timed:
            if event.care_worker != worker:
                continue
            if event.fix is None or event.reduced is not None:
                repeated = _given(event.reduced, event, {FindingCode.REPEATED_FIX}) is not None
            else:
                repeated = bool(fixed.get(_six_places(event.fix), set()) - {at}) or any(
                    _given(tap[3].reduced, event, {FindingCode.REPEATED_FIX}) for tap in theirs
                )
            if repeated:
                # Which position is not said: findings travel to pay lines and files, and it is mostly somebody's home.
                yield Finding(FindingCode.REPEATED_FIX, event_id=event.event_id, care_worker=worker)


def _too_fast(
    before: CheckEvent, before_at: datetime, event: CheckEvent, at: datetime, policy: Policy
) -> Finding | None:
    if (kept := event.reduced or before.reduced) is not None:
        return _given(kept, event, {FindingCode.IMPOSSIBLE_TRAVEL})
    if before.fix is None or event.fix is None:
        return None
    if _old_fix(before, policy) is not None or _old_fix(event, policy) is not None:
        return None
    road = travel(before.fix, before_at, event.fix, at)
    if road is None or road.km_h <= policy.travel_max_km_h:
        return None
    return Finding(
        FindingCode.IMPOSSIBLE_TRAVEL,
        round(road.km_h, 1),
        policy.travel_max_km_h,
        "km/h",
        event.event_id,
        event.care_worker,
    )


def _six_places(fix: Fix) -> tuple[float, float]:
    return round(fix.lat, 6), round(fix.lon, 6)


def _old_fix(event: CheckEvent, policy: Policy) -> float | None:
    """How many minutes before the event its position was fixed, if that is too many. Both by the device's clock."""
    if event.fix is None or event.fix.fixed_at is None:
        return None
    minutes = (event.occurred_at - event.fix.fixed_at).total_seconds() / 60
    return minutes if minutes > policy.fix_old_after_minutes else None


def _located(code: FindingCode, event: CheckEvent, detail: str) -> Finding:
    return Finding(code, event_id=event.event_id, care_worker=event.care_worker, detail=detail)


def _late_sync(event: CheckEvent, at: datetime, policy: Policy) -> Finding | None:
    waited, limit = (event.received_at - at).total_seconds() / 60, policy.late_sync_after_minutes
    if waited <= limit:
        return None
    return Finding(FindingCode.LATE_SYNC, round(waited, 2), limit, "min", event.event_id, event.care_worker)


def _by_hand(reason: str, worker: str | None, event: CheckEvent | None) -> Finding:
    return Finding(
        FindingCode.MANUAL_ENTRY,
        event_id=event.event_id if event else None,
        care_worker=worker,
        detail=reason,
    )


def _doubt(verdict: Verdict) -> str:
    return "(accuracy not given)" if verdict.accuracy_m is None else f"± {verdict.accuracy_m:.0f} m"
