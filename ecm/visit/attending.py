"""Who came, when, and when we came to know of it.

A worker's taps on a visit are folded into *spells*, each begun by a check-in and ended by a check-out, and each
closed or open spell is one attendance: time away between two is not attendance. Deadlines are kept per spell, for
somebody who comes back may overrun too. What a tap does, in the order they happened:

    a tap                                      means
    -----------------------------------------  ---------------------------------------------------------------
    check-in, while away                       a spell begins
    check-in, while in                         nothing more: the first counts
    check-out, while in                        the spell ends
    check-out, while away, no later than the   they had tapped out too early: the last spell ends now
    planned end + the overrunning limit, or
    within `duplicate_tap_seconds`
    check-out, while away, later               nothing more, but for a reason why care could not be given
    check-out, before any check-in             the end of an attendance whose check-in we do not have (of several
                                               before the planned start the last), unless a check-in follows:
                                               then nothing

Taps from before the visit's matching window are of another day: whoever checks in within it, or taps within it
having left before, is a presence of their own, and what they did before it is another.

A tap that in the end bounds no attendance is a *repeat*. It is evidence, and counted, but looked at no further, or
a telephone that taps every second would fill the visit.

Beside what happened stands when it was *known*: receipt for an event, but not before the amendment that linked
it here, and the moment it was made for a correction. Alarms are judged by what was known, pay by what happened.

An amendment of times has the last word on the ends it gives: both ends are the worker's whole attendance, one end is
the first check-in or the last check-out. The evidence stays, and the attendance says `amended`. Where that would
end an attendance before it began, the amendment is left *unused*, which is found and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
from ecm.visit.stays import LONGEST_STAY

Timed = tuple[datetime, bool, UUID, CheckEvent]
"""(happened at, is a check-out, id, event): the one order in which evidence is read."""


class Spell(NamedTuple):
    """One unbroken time in the home. `out_known_at` is None while nothing says it ended."""

    check_in: CheckEvent | None
    in_at: datetime
    in_known_at: datetime
    out_known_at: datetime | None


class Presence(NamedTuple):
    """One worker's attendances on a visit, in order, with what the deadlines need to know of them."""

    care_worker: str | None
    attendances: tuple[Attendance, ...]
    """At least one. Only the last may be open; only a single one may lack its check-in."""
    known_at: datetime
    """When we first heard of it at all."""
    spells: tuple[Spell, ...]
    is_in: bool
    reason_code: str | None
    """What the last check-out said."""
    left_known_at: datetime | None
    """When we learnt of the end that stands."""
    vouched: bool
    """Somebody in the office linked or amended it: it is what they say it is."""

    @property
    def came_at(self) -> datetime | None:
        return self.attendances[0].check_in_at

    @property
    def left_at(self) -> datetime | None:
        return self.attendances[-1].check_out_at

    def lengths(self) -> list[timedelta]:
        """Of the attendances with both ends known."""
        return [
            each.check_out_at - each.check_in_at
            for each in self.attendances
            if each.check_in_at is not None and each.check_out_at is not None
        ]


class Repeats(NamedTuple):
    """One worker's taps that bound no attendance, in order."""

    care_worker: str | None
    taps: tuple[Timed, ...]


class Attended(NamedTuple):
    presences: list[Presence]
    """In the order they came."""
    repeats: list[Repeats]
    unused: frozenset[int]
    """The amendments that no attendance could follow."""


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
    visit: Visit, timed: Sequence[Timed], amendments: Sequence[Amendment], policy: Policy
) -> Attended:
    """Everyone's presence, and what bounds none."""
    if not timed and not amendments:
        return Attended([], [], frozenset())
    of_worker: dict[str | None, list[Timed]] = {}
    for each in timed:
        of_worker.setdefault(each[3].care_worker, []).append(each)
    linked = linked_at(amendments) if amendments else {}
    apart = timedelta(seconds=policy.duplicate_tap_seconds)
    until = visit.planned_end
    if until is not None:
        until += timedelta(minutes=policy.overrunning_after_minutes)
    opens = window_opens(visit, policy)
    found: dict[str | None, Presence] = {}
    of_another_day: list[Presence] = []
    repeats: list[Repeats] = []
    for worker, taps in of_worker.items():
        before, within = _split(taps, opens)
        found[worker], others = _presence(visit, worker, within, linked, apart, until)
        if before:
            presence, more = _presence(visit, worker, before, linked, apart, until)
            of_another_day.append(presence)
            others = more + others
        if others:
            repeats.append(Repeats(worker, tuple(others)))
    unused: set[int] = set()
    if amendments:
        setting: dict[str | None, list[Amendment]] = {}
        for amendment in sorted(amendments, key=_made):
            if _sets_times(amendment):
                worker = _whose(amendment, found.keys() | setting.keys(), visit)
                setting.setdefault(worker, []).append(amendment)
        for worker, made in setting.items():
            amended, contrary = _amended(found.get(worker), worker, made)
            unused |= contrary
            if amended is not None:
                found[worker] = amended
    presences = [*of_another_day, *found.values()]
    if len(presences) > 1:
        presences.sort(key=_arrival)
        repeats.sort(key=lambda each: _order(each.taps[0]))
    return Attended(presences, repeats, frozenset(unused))


def known(tap: Timed, linked: dict[UUID, datetime]) -> datetime:
    """When we knew that this happened on this visit."""
    at = tap[3].received_at
    return max(at, linked[tap[2]]) if linked and tap[2] in linked else at


def linked_at(amendments: Iterable[Amendment]) -> dict[UUID, datetime]:
    """When each linked event was first known to belong here."""
    linked: dict[UUID, datetime] = {}
    for amendment in amendments:
        if amendment.kind is AmendmentKind.LINK and amendment.event_id is not None:
            before = linked.get(amendment.event_id, amendment.made_at)
            linked[amendment.event_id] = min(before, amendment.made_at)
    return linked


def window_opens(visit: Visit, policy: Policy) -> datetime | None:
    """Before this, evidence is of another visit. None: nobody planned when the visit is to be."""
    if visit.planned_start is None:
        return None
    return visit.planned_start - timedelta(minutes=policy.match_before_minutes)


def _split(taps: list[Timed], opens: datetime | None) -> tuple[list[Timed], list[Timed]]:
    """A worker's taps of another day, and those of this visit; all in the second if they are not to be told apart."""
    if opens is None or taps[0][0] >= opens:
        return [], taps
    first = next((n for n, tap in enumerate(taps) if tap[0] >= opens), len(taps))
    if first == len(taps):
        return [], taps
    last, following = taps[first - 1], taps[first]
    if not last[1] and following[1] and following[0] - last[0] <= LONGEST_STAY:
        return [], taps  # still in when the window opened
    return taps[:first], taps[first:]


def _presence(
    visit: Visit,
    worker: str | None,
    taps: list[Timed],
    linked: dict[UUID, datetime],
    apart: timedelta,
    until: datetime | None,
) -> tuple[Presence, list[Timed]]:
    """The table above. `until`: the latest that a second check-out lengthens what the first had ended."""
    start = visit.planned_start
    spells: list[Spell] = []
    bounds: list[tuple[Timed | None, Timed | None]] = []
    others: list[Timed] = []
    known_at: datetime | None = None
    left_known_at: datetime | None = None
    reason_code: str | None = None
    is_in = False
    for tap in taps:
        at, is_out, _, event = tap
        heard = known(tap, linked)
        known_at = heard if known_at is None or heard < known_at else known_at
        if not is_out:
            if is_in:
                others.append(tap)
                if heard < spells[-1].in_known_at:
                    spells[-1] = spells[-1]._replace(in_known_at=heard)
            else:
                if bounds and bounds[-1][0] is None and (alone := bounds.pop()[1]) is not None:
                    others.append(alone)
                spells.append(Spell(event, at, heard, None))
                bounds.append((tap, None))
                is_in = True
            continue
        ended = spells[-1].out_known_at if spells else None
        if is_in or (ended is not None and heard < ended):
            spells[-1] = spells[-1]._replace(out_known_at=heard)
        began, last = bounds[-1] if bounds else (None, None)
        before_it = began is None and last is not None and start is not None and last[0] < start
        if last is None or before_it or at - last[0] <= apart or (until is not None and at <= until):
            if last is not None:
                others.append(last)
            bounds[-1:] = [(began, tap)]
            if began is not None or event.reason_code is not None or reason_code is None:
                reason_code, left_known_at = event.reason_code, heard
        else:
            others.append(tap)
            if event.reason_code is not None:
                reason_code, left_known_at = event.reason_code, heard
        is_in = False
    assert known_at is not None
    attendances = tuple(_attendance(worker, *each) for each in bounds)
    if len(others) > 1:
        others.sort(key=_order)
    presence = Presence(
        worker,
        attendances,
        known_at,
        tuple(spells),
        is_in,
        None if is_in else reason_code,
        None if is_in else left_known_at,
        bool(linked) and any(tap[2] in linked for tap in taps),
    )
    return presence, others


def _attendance(worker: str | None, came: Timed | None, left: Timed | None) -> Attendance:
    return Attendance(
        worker,
        came[0] if came else None,
        left[0] if left else None,
        came[2] if came else None,
        left[2] if left else None,
    )


def _sets_times(amendment: Amendment) -> bool:
    return amendment.kind in (AmendmentKind.TIMES, AmendmentKind.FRUSTRATED) and (
        amendment.check_in_at is not None or amendment.check_out_at is not None
    )


def _whose(amendment: Amendment, came: set[str | None], visit: Visit) -> str | None:
    """The named worker; else the only one who came; else the only one rostered; else somebody unknown."""
    if amendment.care_worker is not None:
        return amendment.care_worker
    if len(came) == 1:
        return next(iter(came))
    return visit.care_workers[0] if len(visit.care_workers) == 1 else None


def _amended(
    before: Presence | None, worker: str | None, made: list[Amendment]
) -> tuple[Presence | None, set[int]]:
    """The presence as corrected, if there is one, and the amendments it could not follow. `made`: in order."""
    attendances, used, unused = _corrected(before, worker, made)
    if not used:
        return before, unused
    spells = list(before.spells) if before else []
    is_in = before.is_in if before else False
    left_known_at = before.left_known_at if before else None
    for amendment in used:
        made_at = amendment.made_at
        if amendment.check_in_at is not None and not spells:
            spells.append(Spell(None, amendment.check_in_at, made_at, left_known_at))
            is_in = attendances[-1].check_out_at is None
        if amendment.check_out_at is not None:
            if spells:
                out_known_at = spells[-1].out_known_at
                spells[-1] = spells[-1]._replace(out_known_at=min(out_known_at or made_at, made_at))
            is_in, left_known_at = False, left_known_at or made_at
    first_made_at = used[0].made_at
    presence = Presence(
        worker,
        attendances,
        min(before.known_at, first_made_at) if before else first_made_at,
        tuple(spells),
        is_in,
        before.reason_code if before else None,
        left_known_at,
        vouched=True,
    )
    return presence, unused


def _corrected(
    before: Presence | None, worker: str | None, made: list[Amendment]
) -> tuple[tuple[Attendance, ...], list[Amendment], set[int]]:
    """(attendances, the amendments they follow, those they could not)."""
    base = before.attendances if before else ()
    used: list[Amendment] = []
    unused: set[int] = set()
    ends: list[Amendment] = []
    for amendment in made:
        if amendment.check_in_at is None or amendment.check_out_at is None:
            ends.append(amendment)
        elif amendment.check_in_at > amendment.check_out_at:
            unused.add(amendment.amendment_id)
        else:
            whole = Attendance(worker, amendment.check_in_at, amendment.check_out_at, amended=True)
            base = (_with_events(whole, base),)
            ends = []
            used.append(amendment)
    came = next((a for a in reversed(ends) if a.check_in_at is not None), None)
    left = next((a for a in reversed(ends) if a.check_out_at is not None), None)
    later, earlier = (came, left) if came and left and _made(came) > _made(left) else (left, came)
    for choice in ([came, left], [later], [earlier]):
        wanted = [each for each in choice if each is not None]
        corrected = _with_ends(base, worker, wanted)
        if wanted and all(_forwards(each) for each in corrected):
            base = corrected
            used += wanted
            break
    else:
        wanted = []
    unused |= {each.amendment_id for each in (came, left) if each is not None and each not in wanted}
    return base, sorted(used, key=_made), unused


def _with_events(whole: Attendance, base: Sequence[Attendance]) -> Attendance:
    if not base:
        return whole
    return replace(whole, check_in_event=base[0].check_in_event, check_out_event=base[-1].check_out_event)


def _with_ends(
    base: Sequence[Attendance], worker: str | None, wanted: Iterable[Amendment]
) -> tuple[Attendance, ...]:
    """The first check-in and the last check-out as somebody established them."""
    corrected = list(base) or [Attendance(worker, None, None)]
    for amendment in wanted:
        if amendment.check_in_at is not None:
            corrected[0] = replace(corrected[0], check_in_at=amendment.check_in_at, amended=True)
        if amendment.check_out_at is not None:
            corrected[-1] = replace(corrected[-1], check_out_at=amendment.check_out_at, amended=True)
    return tuple(corrected)


def _forwards(one: Attendance) -> bool:
    return one.check_in_at is None or one.check_out_at is None or one.check_in_at <= one.check_out_at


def _order(timed: Timed) -> tuple[datetime, bool, UUID]:
    return timed[:3]


def _made(amendment: Amendment) -> tuple[datetime, int]:
    return amendment.made_at, amendment.amendment_id


def _arrival(presence: Presence) -> tuple[datetime, str]:
    at = presence.came_at or presence.left_at
    assert at is not None
    return at, presence.care_worker or ""
