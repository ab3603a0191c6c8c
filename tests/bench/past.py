"""Years of past in bulk: completed visits with their evidence, outcomes and transitions, as the road leaves them.

Ten thousand visits a day, each with a check-in and a check-out that named it; the newest ended yesterday. Rows are
of the same shape and size as real ones, written without the checks that real ones pass.
"""

from __future__ import annotations

import asyncpg

from tests.bench.plan import HOME, PROVIDER

PEOPLE, WORKERS = 20_000, 5_000
SECOND_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i WHERE i.indrelid IN ('visits'::regclass, 'event_outcomes'::regclass, 'transitions'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
PEOPLE_AND_WORKERS = f"""
INSERT INTO service_users (tenant_id, ref, name, area) SELECT 1, 'P-' || n, 'Person ' || n, 'Example Row'
  FROM generate_series(0, {PEOPLE - 1}) AS n;
INSERT INTO places (tenant_id, service_user_ref, lat, lon) SELECT 1, 'P-' || n, {HOME[0]}, {HOME[1]}
  FROM generate_series(0, {PEOPLE - 1}) AS n;
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) SELECT 1, 'C-' || n, 'Worker ' || n, 'ALPHA'
  FROM generate_series(0, {WORKERS - 1}) AS n;
"""
# Ids as phones make them: UUIDs of version 7, in the order of time.
PAST = f"""
CREATE FUNCTION pg_temp.id(at timestamptz, n int, nth int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(nth), 3, '0') || '8'
          || lpad(to_hex(n), 15, '0'))::uuid $$;
CREATE TEMPORARY TABLE past AS
  SELECT n, 'H-' || n AS ref, 'P-' || mod(n, {PEOPLE}) AS person, 'C-' || mod(n, {WORKERS}) AS worker,
         date_trunc('day', now()) - (%(visits)d - n + 1) * interval '8.64 s' AS at
  FROM generate_series(1, %(visits)d) AS n;
INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start, planned_end,
    window_start, commissioned_minutes, care_worker_refs, state, version, actual_start, actual_end, attendances,
    findings, assessed_at, position)
  SELECT 1, ref, person, 'ALPHA', at::date, 'UTC', at, at + interval '30 min', at, 30, ARRAY[worker], 'completed', 3,
    at, at + interval '30 min',
    jsonb_build_array(jsonb_build_object('care_worker', worker, 'check_in_at', at, 'check_out_at',
      at + interval '30 min', 'check_in_event', pg_temp.id(at, n, 0), 'check_out_event',
      pg_temp.id(at + interval '30 min', n, 1), 'amended', false)),
    jsonb_build_array(jsonb_build_object('code', 'location_inside', 'measure', 1.2, 'limit', 100.0, 'unit', 'm',
      'event_id', pg_temp.id(at, n, 0), 'care_worker', worker, 'detail', 'home')),
    at + interval '31 min', n
  FROM past ORDER BY n;
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user,
    visit, lat, lon, accuracy_m, fixed_at, device_id, wall_clock, key_id, body_sha256, body)
  SELECT 1, pg_temp.id(e.at, n, e.nth), e.at + interval '2 s', e.kind, e.at, 'app', worker, person, ref, {HOME[0]},
    {HOME[1]}, 12.0, e.at, 'phone-7', e.at, 1, decode(repeat(md5(ref || e.nth), 2), 'hex'), repeat('x', 400)
  FROM past
  CROSS JOIN LATERAL (VALUES ('check_in', 0, at), ('check_out', 1, at + interval '30 min')) AS e(kind, nth, at)
  ORDER BY n;
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status,
    reason, explicit, decided_at)
  SELECT 1, pg_temp.id(e.at, p.n, e.nth), e.at, person, worker, v.visit_id, 'matched', 'it names the visit', true, e.at
  FROM past p JOIN visits v ON v.tenant_id = 1 AND v.ref = p.ref
  CROSS JOIN LATERAL (VALUES (0, p.at), (1, p.at + interval '30 min')) AS e(nth, at)
  ORDER BY p.n;
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, from_state, to_state)
  SELECT 1, v.visit_id, 'change', e.version, p.at, p.at, e.state, e.next
  FROM past p JOIN visits v ON v.tenant_id = 1 AND v.ref = p.ref
  CROSS JOIN (VALUES (2, 'planned', 'in_progress'), (3, 'in_progress', 'completed')) AS e(version, state, next)
  ORDER BY p.n;
UPDATE board_heads SET position = %(visits)d WHERE tenant_id = 1;
DROP TABLE past;
"""
SIZE = "SELECT pg_database_size(current_database()) / 1e9"


async def remember(dsn: str, visits: int) -> float:
    """As the owner, in an empty database. Returns its size, in gigabytes."""
    connection = await asyncpg.connect(dsn)
    try:
        # Foreign keys are not looked at; the indexes beside the keys are made at the end, in one go.
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        await connection.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
        await connection.execute(PROVIDER)
        await connection.execute(PEOPLE_AND_WORKERS)
        indexes = await connection.fetch(SECOND_INDEXES)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.execute(PAST % {"visits": visits})
        for index in indexes:
            await connection.execute(index["definition"])
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        return float(await connection.fetchval(SIZE))
    finally:
        await connection.close()
