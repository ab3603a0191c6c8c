-- name: keep_aside role: ecm_ingest
-- Bodies that cannot be understood, and other bodies under a known id: kept, never lost.
WITH scope AS MATERIALIZED (
  SELECT set_config('ecm.tenants', '{' || $1::integer || '}', true)
)
INSERT INTO quarantine (tenant_id, received_at, door, reason, event_id, key_id, body)
SELECT $1::integer, $2::timestamptz, $3::text, s.reason, s.event_id, $4::bigint, s.body
FROM scope, unnest($5::text[], $6::uuid[], $7::bytea[]) AS s (reason, event_id, body);
