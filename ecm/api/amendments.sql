-- name: visit_to_amend role: ecm_web
-- Whose visit it is, when, and who was to come, so that a mistyped time or worker can be told.
SELECT visit_id, window_start, care_worker_refs FROM visits
WHERE tenant_id = $1::int AND visit_id = $2::bigint AND ($3::text IS NULL OR provider_ref = $3)

-- name: may_name_care_worker role: ecm_web
-- A provider ($3; NULL for the commissioner) names its own workers, and whoever the plan ($4) sends to this visit ($5):
-- a borrowed worker is in the plan, which is the commissioner's to import. Nobody learns whom another provider employs.
SELECT EXISTS (SELECT FROM care_workers
    WHERE tenant_id = $1::int AND ref = $2::text AND ($3::text IS NULL OR provider_ref = $3))
  OR EXISTS (SELECT FROM ecm_workers_on(ARRAY[$5::bigint]) WHERE ref = $2::text AND ref = ANY ($4::text[]))

-- name: insert_amendment role: ecm_web
-- Added, never edited. Nothing comes back when this idempotency key was used before.
INSERT INTO amendments (tenant_id, visit_id, kind, event_id, care_worker, check_in_at, check_out_at, reason_code,
  action_taken, note, made_by, made_at, idempotency_key, former_visit_id)
VALUES ($1::int, $2::bigint, $3::text, $4::uuid, $5::text, $6::timestamptz, $7::timestamptz, $8::text, $9::text,
  $10::text, $11::text, $12::timestamptz, $13::text, $14::bigint)
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING amendment_id, visit_id, kind, event_id, care_worker, check_in_at, check_out_at, reason_code,
  action_taken, note, made_by, made_at

-- name: amendment_by_key role: ecm_web
-- What was added under this idempotency key.
SELECT amendment_id, visit_id, kind, event_id, care_worker, check_in_at, check_out_at, reason_code,
  action_taken, note, made_by, made_at
FROM amendments
WHERE tenant_id = $1::int AND idempotency_key = $2::text

-- name: amendments_of_visit role: ecm_web
-- A visit's corrections, in the order they were added.
SELECT amendment_id, visit_id, kind, event_id, care_worker, check_in_at, check_out_at, reason_code,
  action_taken, note, made_by, made_at
FROM amendments
WHERE tenant_id = $1::int AND visit_id = $2::bigint
ORDER BY amendment_id

-- name: insert_todos role: ecm_web
-- What processing must work out again, written with its cause.
INSERT INTO processing_queue (tenant_id, event_id, visit_id)
SELECT $1::int, event_id, NULL FROM unnest($2::uuid[]) AS event_id
UNION ALL
SELECT $1::int, NULL, visit_id FROM unnest($3::bigint[]) AS visit_id

-- name: tell_processing role: ecm_web
-- Heard when this transaction commits.
SELECT pg_notify('ecm_work', '')
