"""The passing of time is an event like any other: visits whose deadline passed join the fold.

Each open visit carries one `deadline_at`, the next instant at which it changes if nothing arrives. The watcher
sleeps until the earliest, takes what is due and assesses it again. Taking is by `FOR UPDATE SKIP LOCKED`, so a
tick is safe to run twice, on two machines, and by hand. What an alarm is raised from is worked out from the
evidence and its receipt times, not from when this ran: a tick that comes late finds the same crossings.
"""

from __future__ import annotations

from datetime import datetime

from ecm.clock import Clock
from ecm.processing import load
from ecm.processing.batch import cases_of
from ecm.processing.contracts import Policies
from ecm.processing.load import VisitKey
from ecm.processing.reassess import reassess
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ecm.visit.model import CheckEvent

sql = load_queries("ecm", "overdue.sql")


class Watcher:
    def __init__(self, db: Database, clock: Clock, *, batch: int = 2000) -> None:
        self._db = db
        self._clock = clock
        self._batch = batch
        self._policies = Policies()

    async def step(self) -> int:
        """Assesses up to a batch of visits that are due and returns how many. Raises DatabaseAway."""
        now = self._clock.now()
        async with self._db.transaction() as connection:
            due = await connection.fetch(sql.due, now, self._batch)
            if due:
                await self._tick(connection, [(r["tenant_id"], r["visit_id"]) for r in due], now)
            return len(due)

    async def next_deadline(self) -> datetime | None:
        """The earliest instant at which any visit changes if nothing arrives."""
        async with self._db.connection() as connection:
            at: datetime | None = await connection.fetchval(sql.next_deadline)
            return at

    async def _tick(self, connection: Connection, keys: list[VisitKey], now: datetime) -> None:
        visits = await load.visits(connection, keys)
        await self._policies.learn(connection, (row["contract_id"] for row in visits.values()))
        events: dict[VisitKey, list[CheckEvent]] = {}
        for (tenant_id, _), stored in (await load.evidence(connection, keys)).items():
            if stored.visit_id is not None:
                events.setdefault((tenant_id, stored.visit_id), []).append(stored.event)
        amendments = await load.amendments(connection, keys)
        chosen = [
            (row, tuple(events.get(key, ())), tuple(amendments.get(key, ()))) for key, row in visits.items()
        ]
        await reassess(connection, await cases_of(connection, self._policies, chosen, set()), now)
