"""The passing of time is an event like any other: visits whose deadline passed join the fold.

Each open visit carries one `deadline_at`, the next instant at which it changes if nothing arrives. The watcher
sleeps until the earliest, takes what is due and assesses it again. Taking is by SKIP LOCKED, so a tick is safe to
run twice, on two machines, and by hand. What an alarm is raised from is worked out from the evidence and its
receipt times, not from when this ran: a tick that comes late finds the same crossings.

A deadline is judged only when everything received before it has been folded in, or a check-in that was on time but
waits behind a backlog would ring an alarm. So the watcher looks no further than its *horizon*: the receipt of the
oldest evidence still waiting, and a moment behind now for the receipts being committed at this instant. A backlog
that does not move must not silence the alarms: after HELD_AT_MOST_SECONDS it is disregarded.

A visit that cannot be assessed, which is a bug of ours, must not silence the others: it is found by halving the
batch, put aside for a while, and reported on the health page.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ecm.clock import Clock
from ecm.errors import EcmError
from ecm.processing import load, rows
from ecm.processing.cases import Found, cases_of
from ecm.processing.contracts import Policies
from ecm.processing.load import PersonKey, VisitKey
from ecm.processing.reassess import reassess
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ecm.visit.model import CheckEvent

sql = load_queries("ecm", "overdue.sql")
log = logging.getLogger(__name__)

IN_FLIGHT_SECONDS = 0.05
"""Real seconds behind now: a receipt is stamped a moment before its commit shows it."""
HELD_AT_MOST_SECONDS = 30.0
"""Real seconds that a backlog may hold up the alarms before they ring regardless."""
ASIDE_AT_MOST_SECONDS = 60.0
"""Real seconds before a visit that could not be assessed is tried again: one, then two, four, …, and then these."""


@dataclass(frozen=True, slots=True)
class _Aside:
    """A visit that could not be assessed so often, and is not tried before (as time.monotonic counts)."""

    tries: int
    until: float


class Watcher:
    """Several steps of one watcher may be under way at once: each takes visits of its own."""

    def __init__(self, db: Database, clock: Clock, *, batch: int = 500) -> None:
        self._db = db
        self._clock = clock
        self.batch = batch
        self._policies = Policies()
        self._held_since: float | None = None
        self._aside: dict[VisitKey, _Aside] = {}

    async def step(self) -> int:
        """Assesses up to a batch of visits that are due and returns how many. Raises DatabaseAway."""
        limit = self.batch
        while True:
            due: list[VisitKey] = []
            try:
                return await self._attempt(limit, due)
            except EcmError:
                raise
            except Exception as error:
                if not due:
                    raise
                log.exception("%d visits that are due could not be assessed", len(due))
                if len(due) == 1:
                    await self._put_aside(due[0], error)
                    return 1
                limit = len(due) // 2

    async def next_deadline(self) -> datetime | None:
        """The instant to look again: a moment after the earliest deadline."""
        async with self._db.connection() as connection:
            at: datetime | None = await connection.fetchval(sql.next_deadline, *self._put_aside_now())
        return None if at is None else at + self._in_flight

    async def _attempt(self, limit: int, due: list[VisitKey]) -> int:
        """`due` tells whom it was about, even if it fails."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            horizon = await self._horizon(connection, now)
            found = await connection.fetch(sql.due, horizon, limit, *self._put_aside_now())
            due += [(r["tenant_id"], r["visit_id"]) for r in found]
            if due:
                await self._tick(connection, due, horizon, now)
        for key in self._aside.keys() & due:
            del self._aside[key]
        return len(due)

    async def _put_aside(self, key: VisitKey, error: Exception) -> None:
        tries = self._aside[key].tries + 1 if key in self._aside else 1
        seconds = min(ASIDE_AT_MOST_SECONDS, 2.0 ** (tries - 1))
        self._aside[key] = _Aside(tries, time.monotonic() + seconds)
        async with self._db.transaction() as connection:
            # The kind of error only: its text may hold what a person sent.
            again_at = datetime.now(UTC) + timedelta(seconds=seconds)
            await connection.execute(sql.report, *key, type(error).__name__, again_at)

    def _put_aside_now(self) -> tuple[list[object], list[object]]:
        now = time.monotonic()
        return load.columns(key for key, aside in self._aside.items() if aside.until > now)

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
