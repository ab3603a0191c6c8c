"""Who came, when, and when we came to know of it.

One attendance per worker per visit, however often they tapped: from the first check-in to the last check-out. A
check-in after the last check-out means they are in again. Between the two lie one or more *spells*, each begun
by a check-in and ended by a check-out; deadlines are kept per spell, for somebody who comes back may overrun too.

Beside what happened stands when it was *known*: receipt for an event, but not before the amendment that linked
it here, and the moment it was made for a correction. Alarms are judged by what was known, pay by what happened.

An amendment of times has the last word on the ends it gives; the evidence stays, and the attendance says
`amended`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from ecm.visit.clocks import happened_at
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    Attendance,
    CheckEvent,
    EventKind,
    Visit,
)
from ecm.visit.policy import Policy

Timed = tuple[datetime, bool, UUID, CheckEvent]
"""(happened at, is a check-out, id, event): the one order in which evidence is read."""


class Spell(NamedTuple):
    """One unbroken time in the home. `out_known_at` is None while nothing says it ended."""

    check_in: CheckEvent | None
    in_at: datetime
    in_known_at: datetime
    out_known_at: datetime | None


class Presence(NamedTuple):
    """An attendance with what the deadlines need to know of it."""

    attendance: Attendance
    known_at: datetime
    """When we first heard of it at all."""
    spells: tuple[Spell, ...]
    is_in: bool
    reason_code: str | None
    """What the last check-out said."""
    left_known_at: datetime | None
    """When we learnt of the end that stands."""


class Repeat(NamedTuple):
    """A tap that repeats another, and the seconds between the two."""

    event: CheckEvent
    seconds: float


def in_order(events: Iterable[CheckEvent], policy: Policy) -> list[Timed]:
    """Events once each, in the order they happened; of two at one instant the check-in is first."""
    timed = [
        (happened_at(event, policy), event.kind is EventKind.CHECK_OUT, event.event_id, event)
        for event in events
    ]
    if len(timed) > 1:
        timed.sort(key=_order)
        if any(one[2] == other[2] for one, other in pairwise(timed)):
            timed = list({each[2]: each for each in timed}.values())
    return timed


def attending(
    visit: Visit, timed: list[Timed], amendments: tuple[Amendment, ...], policy: Policy
) -> tuple[list[Presence], list[Repeat]]:
    """Everyone's presence, in the order they came, and the taps that only repeat another."""
    repeats: list[Repeat] = []
    if not timed and not amendments:
        return [], repeats
    of_worker: dict[str | None, list[Timed]] = {}
    for each in timed:
        of_worker.setdefault(each[3].care_worker, []).append(each)
    linked = _linked(amendments) if amendments else {}
    found = {
        worker: _presence(worker, taps, linked, policy.duplicate_tap_seconds, repeats)
        for worker, taps in of_worker.items()
    }
    for amendment in sorted(amendments, key=_made) if amendments else ():
        if _sets_times(amendment):
            worker = _whose(amendment, found, visit)
            found[worker] = _amended(found.get(worker), worker, amendment)
    presences = list(found.values())
    if len(presences) > 1:
        presences.sort(key=_arrival)
    return presences, repeats


def _presence(
    worker: str | None,
    taps: list[Timed],
    linked: dict[UUID, datetime],
    apart_seconds: int,
    repeats: list[Repeat],
) -> Presence:
    spells: list[Spell] = []
    first_in: Timed | None = None
    last_out: Timed | None = None
    known_at: datetime | None = None
    left_known_at: datetime | None = None
    is_in = False
    before: Timed | None = None
    for tap in taps:
        at, is_out, event_id, event = tap
        known = event.received_at
        if linked and event_id in linked:
            known = max(known, linked[event_id])
        known_at = known if known_at is None or known < known_at else known_at
        if before is not None and before[1] is is_out:
            seconds = (at - before[0]).total_seconds()
            if seconds <= apart_seconds:
                repeats.append(Repeat(before[3] if is_out else event, seconds))
        before = tap
        if is_out:
            ended = spells[-1].out_known_at if spells else None
            if is_in or (ended is not None and known < ended):
                spells[-1] = spells[-1]._replace(out_known_at=known)
            is_in, last_out, left_known_at = False, tap, known
        elif is_in:
            if known < spells[-1].in_known_at:
                spells[-1] = spells[-1]._replace(in_known_at=known)
        else:
            spells.append(Spell(event, at, known, None))
            first_in = first_in or tap
            is_in = True
    assert known_at is not None
    left = None if is_in else last_out
    attendance = Attendance(
        worker,
        first_in[0] if first_in else None,
        left[0] if left else None,
        first_in[2] if first_in else None,
        left[2] if left else None,
    )
    reason_code = left[3].reason_code if left else None
    return Presence(attendance, known_at, tuple(spells), is_in, reason_code, left_known_at if left else None)


def _linked(amendments: tuple[Amendment, ...]) -> dict[UUID, datetime]:
    """When each linked event was first known to belong here."""
    linked: dict[UUID, datetime] = {}
    for amendment in amendments:
        if amendment.kind is AmendmentKind.LINK and amendment.event_id is not None:
            before = linked.get(amendment.event_id, amendment.made_at)
            linked[amendment.event_id] = min(before, amendment.made_at)
    return linked


def _sets_times(amendment: Amendment) -> bool:
    return amendment.kind in (AmendmentKind.TIMES, AmendmentKind.FRUSTRATED) and (
        amendment.check_in_at is not None or amendment.check_out_at is not None
    )


def _whose(amendment: Amendment, found: dict[str | None, Presence], visit: Visit) -> str | None:
    """The named worker; else the only one who came; else the only one rostered; else somebody unknown."""
    if amendment.care_worker is not None:
        return amendment.care_worker
    if len(found) == 1:
        return next(iter(found))
    return visit.care_workers[0] if len(visit.care_workers) == 1 else None


def _amended(before: Presence | None, worker: str | None, amendment: Amendment) -> Presence:
    made_at = amendment.made_at
    old = before.attendance if before else Attendance(worker, None, None)
    attendance = Attendance(
        worker,
        amendment.check_in_at or old.check_in_at,
        amendment.check_out_at or old.check_out_at,
        old.check_in_event,
        old.check_out_event,
        amended=True,
    )
    spells = list(before.spells) if before else []
    is_in = before.is_in if before else False
    left_known_at = before.left_known_at if before else None
    if amendment.check_in_at is not None and not spells:
        spells.append(Spell(None, amendment.check_in_at, made_at, left_known_at))
        is_in = attendance.check_out_at is None
    if amendment.check_out_at is not None:
        if spells:
            out_known_at = spells[-1].out_known_at
            spells[-1] = spells[-1]._replace(out_known_at=min(out_known_at or made_at, made_at))
        is_in, left_known_at = False, left_known_at or made_at
    return Presence(
        attendance,
        min(before.known_at, made_at) if before else made_at,
        tuple(spells),
        is_in,
        before.reason_code if before else None,
        left_known_at,
    )


def _order(timed: Timed) -> tuple[datetime, bool, UUID]:
    return timed[:3]


def _made(amendment: Amendment) -> tuple[datetime, int]:
    return amendment.made_at, amendment.amendment_id


def _arrival(presence: Presence) -> tuple[datetime, str]:
    one = presence.attendance
    at = one.check_in_at or one.check_out_at
    assert at is not None
    return at, one.care_worker or ""
