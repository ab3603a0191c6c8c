"""The passing of time is an event like any other: visits whose deadline passed join the fold.

Each open visit carries one `deadline_at`, the next instant at which it changes if nothing arrives. The watcher
sleeps until the earliest, takes what is due and assesses it again. Taking is by SKIP LOCKED, so a tick is safe to
run twice, on two machines, and by hand. What an alarm is raised from is worked out from the evidence and its
receipt times, not from when this ran: a tick that comes late finds the same crossings.

A deadline is judged only when everything received before it has been folded in, or a check-in that was on time but
waits behind a backlog would ring an alarm. So the watcher looks no further than its *horizon*: the receipt of the
oldest evidence still waiting, and a moment behind now for the receipts being committed at this instant. A backlog
that does not move must not silence the alarms: after HELD_AT_MOST_SECONDS it is disregarded.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from ecm.clock import Clock
from ecm.processing import load, rows
from ecm.processing.cases import Found, cases_of
from ecm.processing.contracts import Policies
from ecm.processing.load import PersonKey, VisitKey
from ecm.processing.reassess import reassess
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ecm.visit.model import CheckEvent

sql = load_queries("ecm", "overdue.sql")

IN_FLIGHT_SECONDS = 0.05
"""Real seconds behind now: a receipt is stamped a moment before its commit shows it."""
HELD_AT_MOST_SECONDS = 30.0
"""Real seconds that a backlog may hold up the alarms before they ring regardless."""


class Watcher:
    def __init__(self, db: Database, clock: Clock, *, batch: int = 2000) -> None:
        self._db = db
        self._clock = clock
        self._batch = batch
        self._policies = Policies()
        self._held_since: float | None = None

    async def step(self) -> int:
        """Assesses up to a batch of visits that are due and returns how many. Raises DatabaseAway."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            horizon = await self._horizon(connection, now)
            due = await connection.fetch(sql.due, horizon, self._batch)
            if due:
                await self._tick(connection, [(r["tenant_id"], r["visit_id"]) for r in due], horizon, now)
            return len(due)

    async def next_deadline(self) -> datetime | None:
        """The instant to look again: a moment after the earliest deadline."""
        async with self._db.connection() as connection:
            at: datetime | None = await connection.fetchval(sql.next_deadline)
        return None if at is None else at + self._in_flight

    @property
    def _in_flight(self) -> timedelta:
        return timedelta(seconds=IN_FLIGHT_SECONDS * self._clock.speed)

    async def _horizon(self, connection: Connection, now: datetime) -> datetime:
        """How far time has passed, as far as the evidence can tell."""
        settled = now - self._in_flight
        waiting: datetime | None = await connection.fetchval(sql.oldest_waiting)
        if waiting is None or waiting > settled:
            self._held_since = None
            return settled
        self._held_since = self._held_since or time.monotonic()
        lag_seconds = (now - waiting).total_seconds() / self._clock.speed
        stuck = min(time.monotonic() - self._held_since, lag_seconds) > HELD_AT_MOST_SECONDS
        return settled if stuck else waiting

    async def _tick(
        self, connection: Connection, keys: list[VisitKey], horizon: datetime, now: datetime
    ) -> None:
        visits = await load.visits(connection, keys)
        await self._policies.learn(connection, (row["contract_id"] for row in visits.values()))
        events: dict[VisitKey, list[CheckEvent]] = {}
        for (tenant_id, _), stored in (await load.evidence(connection, keys)).items():
            if stored.visit_id is not None:
                events.setdefault((tenant_id, stored.visit_id), []).append(stored.event)
        amendments = await load.amendments(connection, keys)
        homes = await load.homes(connection, {_person(visits[key]) for key in events})
        found = []
        for key, row in visits.items():
            home = homes.get(_person(row), load.NOWHERE)
            visit = rows.visit(row, home.located(self._policies.of(row["contract_id"]).fence_m), home.phones)
            found.append(Found(row, visit, tuple(events.get(key, ())), tuple(amendments.get(key, ()))))
        cases = await cases_of(connection, self._policies, found, set())
        await reassess(connection, cases, horizon, now)


def _person(row: Record) -> PersonKey:
    return row["tenant_id"], row["service_user_ref"]
