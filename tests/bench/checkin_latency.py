"""S2: how long a sender waits for its receipt, at a steady rate, from the instant it meant to send.

Beside it, in the same rounds, a bare INSERT at the same rate: a disk that takes longer than the goal to commit one
row shows nothing of the door, and the figure is noise.
"""

from __future__ import annotations

import statistics

from tests.bench.checkin_throughput import INSERT, TABLE
from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others, execute, load
from tests.bench.door import open_door

# events/s: goal and stretch of the 99th percentile, ms
LIMITS_MS = {200: (10.0, 5.0), 2_000: (20.0, 10.0)}
CONNECTIONS = 64


async def measure(bench: Bench) -> list[Figure]:
    p99s: dict[int, list[float]] = {rate: [] for rate in LIMITS_MS}
    bare_ms: dict[int, list[float]] = {rate: [] for rate in LIMITS_MS}
    p50s: dict[int, list[float]] = {rate: [] for rate in LIMITS_MS}
    async with bench.database() as addresses, open_door(addresses) as (port, key):
        await execute(addresses.owner, TABLE)
        await load(port, key=key, connections=CONNECTIONS, seconds=1)
        busy: list[float] = []
        for _ in range(bench.rounds):
            busy.append(await busy_with_others())
            for rate in LIMITS_MS:
                bare_ms[rate].append(await bench.pgbench_p99_ms(addresses.owner, INSERT, rate))
                told = await load(port, key=key, connections=CONNECTIONS, seconds=bench.seconds, rate=rate)
                p99s[rate].append(told["p99_ms"])
                p50s[rate].append(told["p50_ms"])
    return [
        Figure(
            "S2",
            f"receipt latency, 99th percentile at {rate:,} check-ins a second",
            statistics.median(p99s[rate]),
            "ms",
            "less",
            goal,
            stretch,
            details=f"median {statistics.median(p50s[rate]):.1f} ms; 99th percentiles of the rounds:"
            f" {', '.join(f'{ms:.1f}' for ms in sorted(p99s[rate]))}; a bare insert's"
            f" {', '.join(f'{ms:.1f}' for ms in sorted(bare_ms[rate]))}; {max(busy):.0%} busy with others",
            noise=max(busy) > BUSY_MAX or statistics.median(bare_ms[rate]) > goal,
        )
        for rate, (goal, stretch) in LIMITS_MS.items()
    ]
