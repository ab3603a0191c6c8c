-- name: line role: ecm_web
-- Whose number was rung, before the tenant is known.
SELECT tenant_id, use, care_worker_ref, language, call_back FROM ecm_line($1::text, $2::text);

-- name: tenant_of role: ecm_web
-- Whose phone call this is, before the tenant is known.
SELECT ecm_phone_call($1::text, $2::text);

-- name: zone role: ecm_web
-- The authority's own time.
SELECT zone FROM tenants WHERE tenant_id = $1::int;

-- name: begin role: ecm_web
-- A phone call that begins, once.
INSERT INTO phone_calls (tenant_id, gateway, call_id, began_at, cli, dialled, interview, answers)
VALUES ($1::int, $2::text, $3::text, $4::timestamptz, $5::text, $6::text, $7::jsonb, $8::jsonb)
ON CONFLICT DO NOTHING;

-- name: phone_call role: ecm_web
-- Where a phone call stands.
SELECT c.gateway, c.call_id, c.began_at, c.cli, c.dialled, c.step, c.interview, c.answers, c.ended_at, t.zone
FROM phone_calls c JOIN tenants t ON t.tenant_id = c.tenant_id
WHERE c.tenant_id = $1::int AND c.gateway = $2::text AND c.call_id = $3::text;

-- name: save role: ecm_web
-- The next step, if nobody took it before; with the answer, once there is one.
UPDATE phone_calls SET step = $5::int, interview = $6::jsonb,
  answers = CASE WHEN $7::jsonb IS NULL THEN answers ELSE answers || jsonb_build_object(($5::int)::text, $7::jsonb) END,
  ended_at = coalesce(ended_at, $8::timestamptz)
WHERE tenant_id = $1::int AND gateway = $2::text AND call_id = $3::text AND step = $4::int
  AND NOT answers ? ($5::int)::text
RETURNING step;

-- name: abandoned role: ecm_web
-- Phone calls whose end nobody told us.
SELECT gateway, call_id FROM phone_calls
WHERE tenant_id = $1::int AND ended_at IS NULL AND began_at < $2::timestamptz
ORDER BY began_at LIMIT $3::int;

-- name: tenants role: ecm_ingest
-- Every authority that may have phone calls left open.
SELECT tenant_id FROM tenants ORDER BY tenant_id;

-- name: people_of_number role: ecm_web
-- Who lives where this telephone is, with whether a code card is there.
SELECT s.ref, s.name, s.needs,
  EXISTS (SELECT FROM code_cards k WHERE k.tenant_id = s.tenant_id AND k.service_user_ref = s.ref
          AND k.retired_at IS NULL) AS card
FROM service_user_phones p JOIN service_users s ON s.tenant_id = p.tenant_id AND s.ref = p.service_user_ref
WHERE p.tenant_id = $1::int AND p.phone = $2::text ORDER BY s.ref LIMIT 20;

-- name: expected_at role: ecm_web
-- The care workers who are due at these people about now, or are with them, and have a PIN.
SELECT DISTINCT w.ref, w.pin_hash
FROM visits v
CROSS JOIN LATERAL (
  SELECT unnest(v.care_worker_refs) AS ref
  UNION ALL
  SELECT a ->> 'care_worker' FROM jsonb_array_elements(v.attendances) AS a) AS due
JOIN care_workers w ON w.tenant_id = v.tenant_id AND w.ref = due.ref
WHERE v.tenant_id = $1::int AND v.service_user_ref = ANY ($2::text[]) AND NOT v.cancelled
  AND v.window_start BETWEEN $3::timestamptz - interval '12 hours' AND $3::timestamptz + interval '12 hours'
  AND w.pin_hash IS NOT NULL
ORDER BY w.ref LIMIT 50;

-- name: workers role: ecm_web
-- These care workers, with their PINs' hashes.
SELECT ref, provider_ref, pin_hash FROM care_workers WHERE tenant_id = $1::int AND ref = ANY ($2::text[]);

-- name: workers_of_mobile role: ecm_web
-- Who registered this mobile.
SELECT ref, provider_ref, pin_hash FROM care_workers WHERE tenant_id = $1::int AND phone = $2::text
ORDER BY ref LIMIT 5;

-- name: workers_of_number role: ecm_web
-- Who may mean themselves by a number: the digits of their reference, or their own mobile.
SELECT ref FROM care_workers
WHERE tenant_id = $1::int AND pin_hash IS NOT NULL
  AND (ltrim(regexp_replace(ref, '\D', '', 'g'), '0') = ltrim($2::text, '0') AND ref ~ '\d' OR phone = $3::text)
ORDER BY ref LIMIT 5;

-- name: visits_with role: ecm_web
-- A worker's visits with these people about now, planned or attended, the nearest first.
SELECT v.service_user_ref, v.planned_start, w.ref = ANY (v.care_worker_refs) AS planned, v.attendances
FROM visits v, (SELECT $3::text AS ref) AS w
WHERE v.tenant_id = $1::int AND v.service_user_ref = ANY ($2::text[]) AND NOT v.cancelled
  AND v.window_start BETWEEN $4::timestamptz - interval '16 hours' AND $4::timestamptz + interval '16 hours'
  AND (w.ref = ANY (v.care_worker_refs)
       OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', w.ref)))
ORDER BY abs(extract(epoch FROM v.window_start - $4::timestamptz)), v.visit_id LIMIT 50;

-- name: roster role: ecm_web
-- Whom a worker is due to see about now, or is with, the nearest first.
SELECT v.service_user_ref AS ref, s.name, s.needs, v.planned_start, v.planned_end, v.attendances,
  w.ref = ANY (v.care_worker_refs) AS planned,
  EXISTS (SELECT FROM code_cards k WHERE k.tenant_id = s.tenant_id AND k.service_user_ref = s.ref
          AND k.retired_at IS NULL) AS card
FROM visits v JOIN service_users s ON s.tenant_id = v.tenant_id AND s.ref = v.service_user_ref,
     (SELECT $2::text AS ref) AS w
WHERE v.tenant_id = $1::int
  AND v.local_date BETWEEN ($3::timestamptz - interval '1 day')::date AND ($3::timestamptz + interval '1 day')::date
  AND (w.ref = ANY (v.care_worker_refs)
       OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', w.ref)))
  AND NOT v.cancelled AND v.window_start BETWEEN $3::timestamptz - interval '16 hours'
                                             AND $3::timestamptz + interval '4 hours'
ORDER BY abs(extract(epoch FROM v.window_start - $3::timestamptz)), v.visit_id LIMIT 50;

-- name: card role: ecm_web
-- Whose home a code card is in, by the number printed on it.
SELECT s.ref, s.name, s.needs, true AS card
FROM code_cards k JOIN service_users s ON s.tenant_id = k.tenant_id AND s.ref = k.service_user_ref
WHERE k.tenant_id = $1::int AND k.card_id = $2::bigint AND k.retired_at IS NULL;

-- name: person role: ecm_web
-- One person.
SELECT s.ref, s.name, s.needs,
  EXISTS (SELECT FROM code_cards k WHERE k.tenant_id = s.tenant_id AND k.service_user_ref = s.ref
          AND k.retired_at IS NULL) AS card
FROM service_users s WHERE s.tenant_id = $1::int AND s.ref = $2::text;

-- name: last_event role: ecm_web
-- What a worker said last, by any door: as understood, or still waiting to be.
SELECT o.kind, o.occurred_at, o.service_user FROM (
  (SELECT e.kind, e.occurred_at, t.service_user_ref AS service_user
   FROM event_outcomes t JOIN check_events e ON e.tenant_id = t.tenant_id AND e.event_id = t.event_id
   WHERE t.tenant_id = $1::int AND t.care_worker_ref = $2::text AND t.status <> 'rejected'
     AND t.occurred_at BETWEEN $3::timestamptz - interval '16 hours' AND $3::timestamptz
   ORDER BY t.occurred_at DESC, t.event_id DESC LIMIT 1)
  UNION ALL
  (SELECT e.kind, e.occurred_at, e.service_user
   FROM processing_queue q JOIN check_events e ON e.tenant_id = q.tenant_id AND e.event_id = q.event_id
   WHERE q.tenant_id = $1::int AND e.care_worker = $2::text
     AND e.occurred_at BETWEEN $3::timestamptz - interval '16 hours' AND $3::timestamptz
   ORDER BY e.occurred_at DESC LIMIT 1)
) AS o ORDER BY o.occurred_at DESC LIMIT 1;

-- name: keep_tasks role: ecm_web
-- What a worker says they have done, beside the visit it was: once.
WITH about AS (
  SELECT v.visit_id FROM visits v
  WHERE v.tenant_id = $1::int AND v.service_user_ref = $5::text AND NOT v.cancelled
    AND v.window_start BETWEEN $3::timestamptz - interval '12 hours' AND $3::timestamptz + interval '12 hours'
    AND ($4::text = ANY (v.care_worker_refs)
         OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', $4::text)))
  ORDER BY abs(extract(epoch FROM coalesce(v.planned_end, v.window_start) - $3::timestamptz)), v.visit_id LIMIT 1
)
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, care_worker_ref, provider_ref,
  service_user_ref, visit_id, tasks, proofs, body_sha256, body)
SELECT $1::int, $2::uuid, 'tasks', $3::timestamptz, $6::timestamptz, $4::text,
  (SELECT w.provider_ref FROM care_workers w WHERE w.tenant_id = $1::int AND w.ref = $4::text), $5::text,
  (SELECT visit_id FROM about), $7::jsonb, $8::text[], $9::bytea, $10::text
ON CONFLICT DO NOTHING;
