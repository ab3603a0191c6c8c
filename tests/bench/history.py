"""S14: receipts, processing and the overdue tick beside a long past, against the same beside a hundredth of it.

PROOF asks for a hundred million events in shape or ten million really. Here the long past is as long as fits into a
run's time, and the table says how long that was: what matters is that both keys and indexes are far deeper, and
that the tables no longer fit into the server's own memory.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from ecm.clock import ManualClock, RealClock
from ecm.overdue import IN_FLIGHT_SECONDS, Watcher
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.bench.checkin_throughput import CONNECTIONS
from tests.bench.common import SPREAD_MAX, Bench, Figure, load
from tests.bench.door import open_door
from tests.bench.past import PEOPLE, WORKERS, remember
from tests.bench.plan import HOME, LATE_AFTER, plan, zone_to_noon

VISITS, QUICK_VISITS = 1_500_000, 100_000
TIMES = 100
OPEN = 20_000
TICKS, DUE = 150, 6
CHECK_INS = 5_000
APART = timedelta(milliseconds=100)

ARRIVED = f"""
WITH arrived AS (
  INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user,
    visit, lat, lon, accuracy_m, fixed_at, device_id, wall_clock, key_id, body_sha256, body)
  SELECT 1, gen_random_uuid(), $3::timestamptz, 'check_in', $3, 'app', 'C-' || mod(n, {WORKERS}),
    'P-' || mod(n, {PEOPLE}), 'B-' || n, {HOME[0]}, {HOME[1]}, 12.0, $3, 'phone-7', $3, 1, sha256(n::text::bytea),
    repeat('x', 400)
  FROM generate_series($1::int, $2::int) AS n RETURNING event_id
)
INSERT INTO processing_queue (tenant_id, event_id) SELECT 1, event_id FROM arrived
"""


@dataclass(slots=True)
class Past:
    """One of the two databases, ready to be measured again and again."""

    addresses: Addresses
    port: int
    key: str
    db: Database
    clock: ManualClock
    watcher: Watcher
    processor: Processor
    arrived: int = 0

    async def receipts(self, seconds: float) -> float:
        """Seconds a check-in, at the door alone."""
        told = await load(self.port, key=self.key, connections=CONNECTIONS, seconds=seconds)
        connection = await asyncpg.connect(self.addresses.owner)
        await connection.execute("TRUNCATE processing_queue")  # those name no visit we planned
        await connection.close()
        return 1 / float(told["per_s"])

    async def processing(self) -> float:
        """Seconds a check-in, from its to-do to its visit's new state, in batches."""
        first, self.arrived = OPEN + 1 + self.arrived, self.arrived + CHECK_INS
        connection = await asyncpg.connect(self.addresses.owner)
        await connection.execute(ARRIVED, first, first + CHECK_INS - 1, datetime.now(UTC))
        await connection.execute("ANALYZE processing_queue")
        await connection.close()
        began = time.perf_counter()
        done = 0
        while some := await self.processor.step():
            done += some
        assert done >= CHECK_INS, done
        return (time.perf_counter() - began) / CHECK_INS

    async def tick(self) -> float:
        """Seconds a look at the deadlines takes with DUE visits due: the median."""
        took = []
        for _ in range(TICKS):
            self.clock.at += DUE * APART
            began = time.perf_counter()
            done = await self.watcher.step()
            took.append(time.perf_counter() - began)
            assert done == DUE, done
        return statistics.median(took)


async def measure(bench: Bench) -> list[Figure]:
    visits = QUICK_VISITS if bench.quick else VISITS
    rounds = min(bench.rounds, OPEN // (TICKS * DUE) - 1)
    async with AsyncExitStack() as stack:
        short, _ = await begin(stack, bench, visits // TIMES, rounds)
        long, gigabytes = await begin(stack, bench, visits, rounds)
        parts: dict[str, Callable[[Past], Awaitable[float]]] = {
            "S1's receipts": lambda past: past.receipts(bench.seconds),
            "S4's processing": Past.processing,
            "S7's tick": Past.tick,
        }
        figures = []
        for part, takes in parts.items():
            for past in (short, long):
                await takes(past)
            pairs = []
            for nth in range(rounds):
                order = (short, long) if nth % 2 else (long, short)
                took = {id(past): await takes(past) for past in order}
                pairs.append((took[id(short)], took[id(long)]))
            figures.append(_figure(part, pairs, visits, gigabytes))
    return figures


def _figure(part: str, pairs: list[tuple[float, float]], visits: int, gigabytes: float) -> Figure:
    short = [a for a, _ in pairs]
    spread = (max(short) - min(short)) / statistics.median(short)
    return Figure(
        "S14",
        f"{part} beside {2 * visits:,} past events: times as long as beside {2 * visits // TIMES:,}",
        statistics.median(b / a for a, b in pairs),
        "×",
        "less",
        goal=1.2,
        stretch=1.05,
        details=f"{1e6 * statistics.median(b for _, b in pairs):,.0f} µs against {1e6 * statistics.median(short):,.0f};"
        f" spread {spread:.0%}, {len(pairs)} rounds; the longer past is {gigabytes:.1f} GB",
        noise=spread > SPREAD_MAX,
    )


async def begin(stack: AsyncExitStack, bench: Bench, visits: int, rounds: int) -> tuple[Past, float]:
    addresses = await stack.enter_async_context(bench.database())
    await zone_to_noon(addresses.owner)
    gigabytes = await remember(addresses.owner, visits)
    starts_at = datetime.now(UTC)
    await plan(addresses.owner, 1, OPEN, starts_at, APART, people=PEOPLE, workers=WORKERS)
    waiting = CHECK_INS * (rounds + 1)
    tomorrow = starts_at + timedelta(hours=3)
    await plan(addresses.owner, OPEN + 1, waiting, tomorrow, people=PEOPLE, workers=WORKERS)
    port, key = await stack.enter_async_context(open_door(addresses))
    db = await Database.connect(addresses.app, "ecm_worker", 2)
    stack.push_async_callback(db.close)
    clock = ManualClock(starts_at + LATE_AFTER - APART / 2 + timedelta(seconds=IN_FLIGHT_SECONDS))
    await asyncio.sleep(0)
    return Past(addresses, port, key, db, clock, Watcher(db, clock), Processor(db, RealClock())), gigabytes
