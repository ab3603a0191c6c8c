-- name: add role: ecm_web
-- Said once, and counted until somebody has seen it.
SELECT ecm_notice($1::text, $2::text, $3::timestamptz, $4::int);

-- name: add_by_worker role: ecm_worker
-- The same, from the worker's own work.
INSERT INTO notices AS n (tenant_id, kind, subject, first_at, last_at, tell_from)
VALUES ($1::int, $2::text, $3::text, $4::timestamptz, $4::timestamptz, $5::int)
ON CONFLICT (tenant_id, kind, subject) WHERE seen_at IS NULL
  DO UPDATE SET last_at = greatest(n.last_at, excluded.last_at), times = n.times + 1;
