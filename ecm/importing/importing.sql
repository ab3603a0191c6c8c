-- name: begin role: ecm_web
-- One import of a tenant at a time: the second waits, and compares with what the first wrote.
SELECT pg_advisory_xact_lock(hashtext('ecm import'), $1::int);

-- name: zone role: ecm_web
-- Where the local times of the files are local.
SELECT t.zone FROM tenants t WHERE t.tenant_id = $1::int;

-- name: counts role: ecm_web
-- What the file changed.
SELECT count(*) FILTER (WHERE c.is_new) AS new, count(*) FILTER (WHERE NOT c.is_new) AS updated,
       coalesce(bool_or(c.assessed), false) AS assessed
FROM import_changed c;

-- name: queue_unmatched role: ecm_web
-- Evidence of the last week that matched nothing may match what has just become known; and what was counted for
-- the nearest visit, because the one it names was not known, may have to move there.
INSERT INTO processing_queue (tenant_id, event_id, available_at)
SELECT $1::int, o.event_id, 'epoch'::timestamptz FROM event_outcomes o
WHERE o.tenant_id = $1::int AND o.status = 'unmatched' AND o.occurred_at >= $2::timestamptz - interval '7 days'
UNION ALL
SELECT $1::int, o.event_id, 'epoch'::timestamptz FROM event_outcomes o
JOIN check_events e ON e.tenant_id = $1::int AND e.event_id = o.event_id
JOIN visits v ON v.tenant_id = $1::int AND v.ref = e.visit
WHERE o.tenant_id = $1::int AND o.status = 'matched' AND NOT o.explicit AND o.visit_id <> v.visit_id
  AND o.occurred_at >= $2::timestamptz - interval '7 days';

-- name: wake_processing role: ecm_web
-- There are to-dos.
SELECT pg_notify('ecm_work', '');
