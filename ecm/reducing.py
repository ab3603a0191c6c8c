"""Where a phone was, for as long as it is needed: after that its distance from the door stays, and the position goes.

    kept       `tenants.positions_kept_days` from the receipt, 90 unless the authority says otherwise, never below 35
    then       lat, lon and the body's own words of a position go from check events and reports; bodies that nobody
               understood, and other systems' records, go as a whole
    stays      the distance, the fence, the accuracy, and every finding made of the position while it was there

What is worked out again later must come out the same, so the findings are kept first (`reduced_positions`), and
`ecm.visit.verification` takes those of a reduced event as given. This is the one sanctioned edit of evidence: a
function of the database does it, checks the age itself, and can only take away.

An hour of receipts in a transaction, until less than a whole hour is old enough. People and workers are locked as in
processing, so that nobody works out a visit from positions that are just going.

An hour that cannot be reduced, which is a bug of ours, must not keep every other authority's positions: its authority
is left until the next night, and whoever administers it is told.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ecm.clock import Clock
from ecm.notices import Kind, notice_by_worker
from ecm.processing import load, rows
from ecm.processing.batch import lock_keys
from ecm.processing.contracts import Policies
from ecm.processing.load import EventKey
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ecm.visit.model import CheckEvent, Finding
from ecm.visit.stays import LONGEST_STAY
from ecm.visit.verification import OF_THE_PLACE, OF_THE_ROAD, location

sql = load_queries("ecm", "reducing.sql")
log = logging.getLogger(__name__)

SPAN = timedelta(hours=1)
# The database asks its own clock whether they are old enough.
APART_AT_MOST = timedelta(minutes=1)
REST_AFTER_FAILURE_SECONDS = 12 * 3600.0
"""Real seconds: until the next night."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of one event's position. `service_user`: by whose home it was judged."""

    event_id: UUID
    service_user: str | None
    place: Finding | None
    findings: list[dict[str, Any]]


class Reducer:
    """`db` is under the role ecm_worker."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._aside: dict[int, float] = {}
        """Authorities whose span failed, and until when they are left alone (as time.monotonic counts)."""

    async def step(self) -> bool:
        """One span of one authority, reduced or put aside; whether there was one. Raises DatabaseAway."""
        due: list[int] = []
        try:
            return await self._attempt(due)
        except Exception as error:
            if not due:
                raise
            await self._put_aside(due[0], error)
            return True

    async def _attempt(self, due: list[int]) -> bool:
        """`due` tells whose it was, even if it fails."""
        async with self._db.transaction() as connection:
            await connection.execute(sql.one_at_a_time)
            now = self._clock.now()
            found = await connection.fetchrow(sql.due, now - APART_AT_MOST, SPAN, self._put_aside_now())
            if found is None:
                return False
            tenant_id, since, until = found["tenant_id"], found["since"], found["since"] + SPAN
            due.append(tenant_id)
            kept = await _to_keep(connection, tenant_id, since, until)
            await connection.execute(
                sql.keep,
                tenant_id,
                [each.event_id for each in kept],
                [each.service_user for each in kept],
                [each.place and each.place.measure for each in kept],
                [each.place and each.place.limit for each in kept],
                [json.dumps(each.findings) for each in kept],
                now,
            )
            await connection.execute(sql.reduce, tenant_id, since, until)
        return True

    async def _put_aside(self, tenant_id: int, error: Exception) -> None:
        """Also where the database was away: what takes too long every night looks the same. Raises DatabaseAway."""
        self._aside[tenant_id] = time.monotonic() + REST_AFTER_FAILURE_SECONDS
        # The place and the kind of the error only: its text may hold what a person sent.
        frames = traceback.extract_tb(error.__traceback__)
        place = ", ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        log.error("positions of tenant %s were not reduced: %s at %s", tenant_id, type(error).__name__, place)
        async with self._db.transaction() as connection:
            await notice_by_worker(
                connection, tenant_id, Kind.POSITIONS_NOT_REDUCED, "positions", self._clock.now()
            )

    def _put_aside_now(self) -> list[int]:
        now = time.monotonic()
        return [tenant_id for tenant_id, until in self._aside.items() if until > now]


async def _to_keep(connection: Connection, tenant_id: int, since: datetime, until: datetime) -> list[Kept]:
    found = await connection.fetch(sql.events, tenant_id, since, until)
    if not found:
        return []
    people = {(tenant_id, row["service_user_ref"]) for row in found if row["service_user_ref"]}
    workers = {(tenant_id, row["care_worker_ref"]) for row in found if row["care_worker_ref"]}
    await connection.execute(load.sql.lock_neighbourhoods, lock_keys(people, workers))
    found = await connection.fetch(sql.events, tenant_id, since, until)
    keys = {(tenant_id, row["visit_id"]) for row in found if row["visit_id"] is not None}
    visits = await load.visits(connection, keys)
    policies = Policies()
    await policies.learn(connection, (row["contract_id"] for row in visits.values()))
    events = await load.evidence(connection, (), {(tenant_id, row["event_id"]) for row in found})
    homes = await load.homes(connection, {(tenant_id, row["service_user_ref"]) for row in visits.values()})
    roads = await _roads(connection, tenant_id, found)

    kept = []
    for row in found:
        key: EventKey = (tenant_id, row["event_id"])
        visit = visits.get((tenant_id, row["visit_id"])) if row["visit_id"] is not None else None
        if visit is None or key not in events:
            kept.append(Kept(row["event_id"], None, None, []))
            continue
        policy = policies.of(visit["contract_id"])
        home = homes.get((tenant_id, visit["service_user_ref"]), load.NOWHERE)
        plan = rows.visit(visit, home.located(policy.fence_m), home.phones)
        stored = _about(row["event_id"], json.loads(visit["findings"]))
        event: CheckEvent = events[key].event
        place = next((each for each in stored if each.code in OF_THE_PLACE), None)
        # A tap that bounds no attendance has no finding of its own, until somebody takes its neighbour away.
        place = place or location(plan, event, policy)
        road = [each for each in stored if each.code in OF_THE_ROAD]
        all_of_them = [place, *road, *roads[row["event_id"]]]
        findings = [rows.finding_json(each) for each in all_of_them]
        kept.append(Kept(row["event_id"], visit["service_user_ref"], place, findings))
    return kept


async def _roads(
    connection: Connection, tenant_id: int, found: Iterable[Record]
) -> dict[UUID, list[Finding]]:
    """For each event, what was found of the road from it to the worker's next."""
    began = [row for row in found if row["care_worker_ref"] is not None]
    roads: dict[UUID, list[Finding]] = defaultdict(list)
    for row in await connection.fetch(
        sql.next_on_the_road,
        tenant_id,
        [row["event_id"] for row in began],
        [row["care_worker_ref"] for row in began],
        [row["occurred_at"] for row in began],
        LONGEST_STAY,
    ):
        about = _about(row["next_event_id"], row["findings"])
        roads[row["event_id"]] += [each for each in about if each.code in OF_THE_ROAD]
    return roads


def _about(event_id: UUID, findings: Iterable[Mapping[str, Any]]) -> list[Finding]:
    return [rows.finding_of(each) for each in findings if each["event_id"] == str(event_id)]
