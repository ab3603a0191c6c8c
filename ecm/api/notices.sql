-- name: list_notices role: ecm_web
-- The latest first; those not seen before the others.
SELECT notice_id, kind, subject, first_at, last_at, times, told_at, seen_at, seen_by
FROM notices
WHERE tenant_id = $1::int AND times >= tell_from AND ($2::bool OR seen_at IS NULL)
ORDER BY seen_at IS NOT NULL, last_at DESC, notice_id DESC
LIMIT 200;

-- name: see role: ecm_web
-- The first who saw it stays.
UPDATE notices SET seen_at = coalesce(seen_at, $3::timestamptz), seen_by = coalesce(seen_by, $4::text)
WHERE tenant_id = $1::int AND notice_id = $2::bigint
RETURNING notice_id, kind, subject, first_at, last_at, times, told_at, seen_at, seen_by;
