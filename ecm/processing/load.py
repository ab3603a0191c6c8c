"""Everything a batch needs, in one query per table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ecm.processing import rows
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.clocks import happened_at
from ecm.visit.model import Amendment, CheckEvent, EventKind, Place
from ecm.visit.policy import DEFAULT
from ecm.visit.stays import LONGEST_STAY

sql = load_queries(__package__, "processing.sql")

VisitKey = tuple[int, int]  # tenant_id, visit_id
PersonKey = tuple[int, str]  # tenant_id, service user's reference
EventKey = tuple[int, UUID]  # tenant_id, event_id


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a neighbourhood, and the visit it counted towards so far."""

    event: CheckEvent
    visit_id: int | None


@dataclass(frozen=True, slots=True)
class Home:
    places: list[list[Any]] | None
    phones: tuple[str, ...]

    def located(self, default_radius_m: float) -> tuple[Place, ...]:
        return rows.places(self.places, default_radius_m)


NOWHERE = Home(None, ())


async def visits(connection: Connection, keys: Collection[VisitKey]) -> dict[VisitKey, Record]:
    tenants, ids = columns(keys)
    found = await connection.fetch(sql.visits_by_id, tenants, ids)
    return {(r["tenant_id"], r["visit_id"]): r for r in found}


async def amendments(connection: Connection, keys: Collection[VisitKey]) -> dict[VisitKey, list[Amendment]]:
    tenants, ids = columns(keys)
    by_visit: dict[VisitKey, list[Amendment]] = defaultdict(list)
    for r in await connection.fetch(sql.amendments, tenants, ids):
        by_visit[r["tenant_id"], r["visit_id"]].append(rows.amendment(r))
    return by_visit


async def evidence(
    connection: Connection, keys: Collection[VisitKey], besides: Collection[EventKey] = ()
) -> dict[EventKey, StoredEvent]:
    """What is allocated to these visits, and these events besides."""
    tenants, ids = columns(keys)
    event_tenants, event_ids = columns(besides)
    found = await connection.fetch(sql.evidence, tenants, ids, event_tenants, event_ids)
    return {
        (r["tenant_id"], r["event_id"]): StoredEvent(
            rows.check_event(r, care_worker=r["care_worker"], service_user=r["service_user"]),
            r["counted_for"],
        )
        for r in found
    }


async def homes(connection: Connection, people: Collection[PersonKey]) -> dict[PersonKey, Home]:
    if not people:
        return {}
    tenants, refs = columns(people)
    return {
        (r["tenant_id"], r["service_user"]): Home(r["places"], tuple(r["phones"] or ()))
        for r in await connection.fetch(sql.homes, tenants, refs)
    }


async def trails(
    connection: Connection, events_of: dict[VisitKey, tuple[CheckEvent, ...]]
) -> dict[VisitKey, list[CheckEvent]]:
    """For each worker's first check-in on each of these visits, the same worker's last event elsewhere."""
    began = [
        (key, worker, at)
        for key, events in events_of.items()
        for worker, at in _first_check_ins(events).items()
    ]
    if not began:
        return {}
    found = await connection.fetch(
        sql.trails,
        [key[0] for key, _, _ in began],
        [key[1] for key, _, _ in began],
        [worker for _, worker, _ in began],
        [at for _, _, at in began],
        LONGEST_STAY,
    )
    by_visit: dict[VisitKey, list[CheckEvent]] = defaultdict(list)
    for r in found:
        event = rows.check_event(r, care_worker=r["care_worker"], service_user=r["service_user"])
        by_visit[r["tenant_id"], r["visit_id"]].append(event)
    return by_visit


def _first_check_ins(events: Iterable[CheckEvent]) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for event in events:
        if event.kind is EventKind.CHECK_IN and event.care_worker is not None:
            at = happened_at(event, DEFAULT)
            known = first.get(event.care_worker)
            if known is None or at < known:
                first[event.care_worker] = at
    return first


def columns(keys: Iterable[tuple[object, object]]) -> tuple[list[object], list[object]]:
    """Pairs as two lists, for unnest."""
    pairs = list(keys)
    return [a for a, _ in pairs], [b for _, b in pairs]
