"""Planned visits in bulk, by SQL: what an import would have left behind, once processing had looked at it.

Visit n (reference B-n) is at person P-n's home with care worker C-n, where the numbers of people and workers may be
fewer than the visits'. Every home is at HOME, so that any worker may come from any other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

HOME = (53.80035, -1.54922)
LATE_AFTER = timedelta(minutes=15)

# It is always about noon where the visits are: no day ends, and no cut-off passes, during a run.
ZONE = "UPDATE tenants SET zone = $1 WHERE tenant_id = 1"
PROVIDER = """INSERT INTO providers (tenant_id, ref, name) VALUES (1, 'ALPHA', 'Alpha Care') ON CONFLICT DO NOTHING"""
PEOPLE = """
INSERT INTO service_users (tenant_id, ref, name, area)
SELECT 1, 'P-' || n, 'Person ' || n, 'Example Row' FROM generate_series($1::int, $2::int) AS n ON CONFLICT DO NOTHING
"""
HOMES = """
INSERT INTO places (tenant_id, service_user_ref, lat, lon)
SELECT 1, 'P-' || n, $3, $4 FROM generate_series($1::int, $2::int) AS n ON CONFLICT DO NOTHING
"""
WORKERS = """
INSERT INTO care_workers (tenant_id, ref, name, provider_ref)
SELECT 1, 'C-' || n, 'Worker ' || n, 'ALPHA' FROM generate_series($1::int, $2::int) AS n ON CONFLICT DO NOTHING
"""
VISITS = """
INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start, planned_end,
                    window_start, commissioned_minutes, care_worker_refs, version, deadline_at, deadline_kind,
                    assessed_at)
SELECT 1, 'B-' || n, 'P-' || mod(n, $3::int), 'ALPHA', (at AT TIME ZONE $5)::date, $5, at, at + interval '30 min',
       at, 30, ARRAY['C-' || mod(n, $4::int)], 1, at + interval '15 min', 'late', now()
FROM generate_series($1::int, $2::int) AS n
CROSS JOIN LATERAL (SELECT $6::timestamptz + (n - $1) * $7::interval) AS start(at)
"""
NUMBER = "SELECT visit_id FROM visits WHERE tenant_id = 1 AND ref = $1"


async def plan(
    dsn: str,
    first: int,
    count: int,
    starts_at: datetime,
    apart: timedelta = timedelta(0),
    *,
    people: int = 1_000_000,
    workers: int = 1_000_000,
) -> int:
    """Visits `first`, `first` + 1, … `apart` from one another, open and waiting for their check-in. As the owner.

    Returns what to add to a number for its visit_id.
    """
    last = first + count - 1
    zone = noon_zone(datetime.now(UTC))
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(ZONE, zone)
            await connection.execute(PROVIDER)
            for made, many in ((PEOPLE, people), (WORKERS, workers)):
                await connection.execute(made, *_numbers(first, last, many))
            await connection.execute(HOMES, *_numbers(first, last, people), *HOME)
            await connection.execute(VISITS, first, last, people, workers, zone, starts_at, apart)
        # So that neither the planner nor a checkpoint surprises whoever measures next.
        await connection.execute("ANALYZE visits, service_users, places, care_workers")
        await connection.execute("CHECKPOINT")
        ids = [await connection.fetchval(NUMBER, f"B-{n}") - n for n in (first, last)]
        assert ids[0] == ids[1], "somebody else planned visits meanwhile"
        return int(ids[0])
    finally:
        await connection.close()


async def zone_to_noon(dsn: str) -> None:
    """For a board that is opened before its visits are planned."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(ZONE, noon_zone(datetime.now(UTC)))
    finally:
        await connection.close()


def noon_zone(now: datetime) -> str:
    hours_to_noon = 12 - now.hour
    return "UTC" if hours_to_noon == 0 else f"Etc/GMT{-hours_to_noon:+d}"  # POSIX: minus is east


def _numbers(first: int, last: int, many: int) -> tuple[int, int]:
    """The people (or workers) of these visits: all of `many` when they come round."""
    return (first, last) if last < many else (0, many - 1)
