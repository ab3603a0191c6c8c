"""S7: one look at the deadlines among 500,000 open visits: with a handful due, and with nothing due."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from ecm.clock import ManualClock
from ecm.overdue import IN_FLIGHT_SECONDS, Watcher
from ecm.store.db import Database
from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others
from tests.bench.plan import LATE_AFTER, plan

VISITS, QUICK_VISITS = 500_000, 50_000
PEOPLE, WORKERS = 20_000, 5_000
DUE = 6
APART = timedelta(milliseconds=10)
TICKS = 500


async def measure(bench: Bench) -> list[Figure]:
    visits = QUICK_VISITS if bench.quick else VISITS
    async with bench.database() as addresses:
        starts_at = datetime.now(UTC).replace(minute=0)
        await plan(addresses.owner, 1, visits, starts_at, APART, people=PEOPLE, workers=WORKERS)
        db = await Database.connect(addresses.app, "ecm_worker", 2)
        try:
            busy = await busy_with_others()
            with_due, idle = await ticks(db, starts_at + LATE_AFTER)
        finally:
            await db.close()
    return [
        Figure(
            "S7",
            f"overdue tick with {DUE} due among {visits:,} open visits, 99th percentile",
            with_due[int(0.99 * TICKS)],
            "ms",
            "less",
            goal=10,
            stretch=3,
            details=f"median {with_due[TICKS // 2]:.1f} ms of {TICKS} ticks, each committed;"
            f" {busy:.0%} busy with others",
            noise=busy > BUSY_MAX,
        ),
        Figure(
            "S7",
            f"overdue tick with nothing due among {visits:,} open visits, 99th percentile",
            idle[int(0.99 * TICKS)],
            "ms",
            "less",
            goal=1,
            stretch=0.3,
            details=f"median {idle[TICKS // 2]:.2f} ms of {TICKS} ticks",
            noise=busy > BUSY_MAX,
        ),
    ]


async def ticks(db: Database, first_due: datetime) -> tuple[list[float], list[float]]:
    """Sorted milliseconds of ticks with DUE visits due, and of ticks with none."""
    clock = ManualClock(first_due - APART / 2 + timedelta(seconds=IN_FLIGHT_SECONDS))
    watcher = Watcher(db, clock)
    for _ in range(20):
        clock.at += DUE * APART
        assert await watcher.step() == DUE
    with_due = []
    for _ in range(TICKS):
        clock.at += DUE * APART
        milliseconds, done = await timed(watcher.step)
        assert done == DUE, done
        with_due.append(milliseconds)
    idle = []
    for _ in range(TICKS):
        milliseconds, done = await timed(watcher.step)
        assert done == 0, done
        idle.append(milliseconds)
    return sorted(with_due), sorted(idle)


async def timed(step: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    began = time.perf_counter()
    done = await step()
    return 1000 * (time.perf_counter() - began), done
