"""S5: 500 events a request, each validated and with its to-do row, against a bare loop of COPY and merge."""

from __future__ import annotations

import sys

from tests.bench.checkin_throughput import TABLE
from tests.bench.common import Bench, Figure, execute, load, run
from tests.bench.door import open_door

CONNECTIONS = 4
PER_REQUEST = 500


async def measure(bench: Bench) -> Figure:
    async with bench.database() as addresses:
        await execute(addresses.owner, TABLE)
        async with open_door(addresses) as (port, key):

            async def bare_copy() -> float:
                command = [sys.executable, "-m", "tests.bench.bare_copy", "--seconds", str(bench.seconds)]
                return float(await run(command, env={"BENCH_DSN": addresses.owner}))

            async def senders() -> float:
                told = await load(
                    port, key=key, connections=CONNECTIONS, seconds=bench.seconds, per_request=PER_REQUEST
                )
                return float(told["per_s"])

            compared = await bench.compare(bare_copy, senders)
    return Figure(
        "S5",
        f"events a second in requests of {PER_REQUEST}, of a bare loop of COPY and merge",
        100 * compared.ratio,
        "%",
        "more",
        goal=50,
        stretch=70,
        details=compared.told("events/s"),
        noise=compared.noise,
    )
