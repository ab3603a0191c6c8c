"""What the evidence is worth: every event checked, each answer a finding with its measure and its limit.

    about                    asked of                       found
    -----------------------  -----------------------------  ----------------------------------------------
    the place                every event, the best of the   location_inside / _outside / _uncertain / _none
                             person's places
    the telephone            events with a caller's number  cli_unknown, or it stands for the place
    the clock                every event                    clock_skew, late_sync
    the hand that wrote it   method manual, amended times   manual_entry
    the tapping              one worker's same-kind taps    duplicate_tap
    the worker's road        each coming, against the       overlap, impossible_travel, repeated_fix
                             worker's last event elsewhere

A finding never refuses anything. Overlap belongs to the later of two stays: the worker's last event elsewhere
before this coming is a check-in, less than LONGEST_STAY old, that no check-out of theirs has closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ecm.visit.attending import Presence, Repeat, Timed
from ecm.visit.clocks import happened_at, skew
from ecm.visit.matching import LONGEST_STAY
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    CheckEvent,
    EventKind,
    Finding,
    FindingCode,
    Method,
    Visit,
)
from ecm.visit.policy import Policy
from geo.assess import Verdict, Whereabouts, best
from geo.fix import Fix
from geo.travel import travel

OF_VERDICT = {
    Whereabouts.INSIDE: FindingCode.LOCATION_INSIDE,
    Whereabouts.OUTSIDE: FindingCode.LOCATION_OUTSIDE,
    Whereabouts.UNCERTAIN: FindingCode.LOCATION_UNCERTAIN,
}
BY_TELEPHONE = frozenset({Method.LANDLINE, Method.SMS})


def verify(visit: Visit, timed: Iterable[Timed], policy: Policy) -> Iterator[Finding]:
    """What is found of each event by itself, event by event in the order they happened."""
    for at, _, event_id, event in timed:
        worker = event.care_worker
        yield location(visit, event)
        if event.cli is not None and event.cli not in visit.phones:
            yield Finding(
                FindingCode.CLI_UNKNOWN,
                event_id=event_id,
                care_worker=worker,
                detail="caller's number is not one of this person's",
            )
        if (wrong := skew(event, policy)) is not None:
            yield wrong
        waited = (event.received_at - at).total_seconds() / 60
        if waited > policy.late_sync_after_minutes:
            yield Finding(
                FindingCode.LATE_SYNC,
                round(waited, 2),
                policy.late_sync_after_minutes,
                "min",
                event_id,
                worker,
            )
        if event.method is Method.MANUAL:
            yield _by_hand(event.reason_code or "no reason given", worker, event)


def location(visit: Visit, event: CheckEvent) -> Finding:
    """Where one event happened: exactly one of the four location findings, in metres against the fence."""
    fix = event.fix
    if fix is None:
        if event.method in BY_TELEPHONE and event.cli is not None and event.cli in visit.phones:
            return _located(FindingCode.LOCATION_INSIDE, event, "person's own telephone")
        return _located(FindingCode.LOCATION_NONE, event, "no position sent")
    fences = [place.fence for place in visit.places if place.fence is not None]
    answer = best(fix, fences)
    if answer is None:
        return _located(FindingCode.LOCATION_NONE, event, "place not located")
    index, verdict = answer
    if verdict.distance_m is None:
        return _located(FindingCode.LOCATION_NONE, event, "not a position on earth")
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


def verify_amendments(amendments: Iterable[Amendment]) -> Iterator[Finding]:
    """Times that a person wrote, in the order they wrote them."""
    for amendment in sorted(amendments, key=lambda a: (a.made_at, a.amendment_id)):
        if amendment.kind is AmendmentKind.TIMES:
            yield _by_hand(amendment.reason_code, amendment.care_worker, None)


def verify_repeats(repeats: Iterable[Repeat], policy: Policy) -> Iterator[Finding]:
    """Taps that only repeat another."""
    for event, seconds in repeats:
        yield Finding(
            FindingCode.DUPLICATE_TAP,
            seconds,
            policy.duplicate_tap_seconds,
            "s",
            event.event_id,
            event.care_worker,
        )


def verify_road(
    presences: Sequence[Presence], timed: Sequence[Timed], trail: Sequence[CheckEvent], policy: Policy
) -> Iterator[Finding]:
    """Each worker's coming here, against where their trail says they were before."""
    here = {each[2] for each in timed}
    elsewhere = sorted(
        (
            (happened_at(e, policy), e.kind is EventKind.CHECK_OUT, e.event_id, e)
            for e in trail
            if e.event_id not in here
        ),
        key=lambda each: each[:3],
    )
    for presence in presences:
        worker = presence.attendance.care_worker
        if worker is None:
            continue
        theirs = [each for each in elsewhere if each[3].care_worker == worker]
        for spell in presence.spells:
            earlier = [each for each in theirs if each[0] < spell.in_at]
            if spell.check_in is None or not earlier:
                continue
            before_at, left, _, before = earlier[-1]
            if not left and spell.in_at - before_at < LONGEST_STAY:
                apart = (spell.in_at - before_at).total_seconds() / 60
                yield Finding(
                    FindingCode.OVERLAP, round(apart, 2), None, "min", spell.check_in.event_id, worker
                )
            if (found := _too_fast(before, before_at, spell.check_in, spell.in_at, policy)) is not None:
                yield found
        for at, _, _, event in timed:
            if event.care_worker == worker and event.fix is not None:
                for their_at, _, _, other in theirs:
                    if their_at != at and other.fix is not None and _same_place(event.fix, other.fix):
                        yield Finding(
                            FindingCode.REPEATED_FIX,
                            event_id=event.event_id,
                            care_worker=worker,
                            detail=f"{event.fix.lat:.6f}, {event.fix.lon:.6f}",
                        )
                        break


def _too_fast(
    before: CheckEvent, before_at: datetime, event: CheckEvent, at: datetime, policy: Policy
) -> Finding | None:
    if before.fix is None or event.fix is None:
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


def _same_place(one: Fix, other: Fix) -> bool:
    return round(one.lat, 6) == round(other.lat, 6) and round(one.lon, 6) == round(other.lon, 6)


def _located(code: FindingCode, event: CheckEvent, detail: str) -> Finding:
    return Finding(code, event_id=event.event_id, care_worker=event.care_worker, detail=detail)


def _by_hand(reason: str, worker: str | None, event: CheckEvent | None) -> Finding:
    return Finding(
        FindingCode.MANUAL_ENTRY,
        event_id=event.event_id if event else None,
        care_worker=worker,
        detail=reason,
    )


def _doubt(verdict: Verdict) -> str:
    return "(accuracy not given)" if verdict.accuracy_m is None else f"± {verdict.accuracy_m:.0f} m"
