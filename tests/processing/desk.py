"""A small borough on a real database: plan a visit, let evidence arrive, let time pass, read what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from ecm.clock import ManualClock
from ecm.overdue import Watcher
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses

DAY = date(2026, 11, 23)
NAMES = UUID("6f2d3f0a-64a5-4f0e-9d0c-2f8c8b8f6f10")
HOME = (52.6369, -1.1398)
ROUNDS_MAX = 100
METRES_PER_DEGREE = 111_320.0


def at(clock: str, day: date = DAY) -> datetime:
    """'09:03' of the day, UTC (London keeps UTC in November)."""
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, *second, tzinfo=UTC)


@dataclass
class Desk:
    """Tenant 1 with one provider, Alice and Bob who need care, Carol and Dan who give it."""

    owner: Database
    worker: Database
    clock: ManualClock
    processor: Processor
    watcher: Watcher
    serial: int = 0

    @classmethod
    async def open(cls, database: Addresses) -> Desk:
        clock = ManualClock(at("06:00"))
        worker = await Database.connect(database.app, "ecm_worker", 4)
        owner = await Database.connect(database.owner, None, 2)
        desk = cls(owner, worker, clock, Processor(worker, clock), Watcher(worker, clock))
        await desk.run(
            """
            INSERT INTO providers (tenant_id, ref, name) VALUES (1, 'north', 'Northfield Care');
            INSERT INTO service_users (tenant_id, ref, name) VALUES (1, 'alice', 'Alice'), (1, 'bob', 'Bob');
            INSERT INTO places (tenant_id, service_user_ref, lat, lon, fence_m)
              VALUES (1, 'alice', 52.6369, -1.1398, 100), (1, 'bob', 52.6500, -1.1000, 100);
            INSERT INTO service_user_phones (tenant_id, phone, service_user_ref) VALUES (1, '+441632960001', 'alice');
            INSERT INTO care_workers (tenant_id, ref, name, provider_ref)
              VALUES (1, 'carol', 'Carol', 'north'), (1, 'dan', 'Dan', 'north');
            """
        )
        return desk

    async def close(self) -> None:
        await self.worker.close()
        await self.owner.close()

    async def run(self, statement: str, *values: Any) -> None:
        async with self.owner.connection() as connection:
            await connection.execute(statement, *values)

    async def value(self, query: str, *values: Any) -> Any:
        async with self.owner.connection() as connection:
            return await connection.fetchval(query, *values)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        async with self.owner.connection() as connection:
            return await connection.fetch(query, *values)

    async def plan(
        self,
        ref: str,
        start: str,
        end: str,
        *,
        person: str = "alice",
        workers: tuple[str, ...] = ("carol",),
        carers: int = 1,
        commissioned: int | None = None,
        next_start: str | None = None,
    ) -> int:
        visit_id: int = await self.value(
            """
            WITH v AS (
              INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,
                planned_end, window_start, care_worker_refs, carers_required, commissioned_minutes, next_planned_start)
              VALUES (1, $1, $2, 'north', $3, 'Europe/London', $4, $5, $4, $6, $7, $8, $9) RETURNING visit_id)
            INSERT INTO processing_queue (tenant_id, visit_id) SELECT 1, visit_id FROM v RETURNING visit_id
            """,
            ref,
            person,
            DAY,
            at(start),
            at(end),
            list(workers),
            carers,
            commissioned,
            at(next_start) if next_start else None,
        )
        return visit_id

    async def arrive(
        self,
        kind: str,
        occurred: str,
        *,
        worker: str | None = "carol",
        person: str | None = "alice",
        visit: str | None = None,
        received: str | None = None,
        metres: float | None = 5,
        cli: str | None = None,
        method: str = "app",
        reason: str | None = None,
        tenant: int = 1,
    ) -> UUID:
        """Evidence as ingest leaves it. `received` moves the clock."""
        received_at = at(received) if received else max(at(occurred), self.clock.at)
        self.clock.at = received_at
        return await self.store(
            kind,
            at(occurred),
            received_at,
            worker=worker,
            person=person,
            visit=visit,
            metres=metres,
            cli=cli,
            method=method,
            reason=reason,
            tenant=tenant,
        )

    async def store(
        self,
        kind: str,
        occurred_at: datetime,
        received_at: datetime,
        *,
        worker: str | None = None,
        person: str | None = None,
        visit: str | None = None,
        metres: float | None = None,
        cli: str | None = None,
        method: str = "app",
        reason: str | None = None,
        wall_clock: datetime | None = None,
        tenant: int = 1,
    ) -> UUID:
        """Evidence as ingest leaves it."""
        self.serial += 1
        event_id = uuid5(NAMES, str(self.serial))
        lat = None if metres is None else HOME[0] + metres / METRES_PER_DEGREE
        lon = None if metres is None else HOME[1]
        await self.run(
            """
            WITH e AS (
              INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,
                service_user, visit, lat, lon, accuracy_m, cli, reason_code, wall_clock, body_sha256, body)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '{}') RETURNING event_id)
            INSERT INTO processing_queue (tenant_id, event_id) SELECT $1, event_id FROM e
            """,
            tenant,
            event_id,
            received_at,
            f"check_{kind}",
            occurred_at,
            method,
            worker,
            person,
            visit,
            lat,
            lon,
            None if metres is None else 8.0,
            cli,
            reason,
            wall_clock,
            hashlib.sha256(event_id.bytes).digest(),
        )
        return event_id

    async def link(self, visit_id: int, event_id: UUID) -> None:
        """An officer says that this event belongs to this visit."""
        await self.run(
            """
            WITH counted AS (SELECT visit_id FROM event_outcomes WHERE tenant_id = 1 AND event_id = $2),
            made AS (
              INSERT INTO amendments (tenant_id, visit_id, kind, event_id, reason_code, made_by, made_at)
              VALUES (1, $1, 'link', $2, 'test', 'the office', $3) RETURNING visit_id, event_id)
            INSERT INTO processing_queue (tenant_id, event_id, visit_id)
            SELECT 1, event_id, NULL FROM made
            UNION ALL
            SELECT 1, NULL, visit_id FROM (SELECT visit_id FROM made UNION SELECT visit_id FROM counted) AS about
            WHERE visit_id IS NOT NULL
            """,
            visit_id,
            event_id,
            self.clock.at,
        )

    async def settle(self, clock: str | None = None) -> None:
        """Lets the time come, and a moment pass, and the worker do all there is to do."""
        if clock:
            self.clock.at = at(clock) + timedelta(seconds=0.1)
        for _ in range(ROUNDS_MAX):
            if not (await self.processor.step() or await self.watcher.step()):
                return
        raise AssertionError("there is always something to do")

    async def visit(self, ref: str) -> dict[str, Any]:
        found = await self.rows("SELECT * FROM visits WHERE tenant_id = 1 AND ref = $1", ref)
        return dict(found[0])

    async def state(self, ref: str) -> str:
        return str((await self.visit(ref))["state"])

    async def codes(self, ref: str) -> set[str]:
        return {finding["code"] for finding in (await self.visit(ref))["findings"]}

    async def passed(self, ref: str) -> list[str]:
        """The kinds of transition of a visit, in the order they happened."""
        found = await self.rows(
            """SELECT t.kind, t.from_state, t.to_state FROM transitions t JOIN visits v USING (tenant_id, visit_id)
               WHERE v.tenant_id = 1 AND v.ref = $1 ORDER BY t.transition_id""",
            ref,
        )
        return [f"{r['from_state']}>{r['to_state']}" if r["kind"] == "change" else r["kind"] for r in found]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
