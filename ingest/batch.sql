-- name: store_events role: ecm_ingest
-- One batch, one round trip, one commit. Its tenants are named inside the statement, before the first row is
-- written, so that row-level security refuses every other tenant. Answers the places (from 1) of the rows that
-- were there already. A SELECT in a CTE runs only if it is read: hence the notification in the answer itself.
WITH scope AS MATERIALIZED (
  SELECT set_config('ecm.tenants', $1::text, true)
), sent AS MATERIALIZED (
  SELECT s.*
  FROM scope, unnest($2::arriving_event[]) WITH ORDINALITY AS s
), added AS (
  INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,
    service_user, visit, lat, lon, accuracy_m, fixed_at, cli, reason_code, device_id, wall_clock, key_id,
    body_sha256, body, proofs)
  SELECT tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user, visit, lat, lon,
    accuracy_m, fixed_at, cli, reason_code, device_id, wall_clock, key_id, body_sha256, body,
    CASE WHEN proofs = '' THEN '{}' ELSE string_to_array(proofs, ' ') END
  FROM sent
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, event_id
), queued AS (
  INSERT INTO processing_queue (tenant_id, event_id) SELECT tenant_id, event_id FROM added
)
SELECT
  ARRAY(SELECT s.ordinality FROM sent s
        WHERE (SELECT count(*) FROM added) < cardinality($2::arriving_event[])
          AND NOT EXISTS (SELECT FROM added a WHERE a.tenant_id = s.tenant_id AND a.event_id = s.event_id)
       ) AS known,
  (SELECT count(pg_notify('ecm_work', '')) FROM (SELECT FROM added LIMIT 1) AS news) AS notified;

-- name: set_tenants role: ecm_ingest
-- The tenants that the rest of this transaction may read.
SELECT set_config('ecm.tenants', $1::text, true);

-- name: stored_events role: ecm_ingest
-- What is stored under ids that were there already.
SELECT s.place, e.received_at, e.body_sha256, e.body
FROM unnest($1::integer[], $2::uuid[]) WITH ORDINALITY AS s (tenant_id, event_id, place)
JOIN check_events e ON e.tenant_id = s.tenant_id AND e.event_id = s.event_id;
