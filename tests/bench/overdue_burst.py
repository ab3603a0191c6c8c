"""S8: 100,000 visits due at the same instant, by a real worker, against one bare statement that writes the same rows.

The worker takes them in batches, so that the first alarms do not wait for the last; each batch and its alerts are
committed on their own. The statement is one transaction and does nothing but write.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta

import asyncpg

from tests.bench.common import Bench, Comparison, Figure, say
from tests.bench.plan import LATE_AFTER, plan, zone_to_noon
from tests.bench.services import ecm_worker

VISITS, QUICK_VISITS = 100_000, 10_000
PEOPLE, WORKERS = 20_000, 5_000
FIRST = 5_000
WARM_UP = 5_000
PATIENCE_SECONDS = 120.0

# The rows that the worker writes for a visit that has become late: the visit, two transitions, one alert.
BARE = """
WITH due AS MATERIALIZED (
  SELECT visit_id, provider_ref, planned_start, deadline_at, row_number() OVER (ORDER BY visit_id) AS nth FROM visits
  WHERE tenant_id = 1 AND visit_id BETWEEN $1::bigint AND $2::bigint
), head AS (
  UPDATE board_heads SET position = position + 2 * ($2 - $1 + 1) WHERE tenant_id = 1
  RETURNING position - 2 * ($2 - $1 + 1) AS base
), written AS (
  UPDATE visits v SET state = 'late', version = 2, deadline_at = d.planned_start + interval '60 min',
    deadline_kind = 'missed', assessed_at = now(), position = head.base + d.nth,
    crossings = jsonb_build_array(jsonb_build_object('kind', 'late', 'deadline_at',
      to_char(d.deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
  FROM due d, head WHERE v.tenant_id = 1 AND v.visit_id = d.visit_id
), crossed AS (
  INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, from_state, to_state)
  SELECT 1, d.visit_id, k.kind, 2, d.deadline_at, now(), 'planned', 'late'
  FROM due d CROSS JOIN (VALUES ('late'), ('change')) AS k(kind)
)
INSERT INTO alerts (tenant_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason, position)
SELECT 1, d.visit_id, d.provider_ref, 'late', d.deadline_at, 'warning', now(), $3::text, head.base + $2 - $1 + 1 + d.nth
FROM due d, head
"""
# Numbers are handed out in the order of writing and by one watcher, so the highest that shows says how far it is.
HOW_FAR = """
SELECT (SELECT coalesce(max(transition_id), 0) FROM transitions WHERE tenant_id = 1),
       (SELECT coalesce(max(alert_id), 0) FROM alerts WHERE tenant_id = 1)
"""
WRITTEN = """
SELECT (SELECT count(*) FROM visits WHERE tenant_id = 1 AND visit_id BETWEEN $1 AND $2 AND state = 'late'),
       (SELECT count(*) FROM transitions WHERE tenant_id = 1 AND visit_id BETWEEN $1 AND $2),
       (SELECT count(*) FROM alerts WHERE tenant_id = 1 AND visit_id BETWEEN $1 AND $2)
"""


async def measure(bench: Bench) -> list[Figure]:
    visits = QUICK_VISITS if bench.quick else VISITS
    bare, worker, firsts, assessed = [], [], [], []
    async with bench.database() as addresses:
        await zone_to_noon(addresses.owner)
        connection = await asyncpg.connect(addresses.owner)
        try:
            async with ecm_worker(addresses):
                await burst(connection, addresses.owner, 1, WARM_UP, timedelta(seconds=5))
                for nth in range(bench.rounds):
                    first = 1 + WARM_UP + 2 * nth * visits
                    bare_s, patience = await statement(connection, addresses.owner, first, visits)
                    bare.append(bare_s)
                    took = await burst(connection, addresses.owner, first + visits, visits, patience)
                    worker.append(took[2])
                    firsts.append(took[0])
                    assessed.append(took[1])
                    first_s, assessed_s, all_s = took
                    say(
                        f"worker {all_s:.2f} s (first {first_s:.2f}, assessed {assessed_s:.2f}); bare {bare[-1]:.2f} s"
                    )
        finally:
            await connection.close()
    compared = Comparison(tuple(bare), tuple(worker))
    return [
        Figure(
            "S8",
            f"{visits:,} visits due at once, all assessed and alerts written: times one bare statement's time",
            compared.ratio,
            "×",
            "less",
            goal=3,
            stretch=2,
            details=f"{statistics.median(worker):.1f} s ({visits / statistics.median(worker):,.0f}/s; all"
            f" assessed after {statistics.median(assessed):.1f} s) against {statistics.median(bare):.1f} s;"
            f" spread {compared.spread:.0%}, {len(compared.baseline)} rounds",
            noise=compared.noise,
        ),
        Figure(
            "S8",
            f"the first {min(FIRST, visits):,} of them assessed and written",
            statistics.median(firsts),
            "s",
            "less",
            goal=1,
            stretch=0.2,
            details=f"after their deadline; rounds {', '.join(f'{s:.2f}' for s in sorted(firsts))};"
            " PROOF names no goal for it beside the stretch",
            noise=compared.noise,
        ),
    ]


async def statement(
    connection: asyncpg.Connection[asyncpg.Record], dsn: str, first: int, visits: int
) -> tuple[float, timedelta]:
    """Seconds that it took, and how long planning may take at most, going by how long it just took."""
    began_at = datetime.now(UTC)
    tomorrow = began_at + timedelta(days=1)
    offset = await plan(dsn, first, visits, tomorrow, people=PEOPLE, workers=WORKERS)
    patience = timedelta(seconds=3) + 2 * (datetime.now(UTC) - began_at)
    began = time.perf_counter()
    await connection.execute(BARE, first + offset, first + offset + visits - 1, "no check-in yet")
    took = time.perf_counter() - began
    await verify(connection, first + offset, visits)
    return took, patience


async def burst(
    connection: asyncpg.Connection[asyncpg.Record], dsn: str, first: int, visits: int, patience: timedelta
) -> tuple[float, float, float]:
    """Seconds from the deadline until FIRST visits, all visits, and all their alerts are written.

    The deadline falls `patience` from now, by when they must be planned.
    """
    transitions, alerts = await connection.fetchrow(HOW_FAR)  # type: ignore[misc]
    due_at = datetime.now(UTC) + patience
    offset = await plan(dsn, first, visits, due_at - LATE_AFTER, people=PEOPLE, workers=WORKERS)
    assert datetime.now(UTC) < due_at, "planning took so long that the deadline passed"
    await asyncio.sleep((due_at - datetime.now(UTC)).total_seconds())
    reached: list[float] = []
    goals = [min(FIRST, visits) * 2, visits * 2]
    give_up_at = time.perf_counter() + PATIENCE_SECONDS
    while len(reached) < 3:
        assert time.perf_counter() < give_up_at, "not all of them were written in time"
        transition, alert = await connection.fetchrow(HOW_FAR)  # type: ignore[misc]
        since = (datetime.now(UTC) - due_at).total_seconds()
        while len(reached) < 2 and transition - transitions >= goals[len(reached)]:
            reached.append(since)
        if len(reached) == 2 and alert - alerts >= visits:
            reached.append(since)
        await asyncio.sleep(0.005)
    await verify(connection, first + offset, visits)
    return reached[0], reached[1], reached[2]


async def verify(connection: asyncpg.Connection[asyncpg.Record], visit_id: int, visits: int) -> None:
    written = tuple(await connection.fetchrow(WRITTEN, visit_id, visit_id + visits - 1))  # type: ignore[arg-type]
    assert written == (visits, 2 * visits, visits), written
