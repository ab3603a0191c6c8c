"""Whose an event is, where that hangs on the other half of its stay.

`ecm.visit.matching` folds stays out of one person's evidence. But a person may be known of one half only:

    an event                                  with its other half                      is then
    ----------------------------------------  ---------------------------------------  --------------------------------
    an officer said nothing of                linked by an officer, and naming no      where that was linked
                                              other person and no other visit
    a check-out that names nobody             the check-in that it ends                that one's person, known or not
    any other that names nobody               -                                        whom the worker was due to see,
                                                                                       or to leave, about then

The other half of a check-out is the worker's event just before it, if that is a check-in; of a check-in the one just
after it, if that is a check-out; no more than LONGEST_STAY apart. What an officer rejected is nobody's half.

All this is read while the worker is locked. And whoever changes asks again for its neighbours if they hang on it, so
that the order of arrival cannot matter; a check-in hangs on what officers said alone, and a check-out on nothing that
comes after it, so that this comes to an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from ecm.processing.claim import Arrival
from ecm.processing.load import EventKey
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.matching import LINKED
from ecm.visit.model import EventKind
from ecm.visit.stays import LONGEST_STAY

sql = load_queries(__package__, "processing.sql")


@dataclass(frozen=True, slots=True)
class Half:
    """One event of a worker, as far as its other half needs to know it."""

    event_id: UUID
    at: datetime
    is_check_out: bool
    person: str | None
    said_person: str | None
    said_visit: str | None
    ruled: bool
    link: tuple[int, str] | None
    """The visit and the person an officer linked it to."""
    names_nobody: bool
    linked: bool = False
    """It was counted for a stay that an officer linked."""

    @property
    def place(self) -> tuple[datetime, UUID]:
        return self.at, self.event_id

    def may_share(self, other: Half) -> bool:
        return (
            self.is_check_out is not other.is_check_out
            and abs(self.at - other.at) <= LONGEST_STAY
            and _agree(self.said_person, other.said_person)
            and _agree(self.said_visit, other.said_visit)
        )


@dataclass(frozen=True, slots=True)
class Neighbours:
    before: Half | None
    after: Half | None

    def half_of(self, this: Half) -> Half | None:
        other = self.before if this.is_check_out else self.after
        return other if other is not None and this.may_share(other) else None


async def traced(connection: Connection, arrivals: list[Arrival]) -> tuple[list[Arrival], set[EventKey]]:
    """The arrivals with the person of their other half, and the neighbours' events to be asked for again."""
    of_worker = [n for n, a in enumerate(arrivals) if a.event.care_worker is not None]
    if not of_worker:
        return arrivals, set()
    found = list(arrivals)
    beside = await _beside(connection, found, of_worker)
    for n in of_worker:
        half = beside[n].half_of(_half(found[n]))
        if half is not None and half.link is not None and found[n].ruling is None:
            found[n] = found[n].at_person(half.link[1], half.link[0])
    unnamed = [n for n in of_worker if found[n].person is None and found[n].waits_for_roster]
    ending = [n for n in unnamed if beside[n].half_of(_half(found[n])) is not None and _is_out(found[n])]
    rostered = await _rostered(connection, found, [n for n in unnamed if n not in set(ending)])
    for n, due in rostered.items():
        found[n] = found[n].at_person(due)
    now_at = {a.event.event_id: a.person for a in found}
    for n in ending:
        begun = beside[n].half_of(_half(found[n]))
        assert begun is not None
        person = now_at.get(begun.event_id, begun.person)
        found[n] = (
            found[n].at_person(person)
            if person is not None
            else replace(found[n], reason="neither it nor its check-in names anybody we know")
        )
    return found, {key for n in of_worker for key in _ask_again(found[n], beside[n], now_at.keys())}


def _ask_again(arrival: Arrival, beside: Neighbours, arriving: Iterable[UUID]) -> Iterable[EventKey]:
    """Who hangs on this one, which is new or not where it was."""
    if not arrival.is_changed:
        return
    is_linked = arrival.ruling == "link"
    for half, ends in ((beside.after, True), (beside.before, False)):
        if half is None or half.ruled or half.is_check_out is not ends or half.event_id in arriving:
            continue
        if is_linked or half.linked or (ends and half.names_nobody):
            yield arrival.tenant_id, half.event_id


async def _beside(
    connection: Connection, arrivals: Sequence[Arrival], of_worker: list[int]
) -> dict[int, Neighbours]:
    """Each arrival's neighbours among what is stored and what arrives with it."""
    here: dict[tuple[int, str | None], list[tuple[int, Half]]] = {}
    for n in of_worker:
        here.setdefault(_worker(arrivals[n]), []).append((n, _half(arrivals[n])))
    asking = {
        worker
        for worker, theirs in here.items()
        if any(half.ruled or half.names_nobody for _, half in theirs)
    }
    stored: dict[tuple[int, bool], Half] = {}
    for row in await connection.fetch(
        sql.beside,
        of_worker,
        [arrivals[n].tenant_id for n in of_worker],
        [arrivals[n].event.care_worker for n in of_worker],
        [arrivals[n].at for n in of_worker],
        [arrivals[n].event.event_id for n in of_worker],
        [_worker(arrivals[n]) in asking for n in of_worker],
        [arrivals[n].event.event_id for n in of_worker if arrivals[n].status == "rejected"],
        LINKED,
        LONGEST_STAY,
    ):
        stored[row["n"], row["is_later"]] = _stored_half(row)
    arriving = {arrivals[n].event.event_id for n in of_worker}
    found: dict[int, Neighbours] = {}
    for theirs in here.values():
        standing = sorted((h for n, h in theirs if arrivals[n].status != "rejected"), key=lambda h: h.place)
        before = {after.event_id: one for one, after in pairwise(standing)}
        after = {one.event_id: after for one, after in pairwise(standing)}
        for n, half in theirs:
            one, other = stored.get((n, False)), stored.get((n, True))
            near = (
                [before.get(half.event_id), one if one is None or one.event_id not in arriving else None],
                [
                    after.get(half.event_id),
                    other if other is None or other.event_id not in arriving else None,
                ],
            )
            found[n] = Neighbours(
                max((h for h in near[0] if h is not None), key=lambda h: h.place, default=None),
                min((h for h in near[1] if h is not None), key=lambda h: h.place, default=None),
            )
    return found


async def _rostered(connection: Connection, arrivals: Sequence[Arrival], asked: list[int]) -> dict[int, str]:
    if not asked:
        return {}
    found = await connection.fetch(
        sql.rostered_nearby,
        asked,
        [arrivals[n].tenant_id for n in asked],
        [arrivals[n].event.care_worker for n in asked],
        [arrivals[n].at for n in asked],
        [_is_out(arrivals[n]) for n in asked],
    )
    return {row["n"]: row["service_user_ref"] for row in found}


def _half(arrival: Arrival) -> Half:
    event, link = arrival.event, None
    if arrival.ruling == "link" and arrival.visit_id is not None and arrival.person is not None:
        link = arrival.visit_id, arrival.person
    return Half(
        event.event_id,
        arrival.at,
        _is_out(arrival),
        arrival.person,
        arrival.said_person,
        event.visit_ref,
        arrival.ruling is not None,
        link,
        arrival.waits_for_roster,
    )


def _stored_half(row: Record) -> Half:
    link = None
    if row["ruling"] == "link" and row["ruled_service_user"] is not None:
        link = row["ruled_visit_id"], row["ruled_service_user"]
    return Half(
        row["event_id"],
        row["occurred_at"],
        row["kind"] == EventKind.CHECK_OUT.value,
        row["service_user_ref"],
        row["service_user"],
        row["visit"],
        row["ruling"] is not None,
        link,
        row["service_user"] is None and row["visit"] is None,
        row["linked"],
    )


def _worker(arrival: Arrival) -> tuple[int, str | None]:
    return arrival.tenant_id, arrival.event.care_worker


def _is_out(arrival: Arrival) -> bool:
    return arrival.event.kind is EventKind.CHECK_OUT


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
