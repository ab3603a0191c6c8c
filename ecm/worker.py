"""The worker: the loops that carry each visit down its road, and the timetable of everything that runs by the clock.

Each loop does one thing and says whether there was work. A notification makes it quick, a short rest makes it sure:
a notification to nobody is lost. While the database is away a loop waits; after any other error it says so, rests
and goes on, because one broken step must not stop the others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from alerts.notices import NoticeSender
from alerts.sender import Sender
from alerts.worker import AlertWorker
from ecm.audit.export import Heads
from ecm.audit.proving import Proving
from ecm.clock import Clock
from ecm.errors import DatabaseAway
from ecm.overdue import Watcher
from ecm.payment_run import PaymentRuns
from ecm.processing import Processor
from ecm.reducing import Reducer
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.queries import load_queries

sql = load_queries("ecm", "worker.sql")
log = logging.getLogger(__name__)

Step = Callable[[], Coroutine[Any, Any, object]]

REST_SECONDS = 0.5
"""How long a loop rests when there was nothing to do and nobody notified it."""
WATCH_SECONDS = 0.1
"""The watcher's longest sleep: a deadline that was just written may be nearer than the one it sleeps until."""
HELD_SECONDS = 0.02
"""How long the watcher leaves alone what is due already, and held up by older evidence or by another worker."""
GRACE_SECONDS = 3600
"""How late a step of the night still runs; the scheduler's own patience is one second."""
LANES = 2
"""Batches in flight at once, of processing and of a crowd of deadlines: one decides while the other commits."""


class Worker:
    """All loops of one worker process. `db` is under the role ecm_worker."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._processors = [Processor(db, clock) for _ in range(LANES)]
        self._watcher = Watcher(db, clock)
        self._alerts = AlertWorker(db, clock, settings)
        self._sender = Sender(db, clock, settings)
        self._notices = NoticeSender(db, clock, settings)
        self._payment_runs = PaymentRuns(db, clock)
        self._reducer = Reducer(db, clock)
        self._woken: dict[str, asyncio.Event] = {}
        self._name = f"worker {socket.gethostname()} {os.getpid()}"
        self._heads = Heads(db, clock, settings, self._name)
        self._proving = Proving(db, clock, settings, self._name)

    def steps(self) -> dict[str, Step]:
        """What `ecm tick NAME` can run by hand; each is safe to run twice, and on two machines."""
        return {
            "processing": self._processors[0].step,
            "overdue": self._watcher.step,
            "alerts": self._alerts.step,
            "deliveries": self._sender.step,
            "notices": self._notices.step,
            "payment-run": self._payment_run,
            "audit-heads": self._tell_heads,
            "audit-proof": self._prove_audits,
            "retention": self._retention,
            "positions-reduced": self._reducer.step,
        }

    def timetable(self) -> list[tuple[Step, str, dict[str, Any]]]:
        """Everything that runs by the clock. APScheduler is only that clock: what is due is always a row.

        What runs once a night is not left out because the loop was busy, or the machine asleep, at that very second.
        """
        hourly = {"minute": 30, "timezone": "UTC", "misfire_grace_time": GRACE_SECONDS}
        nightly = {"minute": 10, "timezone": "UTC", "misfire_grace_time": GRACE_SECONDS}
        return [
            (self._beat, "interval", {"seconds": 5}),
            (self._notices.step, "interval", {"seconds": 60}),
            (self._reduce_positions, "cron", {"hour": 2, **nightly}),
            (self._retention, "cron", {"hour": 3, **nightly}),
            (self._payment_run, "cron", {"hour": 4, **nightly}),
            (self._prove_audits, "cron", {"hour": 5, **nightly}),
            (self._tell_heads, "cron", hourly),  # once a day, and again until it is taken
        ]

    async def run(self) -> None:
        """Runs until cancelled."""
        scheduler = AsyncIOScheduler(timezone=UTC)
        for step, trigger, when in self.timetable():
            scheduler.add_job(self._timed(step), trigger, coalesce=True, max_instances=1, **when)
        scheduler.start()
        try:
            async with asyncio.TaskGroup() as loops:
                for processor in self._processors:
                    loops.create_task(self._keep_doing(processor.step, "ecm_work"))
                loops.create_task(self._watch())
                loops.create_task(self._keep_doing(self._alerts.step, "ecm_alerts"))
                for _ in range(LANES):  # one may be waiting for a slow gateway
                    loops.create_task(self._keep_doing(self._sender.step, "ecm_deliveries"))
                loops.create_task(self._keep_doing(self._sender.urgent_step, "ecm_deliveries"))
                loops.create_task(self._keep_doing(self._payment_runs.step, "ecm_payment"))
                loops.create_task(self._timed(self._beat)())
                loops.create_task(self._timed(self._tell_heads)())
                for channel in ("ecm_work", "ecm_alerts", "ecm_deliveries", "ecm_payment"):
                    loops.create_task(self._hear(channel))
        finally:
            scheduler.shutdown(wait=False)

    # ------------------------------------------------------------------ loops

    async def _keep_doing(self, step: Step, channel: str) -> None:
        woken = self._woken.setdefault(channel, asyncio.Event())
        while True:
            woken.clear()
            if not await self._guarded(step):
                await _first_of(woken, REST_SECONDS)

    async def _watch(self) -> None:
        while True:
            taken = await self._guarded(self._watcher.step)
            if taken == self._watcher.batch:
                await asyncio.gather(*(self._watch_a_crowd() for _ in range(LANES)))
            elif not taken:
                await self._guarded(self._sleep_until_due)

    async def _watch_a_crowd(self) -> None:
        while await self._guarded(self._watcher.step):
            pass

    async def _sleep_until_due(self) -> None:
        at = await self._watcher.next_deadline()
        if at is None:
            await asyncio.sleep(WATCH_SECONDS)
        elif at <= self._clock.now():
            await asyncio.sleep(HELD_SECONDS)
        else:
            await self._clock.sleep_until(at, at_most_seconds=WATCH_SECONDS)

    async def _hear(self, channel: str) -> None:
        """For ever: whatever breaks it off costs quickness and nothing else."""
        woken = self._woken.setdefault(channel, asyncio.Event())

        async def heard() -> None:
            async for _ in self._db.listen(channel):
                woken.set()

        while True:
            await self._guarded(heard)

    async def _guarded(self, step: Step) -> object:
        """One step. The database being away, or the step being broken, is a pause and not the end."""
        try:
            return await step()
        except DatabaseAway:
            await asyncio.sleep(REST_SECONDS)
        except Exception:
            log.exception("a step of the worker failed")
            await asyncio.sleep(2 * REST_SECONDS)
        return False

    def _timed(self, step: Step) -> Step:
        async def once() -> None:
            await self._guarded(step)

        return once

    # ------------------------------------------------------------------ by the clock

    async def _beat(self) -> None:
        """Says that this process lives: its silence is itself an alarm on the health page and the board."""
        async with self._db.transaction() as connection:
            await connection.execute(sql.beat, self._name, datetime.now(UTC), {"pid": os.getpid()})

    async def _reduce_positions(self) -> None:
        """Takes away the positions that were kept long enough: of a day, on most nights."""
        while await self._reducer.step():
            pass

    async def _retention(self) -> None:
        """Clears what has had its day: sessions, tickets, processes long gone, old phone calls. Never evidence."""
        async with self._db.transaction() as connection:
            now = datetime.now(UTC)
            for query in (
                sql.clear_sessions,
                sql.clear_tickets,
                sql.clear_openings,
                sql.clear_setup_codes,
                sql.clear_heartbeats,
                sql.clear_phone_calls,
                sql.clear_pin_tries,
            ):
                await connection.execute(query, now)
            await connection.execute(sql.clear_notices, self._clock.now())

    async def _tell_heads(self) -> int:
        """Tells somebody outside where each authority's audit ends, by the real clock."""
        return await self._heads.tell(datetime.now(UTC))

    async def _prove_audits(self) -> None:
        """Works out every link of every audit again."""
        await self._proving.prove(datetime.now(UTC))

    async def _payment_run(self) -> None:
        """Works out the actuals of this week and the last again, for every tenant."""
        await self._payment_runs.nightly()


async def _first_of(woken: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()
