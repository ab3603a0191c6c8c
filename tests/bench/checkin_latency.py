"""S2: how long a sender waits for its receipt, at a steady rate, from the instant it meant to send."""

from __future__ import annotations

import statistics

from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others, load
from tests.bench.door import open_door

# events/s: goal and stretch of the 99th percentile, ms
LIMITS_MS = {200: (10.0, 5.0), 2_000: (20.0, 10.0)}
CONNECTIONS = 64


async def measure(bench: Bench) -> list[Figure]:
    p99s: dict[int, list[float]] = {rate: [] for rate in LIMITS_MS}
    p50s: dict[int, list[float]] = {rate: [] for rate in LIMITS_MS}
    async with bench.database() as addresses, open_door(addresses) as (port, key):
        await load(port, key=key, connections=CONNECTIONS, seconds=1)
        busy: list[float] = []
        for _ in range(bench.rounds):
            busy.append(await busy_with_others())
            for rate in LIMITS_MS:
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
            f" {', '.join(f'{ms:.1f}' for ms in sorted(p99s[rate]))}; {max(busy):.0%} busy with others",
            noise=max(busy) > BUSY_MAX,
        )
        for rate, (goal, stretch) in LIMITS_MS.items()
    ]
