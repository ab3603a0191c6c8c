-- name: own_sessions role: ecm_web
-- Where this account is signed in, latest seen first.
SELECT session_id, created_at, seen_at, expires_at, signed_in_by, origin, agent,
       token_sha256 = $3::bytea AS current
FROM sessions
WHERE tenant_id = $1::int AND account_id = $2::bigint
  AND expires_at > $4::timestamptz AND idle_until > $4::timestamptz
ORDER BY seen_at DESC, session_id

-- name: end_own_session role: ecm_web
-- Its tickets go with it.
DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = $2::bigint AND session_id = $3::uuid RETURNING true

-- name: end_other_sessions role: ecm_web
-- Everywhere but here.
DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = $2::bigint AND token_sha256 <> $3::bytea
