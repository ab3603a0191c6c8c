-- name: insert_entry role: ecm_web
-- One line of who did what. Added, never edited.
INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin)
VALUES ($1::int, $2::timestamptz, $3::text, $4::text, $5::text, $6::text, $7::text)

-- name: list_entries role: ecm_web
-- Oldest first, from a place on.
SELECT audit_id, at, actor, action, subject, reason, origin
FROM audit
WHERE tenant_id = $1::int AND audit_id > $2::bigint
ORDER BY audit_id
LIMIT $3::int
