"""What belongs where: which visit each piece of evidence speaks of.

The unit is a *stay*: one care worker's check-in at a person's home with its check-out. Stays are folded out
of the person's events first (`stays`), then each whole stay finds its visit; a check-out never goes to another visit
than its check-in. The order in which events arrived, and how often, cannot matter: everything is sorted first.

How a stay finds its visit; the first rule that speaks decides:

    1. an amendment: REJECT takes the event out; LINK sends its stay to that visit, whatever else is said
    2. the visit the event itself names, if it is one of this person's
    3. a check-out alone, of a worker who has just been here and left (both are known): the visit they left, if
       that visit's matching window holds it and none of those it is near to has begun since. Whoever left
       twice did not leave a visit that has yet to begin
    4. the nearest planned visit whose matching window holds the stay: one that is not cancelled first, then by
       the distance of the check-in to the planned start (a check-out alone: to the planned end), a visit
       rostered to this worker counting as ROSTERED_IS_NEARER nearer, then the earlier planned start, then the
       smaller number. A cancelled plan is chosen only where no live one will do
    5. the unplanned visit that was made from the stay: a plan that came later takes it back by rule 4, so
       whether the plan or the evidence was first cannot matter
    6. none: a check-in by a known worker at a known home is an unplanned visit; anything else waits,
       unmatched, with its reason

Rule 4 has one second thought. When two stays of one worker, more than SAME_STAY_GAP apart, are both nearest
to the same visit, the farther one goes to the nearest visit in its window that nobody attended, if there is
one: a lunch must not swallow a breakfast. Two different workers may share a visit: that is a double-up.

A LINK or a name holds whatever the window says; whether evidence from so far off means that somebody came is
asked later (`coming`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from ecm.visit.model import Amendment, AmendmentKind, CheckEvent, EventKind, Visit
from ecm.visit.policy import DEFAULT, Policy
from ecm.visit.stays import Stay, stays

SAME_STAY_GAP = timedelta(minutes=60)
ROSTERED_IS_NEARER = timedelta(minutes=60)
LINKED = "linked by an amendment"
"""The reason of every event of a stay that an officer linked."""
UNPLANNED = "unplanned-"
"""An unplanned visit's ref is this and the id of the check-in it was made from."""

_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a stay belongs, and why. `explicit`: it was named, so no neighbouring visit can take it."""

    visit_id: int | None
    reason: str
    explicit: bool = False
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """A person's evidence, shared out. `matches` answers for every event, also the unmatched and rejected.

    `unmatched` holds the rejected too, and neither it nor `by_visit` what an amendment linked elsewhere.
    """

    by_visit: dict[int, tuple[CheckEvent, ...]]
    unplanned: tuple[Stay, ...]
    unmatched: tuple[tuple[CheckEvent, str], ...]
    matches: dict[UUID, Match]


def unplanned_ref(stay: Stay) -> str:
    """The ref of the visit to be made from an unplanned stay."""
    assert stay.check_in is not None
    return f"{UNPLANNED}{stay.check_in.event_id}"


def match(
    stay: Stay,
    candidates: Iterable[Visit],
    policy_of: Callable[[Visit], Policy],
    links: Mapping[UUID, int] | None = None,
) -> Match:
    """The visit one stay belongs to, by itself; `links` are the amendments' event -> visit_id in force."""
    visits = {visit.visit_id: visit for visit in candidates}
    by_ref = {visit.ref: visit for visit in visits.values()}
    named = _named_visit(stay, visits, by_ref, links or {})
    if named is not None and (named.explicit or named.visit_id is not None):
        return named
    options = _options(stay, visits.values(), policy_of, frozenset())
    if options:
        return Match(options[0].visit.visit_id, _why_near(named))
    return _made_from(stay, by_ref) or Match(None, _why_none(stay, named))


def allocate(
    visits: Sequence[Visit],
    events: Iterable[CheckEvent],
    amendments: Mapping[int | None, Sequence[Amendment]],
    policy_of: Callable[[Visit], Policy],
) -> Allocation:
    """Shares one person's evidence out among their visits: the same answer for any order and any repetition.

    `amendments` by the visit they were made on (None: on no visit); LINK, REJECT and CANCELLED are read here.
    """
    links, rejections = _links(amendments)
    called_off = _called_off(amendments)
    by_id = {visit.visit_id: visit for visit in visits}
    by_ref = {visit.ref: visit for visit in visits}
    matches: dict[UUID, Match] = {}
    unmatched: list[tuple[CheckEvent, str]] = []
    accepted: dict[UUID, CheckEvent] = {}
    for event in events:
        if event.event_id in rejections:
            if event.event_id not in matches:
                reason = f"rejected: {rejections[event.event_id]}"
                matches[event.event_id] = Match(None, reason, rejected=True)
                unmatched.append((event, reason))
        else:
            accepted[event.event_id] = event

    def claim(event: CheckEvent) -> object:
        if links and (linked := links.get(event.event_id)) is not None:
            return linked
        if event.visit_ref is None:
            return None
        named = by_ref.get(event.visit_ref)
        return named.visit_id if named is not None else None

    policy = policy_of(by_id[min(by_id)]) if by_id else DEFAULT
    placed: dict[int, list[Stay]] = {visit_id: [] for visit_id in by_id}
    unplanned: list[Stay] = []
    near: list[_Near] = []
    alone: list[_Near] = []

    def place(stay: Stay, answer: Match) -> None:
        if answer.visit_id is not None:
            placed[answer.visit_id].append(stay)
        for event in stay.events:
            matches[event.event_id] = answer

    def place_nearest(those: list[_Near]) -> None:
        swallowed: list[_Near] = []
        for each in sorted(those, key=_Near.nearness):
            nearest = each.options[0].visit.visit_id
            if _is_apart(each.stay, placed[nearest]):
                swallowed.append(each)
            else:
                place(each.stay, Match(nearest, _why_near(each.named)))
        for each in swallowed:
            free = (o for o in each.options if not placed[o.visit.visit_id])
            chosen = next(free, each.options[0])
            place(each.stay, Match(chosen.visit.visit_id, _why_near(each.named)))

    for stay in stays(accepted.values(), policy, claim):
        named = _named_visit(stay, by_id, by_ref, links)
        if named is not None and (named.explicit or named.visit_id is not None):
            place(stay, named)  # or nowhere here: an amendment gave it to a visit elsewhere
        elif options := _options(stay, by_id.values(), policy_of, called_off):
            (near if stay.start is not None else alone).append(_Near(stay, options, named))
        elif made := _made_from(stay, by_ref):
            place(stay, made)
        else:
            answer = Match(None, _why_none(stay, named))
            place(stay, answer)
            if _is_unplanned(stay):
                unplanned.append(stay)
            else:
                unmatched.extend((event, answer.reason) for event in stay.events)

    place_nearest(near)
    if alone:
        left = _left(placed, by_id)
        undecided: list[_Near] = []
        for each in alone:
            home = _left_before(each, left.get(each.stay.care_worker, ()), policy_of)
            if home is None:
                undecided.append(each)
            else:
                place(each.stay, Match(home.visit_id, "left the same visit before"))
        place_nearest(undecided)

    return Allocation(
        {visit_id: _events_of(held) if held else () for visit_id, held in placed.items()},
        tuple(unplanned),
        tuple(sorted(unmatched, key=lambda pair: _event_key(pair[0]))),
        matches,
    )


class _Option(NamedTuple):
    """A planned visit that a stay may belong to; sorts as rule 4 says, and never by the visit itself."""

    cancelled: bool
    far: timedelta
    planned_start: datetime
    visit_id: int
    visit: Visit

    def nearness(self) -> tuple[bool, timedelta, datetime, int]:
        return self[:4]


class _Near(NamedTuple):
    """A stay with the visits it is near to, nearest first, and what it named in vain."""

    stay: Stay
    options: list[_Option]
    named: Match | None

    def nearness(self) -> tuple[tuple[bool, timedelta, datetime, int], tuple[datetime, UUID]]:
        return self.options[0].nearness(), _stay_key(self.stay)


def _called_off(amendments: Mapping[int | None, Sequence[Amendment]]) -> frozenset[int]:
    """The visits that somebody cancelled by an amendment."""
    return frozenset(
        visit_id
        for visit_id, made in amendments.items()
        if visit_id is not None and any(a.kind is AmendmentKind.CANCELLED for a in made)
    )


def _links(
    amendments: Mapping[int | None, Sequence[Amendment]],
) -> tuple[dict[UUID, int], dict[UUID, str]]:
    """The LINK or REJECT in force for each event: the last one made."""
    links: dict[UUID, int] = {}
    rejections: dict[UUID, str] = {}
    if not any(amendments.values()):
        return links, rejections
    said = [
        (a.made_at, a.amendment_id, a, visit_id)
        for visit_id, made in amendments.items()
        for a in made
        if a.event_id is not None and a.kind in (AmendmentKind.LINK, AmendmentKind.REJECT)
    ]
    for _, _, amendment, visit_id in sorted(said, key=lambda each: each[:2]):
        assert amendment.event_id is not None
        links.pop(amendment.event_id, None)
        rejections.pop(amendment.event_id, None)
        if amendment.kind is AmendmentKind.REJECT:
            rejections[amendment.event_id] = amendment.reason_code
        elif visit_id is not None:
            links[amendment.event_id] = visit_id
    return links, rejections


def _named_visit(
    stay: Stay, by_id: Mapping[int, Visit], by_ref: Mapping[str, Visit], links: Mapping[UUID, int]
) -> Match | None:
    """Rules 1 and 2. None: nothing was named; a Match without a visit: why what was named will not do."""
    events = stay.events
    if links:
        for event in events:
            linked = links.get(event.event_id)
            if linked is not None:
                if linked in by_id:
                    return Match(linked, LINKED, explicit=True)
                return Match(None, "linked to a visit elsewhere", explicit=True)
    refused: Match | None = None
    for event in events:
        ref = event.visit_ref
        if ref is None:
            continue
        named = by_ref.get(ref)
        if named is not None and stay.service_user in (None, named.service_user):
            return Match(named.visit_id, f"names visit {ref}", explicit=True)
        whose = "is not one of this person's" if named is None else "is another person's"
        refused = refused or Match(None, f"visit {ref} {whose}")
    return refused


def _made_from(stay: Stay, by_ref: Mapping[str, Visit]) -> Match | None:
    """Rule 5."""
    for event in stay.events:
        if event.kind is EventKind.CHECK_IN and (made := by_ref.get(f"{UNPLANNED}{event.event_id}")):
            return Match(made.visit_id, "the unplanned visit made from it")
    return None


def _options(
    stay: Stay,
    visits: Iterable[Visit],
    policy_of: Callable[[Visit], Policy],
    called_off: Collection[int],
) -> list[_Option]:
    """The planned visits whose matching window holds the stay, as rule 4 prefers them."""
    if stay.service_user is None:
        return []
    at = stay.anchor
    alone = stay.start is None
    found: list[_Option] = []
    for visit in visits:
        start, end = visit.planned_start, visit.planned_end
        if start is None or visit.service_user != stay.service_user:
            continue
        end = end or start
        policy = policy_of(visit)
        before, after = start - at, at - end
        if before > _minutes(policy.match_before_minutes) or after > _minutes(policy.match_after_minutes):
            continue
        far = abs(at - (end if alone else start))
        if stay.care_worker in visit.care_workers:
            far -= ROSTERED_IS_NEARER
        cancelled = visit.cancelled or visit.visit_id in called_off
        found.append(_Option(cancelled, far, start, visit.visit_id, visit))
    if len(found) > 1:
        found.sort(key=_Option.nearness)
    return found


_Departure = tuple[datetime, Visit]
"""When a worker left, and which visit."""


def _left(
    placed: Mapping[int, Sequence[Stay]], by_id: Mapping[int, Visit]
) -> dict[str | None, list[_Departure]]:
    """Each known worker's stays with both ends, on planned visits, in the order they ended."""
    found: dict[str | None, list[_Departure]] = {}
    for visit_id, held in placed.items():
        visit = by_id[visit_id]
        if visit.planned_start is None:
            continue
        for stay in held:
            if stay.care_worker is not None and stay.start is not None and stay.end is not None:
                found.setdefault(stay.care_worker, []).append((stay.end, visit))
    for departures in found.values():
        departures.sort(key=lambda each: (each[0], each[1].visit_id))
    return found


def _left_before(
    near: _Near, departures: Sequence[_Departure], policy_of: Callable[[Visit], Policy]
) -> Visit | None:
    """Rule 3: the visit a lone check-out's worker had left, unless one that it is near to has begun since."""
    at = near.stay.anchor
    index = bisect_right(departures, at, key=lambda each: each[0])
    if index == 0:
        return None
    visit = departures[index - 1][1]
    start, end = visit.planned_start, visit.planned_end
    assert start is not None
    if at - (end or start) > _minutes(policy_of(visit).match_after_minutes):
        return None
    begun_since = any(start < option.planned_start <= at and not option.cancelled for option in near.options)
    return None if begun_since else visit


_MINUTES: dict[int, timedelta] = {}


def _minutes(count: int) -> timedelta:
    known = _MINUTES.get(count)
    if known is None:
        known = _MINUTES[count] = timedelta(minutes=count)
    return known


def _is_apart(stay: Stay, others: Iterable[Stay]) -> bool:
    """Whether this worker already has another stay there, hours away from this one."""
    mine = False
    for other in others:
        if other.care_worker == stay.care_worker:
            if _gap(stay, other) <= SAME_STAY_GAP:
                return False
            mine = True
    return mine


def _gap(one: Stay, other: Stay) -> timedelta:
    """The time between two stays; a stay without its check-out is taken for the moment of its check-in."""
    first, second = sorted((one, other), key=lambda stay: (stay.anchor, stay.end or stay.anchor))
    return max(_NO_TIME, second.anchor - (first.end or first.anchor))


def _is_unplanned(stay: Stay) -> bool:
    return stay.check_in is not None and stay.care_worker is not None and stay.service_user is not None


def _why_near(refused: Match | None) -> str:
    why = "nearest planned visit"
    return f"{refused.reason}; {why}" if refused is not None else why


def _why_none(stay: Stay, refused: Match | None) -> str:
    if refused is not None:
        return refused.reason
    if stay.service_user is None:
        return "person not known"
    if stay.care_worker is None:
        return "care worker not known, and no planned visit near"
    if stay.check_in is None:
        return "a check-out alone, and no planned visit near"
    return "no planned visit near"


def _events_of(held: list[Stay]) -> tuple[CheckEvent, ...]:
    if len(held) == 1 and not held[0].duplicates:
        return held[0].events
    return tuple(sorted((event for stay in held for event in stay.events), key=_event_key))


def _event_key(event: CheckEvent) -> tuple[datetime, UUID]:
    return event.occurred_at, event.event_id


def _stay_key(stay: Stay) -> tuple[datetime, UUID]:
    event = stay.check_in or stay.check_out
    assert event is not None
    return stay.anchor, event.event_id
