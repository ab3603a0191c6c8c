-- name: due role: ecm_worker
-- The visits whose deadline has passed and that no other watcher holds, but for those put aside after an error.
SELECT tenant_id, visit_id FROM visits
WHERE deadline_at <= $1::timestamptz
  AND (tenant_id, visit_id) NOT IN (SELECT * FROM unnest($3::int[], $4::bigint[]))
ORDER BY deadline_at
LIMIT $2::int
FOR NO KEY UPDATE SKIP LOCKED;

-- name: next_deadline role: ecm_worker
-- The instant to sleep until.
SELECT min(deadline_at) AS at FROM visits
WHERE deadline_at IS NOT NULL AND (tenant_id, visit_id) NOT IN (SELECT * FROM unnest($1::int[], $2::bigint[]));

-- name: report role: ecm_worker
-- A visit that cannot be assessed goes to processing's to-dos, which tries it now and then and tells the health page.
INSERT INTO processing_queue (tenant_id, visit_id, tries, last_error, available_at)
SELECT $1::int, $2::bigint, 1, $3::text, $4::timestamptz
WHERE NOT EXISTS (SELECT FROM processing_queue WHERE tenant_id = $1 AND visit_id = $2);

-- name: oldest_waiting role: ecm_worker
-- When the evidence that has waited longest was received; also what another worker is just about to finish. Rows
-- put off after an error do not count: they must not hold up anybody's alarm.
SELECT e.received_at FROM processing_queue q
CROSS JOIN LATERAL (
  SELECT e.received_at FROM check_events e WHERE e.tenant_id = q.tenant_id AND e.event_id = q.event_id LIMIT 1) e
WHERE q.tries = 0 ORDER BY q.available_at, q.todo_id LIMIT 1;
