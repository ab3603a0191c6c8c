"""What belongs where: which visit each piece of evidence speaks of.

The unit is a *stay*: one care worker's check-in at a person's home with its check-out. Stays are folded out
of the person's events first, then each whole stay finds its visit; a check-out never goes to another visit than
its check-in. The order in which events arrived, and how often, cannot matter: everything is sorted first.

How a stay is folded, for each worker by itself:

* a check-out closes the worker's latest check-in, if that is still open and began within LONGEST_STAY;
* a check-in ends the one before it: whoever checks in again has left, or is tapping again;
* the same kind again within the contract's `duplicate_tap_seconds` is a duplicate: of check-ins the first
  counts, of check-outs the last;
* two taps that name different visits (or people) never share a stay.

How a stay finds its visit; the first rule that speaks decides:

    1. an amendment: REJECT takes the event out; LINK sends its stay to that visit, whatever else is said
    2. an unplanned visit keeps the stay it was made from
    3. the visit the event itself names, if it is one of this person's
    4. the nearest planned visit whose matching window holds the stay: by the distance of the check-in to the
       planned start (a check-out alone: to the planned end), a visit rostered to this worker counting as
       ROSTERED_IS_NEARER nearer, then the earlier planned start, then the smaller number
    5. none: a check-in by a known worker at a known home is an unplanned visit; anything else waits,
       unmatched, with its reason

Rule 4 has one second thought. When two stays of one worker, more than SAME_STAY_GAP apart, are both nearest
to the same visit, the farther one goes to the nearest visit in its window that nobody attended, if there is
one: a lunch must not swallow a breakfast. Two different workers may share a visit: that is a double-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ecm.visit.clocks import happened_at
from ecm.visit.model import Amendment, AmendmentKind, CheckEvent, EventKind, Visit
from ecm.visit.policy import DEFAULT, Policy

LONGEST_STAY = timedelta(hours=16)
SAME_STAY_GAP = timedelta(minutes=60)
ROSTERED_IS_NEARER = timedelta(minutes=60)
UNPLANNED = "unplanned-"
"""An unplanned visit's ref is this and the id of the check-in it was made from."""

Claim = Callable[[CheckEvent], object]
_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stay:
    """One worker's check-in with its check-out, one of which may be missing, and the `duplicates` of both."""

    care_worker: str | None
    service_user: str | None
    check_in: CheckEvent | None
    check_out: CheckEvent | None
    duplicates: tuple[CheckEvent, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    @property
    def events(self) -> tuple[CheckEvent, ...]:
        ends = tuple(e for e in (self.check_in, self.check_out) if e is not None)
        return ends + self.duplicates if self.duplicates else ends

    @property
    def anchor(self) -> datetime:
        """The instant that places the stay: its start, else its end."""
        at = self.start or self.end
        assert at is not None
        return at


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


def stays(
    events: Iterable[CheckEvent], policy: Policy = DEFAULT, claim: Claim | None = None
) -> tuple[Stay, ...]:
    """Folds a person's events into stays, sorted by when they began.

    `claim` tells which visit an event is known to speak of (None: open); by default the ref it names.
    """
    claim = claim or _named
    apart = timedelta(seconds=policy.duplicate_tap_seconds)
    timed = [(happened_at(event, policy), event) for event in {e.event_id: e for e in events}.values()]
    timed.sort(key=_canonical)
    done: list[_Growing] = []
    of_worker: dict[str | None, list[_Growing]] = {}
    for at, event in timed:
        mine = of_worker.setdefault(event.care_worker, [])
        claimed = claim(event)
        take = _check_in if event.kind is EventKind.CHECK_IN else _check_out
        grown = take(mine, at, event, claimed, apart)
        if grown is not None:
            mine.append(grown)
            done.append(grown)
    return tuple(growing.stay() for growing in done)


def match(
    stay: Stay,
    candidates: Iterable[Visit],
    policy_of: Callable[[Visit], Policy],
    links: Mapping[UUID, int] | None = None,
) -> Match:
    """The visit one stay belongs to, by itself; `links` are the amendments' event -> visit_id in force."""
    visits = {visit.visit_id: visit for visit in candidates}
    named = _named_visit(stay, visits, {v.ref: v for v in visits.values()}, links or {})
    if named is not None and named.visit_id is not None:
        return named
    if named is not None and named.explicit:
        return named
    options = _options(stay, visits.values(), policy_of)
    if options:
        return Match(options[0][3].visit_id, _why_near(named))
    return Match(None, _why_none(stay, named))


def allocate(
    visits: Sequence[Visit],
    events: Iterable[CheckEvent],
    amendments: Mapping[int | None, Sequence[Amendment]],
    policy_of: Callable[[Visit], Policy],
) -> Allocation:
    """Shares one person's evidence out among their visits: the same answer for any order and any repetition.

    `amendments` by the visit they were made on (None: on no visit); only LINK and REJECT are read here.
    """
    links, rejections = _links(amendments)
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
    near: list[tuple[_Option, Stay, Match | None]] = []
    options_of: dict[int, list[_Option]] = {}

    def place(stay: Stay, answer: Match) -> None:
        if answer.visit_id is not None:
            placed[answer.visit_id].append(stay)
        for event in stay.events:
            matches[event.event_id] = answer

    for stay in stays(accepted.values(), policy, claim):
        named = _named_visit(stay, by_id, by_ref, links)
        if named is not None and (named.explicit or named.visit_id is not None):
            place(stay, named)  # or nowhere here: an amendment gave it to a visit elsewhere
        elif options := _options(stay, by_id.values(), policy_of):
            near.append((options[0], stay, named))
            options_of[id(stay)] = options
        else:
            answer = Match(None, _why_none(stay, named))
            place(stay, answer)
            if _is_unplanned(stay):
                unplanned.append(stay)
            else:
                unmatched.extend((event, answer.reason) for event in stay.events)

    near.sort(key=lambda each: (each[0][:3], _stay_key(each[1])))
    swallowed: list[tuple[_Option, Stay, Match | None]] = []
    for option, stay, named in near:
        if _is_apart(stay, placed[option[2]]):
            swallowed.append((option, stay, named))
        else:
            place(stay, Match(option[2], _why_near(named)))
    for option, stay, named in swallowed:
        chosen = next((o for o in options_of[id(stay)] if not placed[o[2]]), option)
        place(stay, Match(chosen[2], _why_near(named)))

    return Allocation(
        {visit_id: _events_of(held) if held else () for visit_id, held in placed.items()},
        tuple(unplanned),
        tuple(sorted(unmatched, key=lambda pair: _event_key(pair[0]))),
        matches,
    )


# --------------------------------------------------------------------------------------- folding stays


class _Growing:
    """A stay while it is being folded."""

    __slots__ = ("check_in", "check_out", "claimed", "duplicates", "end", "last_tap", "start")

    def __init__(self, claimed: object) -> None:
        self.claimed = claimed
        self.check_in: CheckEvent | None = None
        self.check_out: CheckEvent | None = None
        self.start: datetime | None = None
        self.end: datetime | None = None
        self.last_tap: datetime | None = None
        self.duplicates: list[CheckEvent] = []

    def shares(self, event: CheckEvent, claimed: object) -> bool:
        """Whether the event may belong here: it names no other visit and no other person."""
        if claimed is not None and self.claimed is not None and claimed != self.claimed:
            return False
        mine = self.check_in or self.check_out
        assert mine is not None
        return (
            event.service_user is None or mine.service_user is None or event.service_user == mine.service_user
        )

    def stay(self) -> Stay:
        first, last = self.check_in, self.check_out
        either = first or last
        assert either is not None
        person = either.service_user or (last.service_user if last is not None else None)
        return Stay(either.care_worker, person, first, last, tuple(self.duplicates), self.start, self.end)


def _check_in(
    mine: list[_Growing], at: datetime, event: CheckEvent, claimed: object, apart: timedelta
) -> _Growing | None:
    if mine:
        last = mine[-1]
        tapping = last.check_out is None and last.last_tap is not None and at - last.last_tap <= apart
        if tapping and last.shares(event, claimed):
            last.last_tap = at
            last.claimed = last.claimed if last.claimed is not None else claimed
            last.duplicates.append(event)
            return None
    new = _Growing(claimed)
    new.check_in, new.start, new.last_tap = event, at, at
    return new


def _check_out(
    mine: list[_Growing], at: datetime, event: CheckEvent, claimed: object, apart: timedelta
) -> _Growing | None:
    for back, stay in enumerate(reversed(mine)):
        if back and (claimed is None or claimed != stay.claimed):
            continue  # only a check-out that names its visit may reach past a later check-in
        if not stay.shares(event, claimed):
            continue
        if stay.check_out is None and stay.start is not None and at - stay.start <= LONGEST_STAY:
            stay.check_out, stay.end, stay.last_tap = event, at, at
        elif stay.check_out is not None and stay.last_tap is not None and at - stay.last_tap <= apart:
            stay.duplicates.append(stay.check_out)
            stay.check_out, stay.end, stay.last_tap = event, at, at
        else:
            continue
        stay.claimed = stay.claimed if stay.claimed is not None else claimed
        return None
    new = _Growing(claimed)
    new.check_out, new.end, new.last_tap = event, at, at
    return new


def _named(event: CheckEvent) -> object:
    return event.visit_ref


def _canonical(timed: tuple[datetime, CheckEvent]) -> tuple[datetime, bool, UUID]:
    at, event = timed
    return at, event.kind is EventKind.CHECK_OUT, event.event_id


# --------------------------------------------------------------------------------- finding their visit

_Option = tuple[timedelta, datetime, int, Visit]
"""(how far, planned start, visit_id, visit): sorts nearest first."""


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
    """Rules 1 to 3. None: nothing was named; a Match without a visit: why what was named will not do."""
    events = stay.events
    if links:
        for event in events:
            linked = links.get(event.event_id)
            if linked is not None:
                if linked in by_id:
                    return Match(linked, "linked by an amendment", explicit=True)
                return Match(None, "linked to a visit elsewhere", explicit=True)
    refused: Match | None = None
    for event in events:
        if event.kind is EventKind.CHECK_IN and (made := by_ref.get(f"{UNPLANNED}{event.event_id}")):
            return Match(made.visit_id, "the unplanned visit made from it", explicit=True)
        ref = event.visit_ref
        if ref is None:
            continue
        named = by_ref.get(ref)
        if named is not None and stay.service_user in (None, named.service_user):
            return Match(named.visit_id, f"names visit {ref}", explicit=True)
        whose = "is not one of this person's" if named is None else "is another person's"
        refused = refused or Match(None, f"visit {ref} {whose}")
    return refused


def _options(stay: Stay, visits: Iterable[Visit], policy_of: Callable[[Visit], Policy]) -> list[_Option]:
    """The planned visits whose matching window holds the stay, nearest first."""
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
        found.append((far, start, visit.visit_id, visit))
    if len(found) > 1:
        found.sort(key=_nearness)
    return found


def _nearness(option: _Option) -> tuple[timedelta, datetime, int]:
    return option[:3]


_MINUTES: dict[int, timedelta] = {}


def _minutes(count: int) -> timedelta:
    known = _MINUTES.get(count)
    if known is None:
        known = _MINUTES[count] = timedelta(minutes=count)
    return known


def _is_apart(stay: Stay, others: Iterable[Stay]) -> bool:
    """Whether this worker already has another stay there, hours away from this one."""
    mine = [other for other in others if other.care_worker == stay.care_worker]
    return bool(mine) and all(_gap(stay, other) > SAME_STAY_GAP for other in mine)


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
