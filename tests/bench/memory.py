"""S13: resident memory of `ecm web` and of `ecm worker` after work, with 500,000 open visits in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import psutil

from tests.bench.common import Bench, Figure
from tests.bench.onlookers import onlookers
from tests.bench.plan import LATE_AFTER, plan, zone_to_noon
from tests.bench.services import ecm_web, ecm_worker

OPEN, QUICK_OPEN = 500_000, 50_000
PEOPLE, WORKERS = 20_000, 5_000
SOCKETS = 20
TODAY, CHECK_INS = 5_000, 2_000
DUE = 2_000


async def measure(bench: Bench) -> list[Figure]:
    visits = QUICK_OPEN if bench.quick else OPEN
    async with bench.database() as addresses:
        await zone_to_noon(addresses.owner)
        now = datetime.now(UTC)
        tomorrow = now + timedelta(days=1)
        await plan(
            addresses.owner, 1_000_001, visits, tomorrow, timedelta(seconds=6), people=PEOPLE, workers=WORKERS
        )
        # An ordinary day on the board; and a batch of deadlines once the worker runs.
        offset = await plan(addresses.owner, 1, TODAY, now)
        async with ecm_web(addresses) as web, ecm_worker(addresses) as worker, onlookers(web) as board:
            await board.watch(SOCKETS)
            await plan(addresses.owner, 500_001, DUE, datetime.now(UTC) - LATE_AFTER + timedelta(seconds=1))
            await board.send(first=1, count=CHECK_INS, seconds=60, rate=200, id_less_ref=offset)
            await asyncio.sleep(2)
            web_mb, worker_mb = (psutil.Process(pid).memory_info().rss / 1e6 for pid in (web.pid, worker))
    told = (
        f"resident, shared libraries counted; after {CHECK_INS:,} check-ins at 200/s, {DUE:,} deadlines and"
        f" {SOCKETS} sockets that were shown a day of {TODAY:,} visits"
    )
    return [
        Figure("S13", "memory of ecm web", web_mb, "MB", "less", 150, 100, details=told),
        Figure(
            "S13",
            f"memory of ecm worker with {visits:,} open visits",
            worker_mb,
            "MB",
            "less",
            200,
            120,
            details=told,
        ),
    ]
