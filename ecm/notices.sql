-- name: add role: ecm_web
-- Said once, and counted until somebody has seen it.
SELECT ecm_notice($1::text, $2::text, $3::timestamptz, $4::int);

-- name: add_by_worker role: ecm_worker
-- The same, from the worker's own work.
SELECT ecm_add_notice($1::int, $2::text, $3::text, $4::timestamptz, $5::int);
