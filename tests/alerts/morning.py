"""A morning on which visits become late and missed, as processing leaves it: visits' rows and to-dos."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from alerts.worker import AlertWorker
from ecm.clock import ManualClock
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.actuals.borough import a_borough, add_visit, worker

MONDAY = date(2026, 11, 23)


def at(clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


@dataclass
class Morning:
    owner: Any
    db: Database
    clock: ManualClock
    alerts: AlertWorker

    async def becomes(self, ref: str, state: str, *crossings: str, **changes: Any) -> int:
        """A new assessment, its crossings as "late 09:15", and a to-do for the alarms, as processing writes them."""
        passed = [
            {"kind": kind, "deadline_at": at(clock).isoformat()}
            for kind, clock in (c.split() for c in crossings)
        ]
        number: int = await self.owner.fetchval(
            "UPDATE visits SET state = $2, crossings = $3, findings = $4, attendances = $5, version = version + 1"
            " WHERE ref = $1 RETURNING visit_id",
            ref,
            state,
            passed,
            changes.get("findings", []),
            changes.get("attendances", []),
        )
        await self.queue(number)
        return number

    async def queue(self, visit_id: int) -> None:
        await self.owner.execute("INSERT INTO alert_queue (tenant_id, visit_id) VALUES (1, $1)", visit_id)

    async def heard_of(self, clock: str, received: str) -> dict[str, Any]:
        """An attendance whose check-in was received when said."""
        event = uuid4()
        await self.owner.execute(
            "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, body_sha256, body)"
            " VALUES (1, $1, $2, 'check_in', $3, 'app', '', '')",
            event,
            at(received),
            at(clock),
        )
        return {
            "care_worker": "CW-ALICE",
            "check_in_at": at(clock).isoformat(),
            "check_out_at": None,
            "check_in_event": str(event),
            "check_out_event": None,
            "amended": False,
        }

    async def hears_of(
        self, visit_id: int, kind: str, occurred_at: datetime, urgency: str | None = None
    ) -> None:
        """What a phone says of a visit, by the phone's own clock."""
        await self.owner.execute(
            "INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, visit_id, urgency, words,"
            " care_worker_ref, body_sha256, body)"
            " VALUES (1, gen_random_uuid(), $1, $2, $3, $4, $5, 'He has a knife', 'W-1', '', '')",
            kind,
            occurred_at,
            self.clock.at,
            visit_id,
            urgency,
        )
        await self.queue(visit_id)

    async def contact(
        self,
        address: str,
        min_severity: str = "warning",
        after: int = 0,
        provider: str | None = None,
        **changes: Any,
    ) -> None:
        await self.owner.execute(
            "INSERT INTO alert_contacts (tenant_id, provider_ref, min_severity, channel, address, after_minutes)"
            " VALUES (1, $1, $2, $3, $4, $5)",
            provider,
            min_severity,
            changes.get("channel", "email"),
            address,
            after,
        )

    async def drain(self) -> None:
        while await self.alerts.step():
            pass

    async def told(self) -> list[tuple[Any, ...]]:
        """The alerts: (visit, kind, state, why it is over)."""
        rows = await self.owner.fetch(
            "SELECT v.ref, a.kind, a.state, a.stood_down_reason FROM alerts a JOIN visits v USING (tenant_id, visit_id)"
            " ORDER BY v.ref, a.raised_for"
        )
        return [tuple(row) for row in rows]

    async def deliveries(self) -> list[tuple[Any, ...]]:
        """(kind, about, address, due, state)."""
        rows = await self.owner.fetch(
            "SELECT a.kind, d.about, d.address, to_char(d.due_at, 'HH24:MI'), d.state"
            " FROM deliveries d JOIN alerts a USING (tenant_id, alert_id) ORDER BY d.due_at, d.delivery_id"
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def a_morning(database: Addresses, *refs: str) -> AsyncIterator[Morning]:
    """Visits planned from 09:00; the clock stands at 09:15."""
    async with a_borough(database) as owner, worker(database) as db:
        for ref in refs or ("V-1",):
            await add_visit(owner, ref, None, state="planned", on=MONDAY)
        clock = ManualClock(at("09:15"))
        yield Morning(owner, db, clock, AlertWorker(db, clock))
