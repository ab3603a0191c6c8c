-- name: get_event role: ecm_web
-- One event and what became of it. A provider sees those on its own visits, and of its workers' those on no visit: what
-- a worker did for another provider, before they changed or while they were lent, is that provider's.
SELECT e.event_id, e.received_at, e.kind, e.occurred_at, e.method, e.care_worker, e.service_user, e.visit,
  e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code, e.device_id, e.wall_clock,
  e.proofs, e.body,
  CASE WHEN e.lat IS NULL THEN (
    SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings,
      'distance_m', r.distance_m, 'fence_m', r.fence_m)
    FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced,
  o.status, o.reason, o.visit_id, o.care_worker_ref, o.service_user_ref, v.findings
FROM check_events e
LEFT JOIN event_outcomes o ON o.tenant_id = e.tenant_id AND o.event_id = e.event_id
LEFT JOIN visits v ON v.tenant_id = o.tenant_id AND v.visit_id = o.visit_id
LEFT JOIN care_workers w ON w.tenant_id = e.tenant_id AND w.ref = coalesce(o.care_worker_ref, e.care_worker)
WHERE e.tenant_id = $1::int AND e.event_id = $2::uuid
  AND ($3::text IS NULL OR v.provider_ref = $3 OR (v.visit_id IS NULL AND w.provider_ref = $3))

-- name: list_events role: ecm_web
-- Events received between two instants ($3, $4), oldest first, from a place on. Values, because whoever plans must know how
-- much lies between them: whose an event is costs a look, and a page shall look at no more than it shows.
SELECT e.event_id, e.received_at, e.kind, o.visit_id, o.status, o.reason
FROM check_events e
LEFT JOIN event_outcomes o ON o.tenant_id = e.tenant_id AND o.event_id = e.event_id
LEFT JOIN visits v ON v.tenant_id = o.tenant_id AND v.visit_id = o.visit_id
LEFT JOIN care_workers w ON w.tenant_id = e.tenant_id AND w.ref = coalesce(o.care_worker_ref, e.care_worker)
WHERE e.tenant_id = $1::int
  AND ($2::text IS NULL OR v.provider_ref = $2 OR (v.visit_id IS NULL AND w.provider_ref = $2))
  AND e.received_at >= $3::timestamptz AND e.received_at < $4::timestamptz
  AND (e.received_at, e.event_id) > ($5::timestamptz, $6::uuid)
ORDER BY e.received_at, e.event_id
LIMIT $7::int

-- name: list_unmatched role: ecm_web
-- Events that belong to no visit yet, oldest first. A provider sees its own workers'.
SELECT e.event_id, e.received_at, e.kind, e.occurred_at, e.method, e.care_worker, e.service_user, e.visit,
  e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code, e.device_id, e.wall_clock,
  e.proofs, e.body,
  CASE WHEN e.lat IS NULL THEN (
    SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings,
      'distance_m', r.distance_m, 'fence_m', r.fence_m)
    FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced,
  o.status, o.reason, o.visit_id, o.care_worker_ref, o.service_user_ref
FROM event_outcomes o
JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
LEFT JOIN care_workers w ON w.tenant_id = e.tenant_id AND w.ref = coalesce(o.care_worker_ref, e.care_worker)
WHERE o.tenant_id = $1::int AND o.status = 'unmatched'
  AND ($2::text IS NULL OR w.provider_ref = $2)
  AND (o.occurred_at, o.event_id) > ($3::timestamptz, $4::uuid)
ORDER BY o.occurred_at, o.event_id
LIMIT $5::int

-- name: events_of_visit role: ecm_web
-- A visit's evidence, including what an officer took away from it.
SELECT e.event_id, e.received_at, e.kind, e.occurred_at, e.method, e.care_worker, e.service_user, e.visit,
  e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code, e.device_id, e.wall_clock,
  e.proofs, e.body,
  CASE WHEN e.lat IS NULL THEN (
    SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings,
      'distance_m', r.distance_m, 'fence_m', r.fence_m)
    FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced,
  o.status, o.reason, o.visit_id, o.care_worker_ref, o.service_user_ref
FROM check_events e
JOIN event_outcomes o ON o.tenant_id = e.tenant_id AND o.event_id = e.event_id
WHERE e.tenant_id = $1::int AND (o.visit_id = $2::bigint OR e.event_id IN (
  SELECT a.event_id FROM amendments a
  WHERE a.tenant_id = $1::int AND a.visit_id = $2::bigint AND a.event_id IS NOT NULL))
ORDER BY e.occurred_at, e.event_id

-- name: list_quarantine role: ecm_web
-- What could not be understood, oldest first, from a place on.
SELECT quarantine_id, received_at, door, reason, event_id, key_id, body
FROM quarantine
WHERE tenant_id = $1::int AND quarantine_id > $2::bigint
ORDER BY quarantine_id
LIMIT $3::int
