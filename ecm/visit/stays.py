"""Stays: one care worker's check-in at a person's home with its check-out, folded out of the person's events.

For each worker by itself:

* a check-out closes the worker's latest check-in, if that is still open and began within LONGEST_STAY;
* a check-in ends the one before it: whoever checks in again has left, or is tapping again;
* the same kind again within the contract's `duplicate_tap_seconds` is a duplicate: of check-ins the first
  counts, of check-outs the last;
* two taps that name different visits (or people) never share a stay.

The order in which events arrived, and how often, cannot matter: everything is sorted first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from ecm.visit.clocks import happened_at
from ecm.visit.model import CheckEvent, EventKind
from ecm.visit.policy import DEFAULT, Policy

LONGEST_STAY = timedelta(hours=25)
"""A live-in visit and an hour more: the longest plan there is, on the night the clocks go back."""
REACHES_BACK = 20
"""How many of a worker's stays at one home a check-out that names its visit looks through for its check-in."""

Claim = Callable[[CheckEvent], object]


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
    # Only a check-out that names its visit may reach past a later check-in.
    for back, stay in enumerate(islice(reversed(mine), 1 if claimed is None else REACHES_BACK)):
        if (back and claimed != stay.claimed) or not stay.shares(event, claimed):
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
