"""S1: check events, one a request, against the same rows inserted one by one by pgbench."""

from __future__ import annotations

from tests.bench.common import Bench, Figure, execute, load
from tests.bench.door import open_door
from tests.bench.load import EVENT

CONNECTIONS = 64

# The same columns, constraints and key as check_events, without its row-level security.
TABLE = "CREATE TABLE bare_events (LIKE check_events INCLUDING ALL)"
INSERT = f"""
INSERT INTO bare_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user,
  visit, lat, lon, accuracy_m, fixed_at, device_id, wall_clock, key_id, body_sha256, body)
VALUES (1, gen_random_uuid(), now(), 'check_in', '2026-03-02T09:02:11Z', 'app', 'CW-104', 'SU-2231', 'V-90211',
  53.80035, -1.54922, 12.0, '2026-03-02T09:02:09Z', 'phone-7', '2026-03-02T09:02:12Z', 1,
  decode('{"ab" * 32}', 'hex'), '{EVENT.replace("%s", "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11")}')
ON CONFLICT DO NOTHING;
"""


async def measure(bench: Bench) -> Figure:
    async with bench.database() as addresses:
        await execute(addresses.owner, TABLE)
        async with open_door(addresses) as (port, key):

            async def pgbench() -> float:
                return await bench.pgbench(addresses.owner, INSERT)

            async def senders() -> float:
                told = await load(port, key=key, connections=CONNECTIONS, seconds=bench.seconds)
                return float(told["per_s"])

            compared = await bench.compare(pgbench, senders)
    return Figure(
        "S1",
        f"check-ins a second over {CONNECTIONS} connections, of pgbench's single-row inserts (16 clients)",
        100 * compared.ratio,
        "%",
        "more",
        goal=60,
        stretch=75,
        details=compared.told("events/s"),
        noise=compared.noise,
    )
