"""The desk for a machine that thinks up its own stories: synchronous, on one database, emptied for each story."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from alerts.worker import AlertWorker
from ecm.importing import run_import
from ecm.lock import system
from ecm.overdue import Watcher
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.processing.desk import DAY, Desk, at
from tests.prove.folded import Folded
from tests.prove.refold import refold

T = TypeVar("T")

ROUNDS_MAX = 60

EMPTY = """
    DELETE FROM deliveries; DELETE FROM alerts; DELETE FROM alert_queue; DELETE FROM processing_queue;
    DELETE FROM transitions; DELETE FROM amendments; DELETE FROM event_outcomes; DELETE FROM check_events;
    DELETE FROM visits; DELETE FROM audit;
"""


class Town:
    """Alice and Bob need care; Carol and Dan give it; nobody knows Erin. Alice's number is +441632960001."""

    def __init__(self, database: Addresses) -> None:
        self._loop = asyncio.new_event_loop()
        self._desk = self.run(Desk.open(database))
        self._web = self.run(Database.connect(database.app, "ecm_web", 1))
        self._owner = self.run(Database.connect(database.owner, None, 1))
        self._looks = 0
        self.clock = self._desk.clock

    def close(self) -> None:
        for each in (self._desk, self._web, self._owner):
            self.run(each.close())
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def begin(self) -> None:
        self.run(self._desk.run(EMPTY))
        self._desk.serial = self._looks = 0
        self.clock.at = at("06:00")

    # ------------------------------------------------------------------ what happens

    def plan(self, *visits: dict[str, Any]) -> None:
        """By the importing door, as everybody's plans come."""
        common = {"provider_ref": "north", "date": DAY.isoformat()}
        rows = [common | visit for visit in visits]
        report = self.run(
            run_import(self._web, system(1), "visits", rows, now=self.clock.at, actor="the office")
        )
        assert not report.rejected, report.rejections

    def store(self, kind: str, occurred_at: datetime, received_at: datetime, **said: Any) -> UUID:
        return self.run(self._desk.store(kind, occurred_at, received_at, **said))

    def say_again(self, event_id: UUID) -> None:
        """The to-do of an event that was done before: its batch was lost, or an import asked for it."""
        self._run("INSERT INTO processing_queue (tenant_id, event_id) VALUES (1, $1)", event_id)

    def arrive_again(self, events: list[UUID]) -> None:
        """The to-dos are gone and these stand there instead, in this order."""
        self._run("DELETE FROM processing_queue")
        self.arrive_again_too(events)

    def arrive_again_too(self, events: list[UUID]) -> None:
        for event_id in events:
            self.say_again(event_id)

    def amend(self, kind: str, visit_id: int | None, event_id: UUID | None = None, **said: Any) -> None:
        """As the office's page leaves it: the amendment, and whatever must be looked at again."""
        self._run(
            """
            WITH counted AS (SELECT visit_id FROM event_outcomes WHERE tenant_id = 1 AND event_id = $3),
            made AS (
              INSERT INTO amendments (tenant_id, visit_id, kind, event_id, care_worker, check_in_at, check_out_at,
                                      reason_code, made_by, made_at)
              VALUES (1, $2, $1, $3, $4, $5, $6, 'test', 'the office', $7)
              RETURNING visit_id, event_id)
            INSERT INTO processing_queue (tenant_id, event_id, visit_id)
            SELECT 1, event_id, NULL FROM made WHERE event_id IS NOT NULL
            UNION ALL
            SELECT 1, NULL, visit_id FROM (SELECT visit_id FROM made UNION SELECT visit_id FROM counted) AS about
            WHERE visit_id IS NOT NULL
            """,
            kind,
            visit_id,
            event_id,
            said.get("care_worker"),
            said.get("check_in_at"),
            said.get("check_out_at"),
            self.clock.at,
        )

    # ------------------------------------------------------------------ who works

    def process(self, batch: int) -> None:
        self.run(Processor(self._desk.worker, self.clock, batch=batch).step())

    def process_in_two_places(self, batch: int, other_batch: int) -> None:
        async def both() -> None:
            one, other = (Processor(self._desk.worker, self.clock, batch=n) for n in (batch, other_batch))
            await asyncio.gather(one.step(), other.step(), self._desk.watcher.step())

        self.run(both())

    def watch(self) -> None:
        self.run(Watcher(self._desk.worker, self.clock).step())

    def decide_alerts(self) -> None:
        self.run(AlertWorker(self._desk.worker, self.clock).step())

    def settle(self) -> None:
        """A moment passes, never twice the same, and everything there is to do is done."""
        self._looks += 1
        self.clock.at += timedelta(milliseconds=101 + 7 * self._looks)

        async def all_there_is() -> None:
            desk, alerts = self._desk, AlertWorker(self._desk.worker, self.clock)
            for _ in range(ROUNDS_MAX):
                did = await desk.processor.step(), await desk.watcher.step(), await alerts.step()
                if not any(did):
                    return
            todos = await desk.rows("SELECT event_id, visit_id, tries, last_error FROM processing_queue")
            raise AssertionError(f"there is always something to do: {did}, {todos}")

        self.run(all_there_is())

    # ------------------------------------------------------------------ what came of it

    def folded(self) -> Folded:
        return self.run(refold(self._owner, self.clock.at))

    def waiting(self) -> int:
        return int(self.rows("SELECT count(*) AS many FROM processing_queue")[0]["many"])

    def end(self) -> dict[str, Any]:
        """What a day ended in, by name: everything that does not tell the order in which it was worked out."""
        name = "CASE WHEN v.planned_start IS NULL THEN 'unplanned' ELSE v.ref END AS name"
        visits = self.rows(
            f"""SELECT {name}, state, state_reason, actual_start, actual_end, attendances, findings, crossings,
                       deadline_at, deadline_kind FROM visits v ORDER BY ref"""
        )
        crossings = self.rows(
            f"""SELECT {name}, t.kind, t.at FROM transitions t JOIN visits v USING (tenant_id, visit_id)
                WHERE t.kind <> 'change' ORDER BY 1, 2, 3"""
        )
        alerts = self.rows(
            f"""SELECT {name}, a.kind, a.raised_for, a.reason, a.severity, a.state
                FROM alerts a JOIN visits v USING (tenant_id, visit_id) ORDER BY 1, 2, 3"""
        )
        outcomes = self.rows(
            f"""SELECT e.event_id, {name}, o.status FROM event_outcomes o
                JOIN check_events e USING (tenant_id, event_id)
                LEFT JOIN visits v ON v.tenant_id = 1 AND v.visit_id = o.visit_id ORDER BY 1"""
        )
        return {
            "visits": {visit.pop("name"): visit for visit in visits},
            "crossings": [tuple(each.values()) for each in crossings],
            "alerts": [tuple(each.values()) for each in alerts],
            "outcomes": [tuple(each.values()) for each in outcomes],
        }

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self.run(self._desk.rows(query, *values))]

    def _run(self, statement: str, *values: Any) -> None:
        self.run(self._desk.run(statement, *values))
