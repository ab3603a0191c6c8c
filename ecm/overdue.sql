-- name: due role: ecm_worker
-- The visits whose deadline has passed and that no other watcher holds. As an array: `IN (SELECT … LIMIT n)` plans badly.
SELECT tenant_id, visit_id FROM visits
WHERE deadline_at <= $1::timestamptz
ORDER BY deadline_at
LIMIT $2::int
FOR UPDATE SKIP LOCKED;

-- name: next_deadline role: ecm_worker
-- The instant to sleep until.
SELECT min(deadline_at) AS at FROM visits WHERE deadline_at IS NOT NULL;
