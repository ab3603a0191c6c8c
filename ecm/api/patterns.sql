-- name: worker role: ecm_web
-- One care worker, if the reader's provider employs them.
SELECT w.ref, w.name, w.provider_ref, p.name AS provider_name, t.zone
FROM care_workers w
JOIN providers p ON p.tenant_id = w.tenant_id AND p.ref = w.provider_ref
JOIN tenants t ON t.tenant_id = w.tenant_id
WHERE w.tenant_id = $1::int AND w.ref = $2::text AND ($3::text IS NULL OR w.provider_ref = $3::text);

-- name: stays role: ecm_web
-- The visits of a span that a worker attended, newest first.
SELECT v.visit_id, v.ref, v.local_date, v.planned_start, v.planned_end, v.attendances, v.findings
FROM visits v
WHERE v.tenant_id = $1::int AND v.local_date BETWEEN $4::date AND $5::date
  AND v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', $2::text))
  AND ($3::text IS NULL OR v.provider_ref = $3::text)
ORDER BY v.local_date DESC, v.visit_id DESC
LIMIT $6::int;

-- name: events_on role: ecm_web
-- A worker's events that count for these visits.
SELECT e.event_id, e.received_at, e.kind, e.occurred_at, e.method, e.care_worker, e.service_user, e.visit,
  e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code, e.device_id, e.wall_clock, e.proofs,
  o.visit_id, o.care_worker_ref, o.service_user_ref
FROM event_outcomes o
JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
WHERE o.tenant_id = $1::int AND o.care_worker_ref = $2::text AND o.visit_id = ANY ($3::bigint[])
ORDER BY e.occurred_at, e.event_id;
