"""S5's floor: COPY into a temporary table and merge, by a process that does nothing else. Prints events a second."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator

import asyncpg
import uvloop

from tests.bench.load import EVENT, Ids

COLUMNS = (
    "tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user, visit, lat, lon,"
    " accuracy_m, fixed_at, device_id, wall_clock, key_id, body_sha256, body"
)
VALUES = (
    "1|%s|2026-03-02T09:02:13Z|check_in|2026-03-02T09:02:11Z|app|CW-104|SU-2231|V-90211|53.80035|-1.54922|12.0"
    "|2026-03-02T09:02:09Z|phone-7|2026-03-02T09:02:12Z|1"
)
BODY = EVENT.replace("%s", "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11")
LINE = VALUES.replace("|", "\t") + "\t\\\\x" + "ab" * 32 + "\t" + BODY + "\n"


async def copy_for(dsn: str, per_batch: int, seconds: float) -> int:
    """Events stored."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "CREATE TEMPORARY TABLE incoming (LIKE bare_events INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
    )
    ids = Ids()
    stored = 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        text = "".join([LINE % ids.make() for _ in range(per_batch)]).encode()
        async with connection.transaction():
            await connection.copy_to_table("incoming", source=_once(text), columns=COLUMNS.split(", "))
            await connection.execute(
                f"INSERT INTO bare_events ({COLUMNS}) SELECT {COLUMNS} FROM incoming ON CONFLICT DO NOTHING"
            )
        stored += per_batch
    await connection.close()
    return stored


async def _once(text: bytes) -> AsyncIterator[bytes]:
    yield text


async def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--connections", type=int, default=1)
    asked.add_argument("--per-batch", type=int, default=500)
    asked.add_argument("--seconds", type=float, default=4.0)
    options = asked.parse_args()
    began = time.perf_counter()
    stored = await asyncio.gather(
        *(
            copy_for(os.environ["BENCH_DSN"], options.per_batch, options.seconds)
            for _ in range(options.connections)
        )
    )
    print(sum(stored) / (time.perf_counter() - began))


if __name__ == "__main__":
    uvloop.run(main())
