-- name: standing_of_account role: ecm_web
-- What decides how far a sign-in goes; no row for whoever is kept out.
SELECT a.password_temporary, t.second_way_required,
       EXISTS (SELECT FROM passkeys p WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id
                 AND p.revoked_at IS NULL) AS has_passkey,
       EXISTS (SELECT FROM second_steps s WHERE s.tenant_id = a.tenant_id AND s.account_id = a.account_id) AS has_code
FROM accounts a JOIN tenants t USING (tenant_id)
WHERE a.tenant_id = $1::int AND a.account_id = $2::bigint AND a.disabled_at IS NULL AND a.left_at IS NULL

-- name: insert_session role: ecm_web
-- A sign-in begins; the token itself is nowhere.
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at, idle_until, signed_in_by,
                      limited, origin, agent)
VALUES ($1::int, $2::bytea, $3::bigint, $4::timestamptz, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7::text,
        $8::bool, $9::text, $10::text)

-- name: delete_ended_sessions role: ecm_web
-- What this account left behind, swept when it signs in again.
DELETE FROM sessions
WHERE tenant_id = $1::int AND account_id = $2::bigint
  AND (expires_at <= $3::timestamptz OR idle_until <= $3::timestamptz)

-- name: delete_session role: ecm_web
-- A sign-out.
DELETE FROM sessions WHERE tenant_id = $1::int AND token_sha256 = $2::bytea

-- name: delete_tickets role: ecm_web
-- A session's tickets name its token: they go before it gets another.
DELETE FROM socket_tickets WHERE tenant_id = $1::int AND session_sha256 = $2::bytea

-- name: renew_session role: ecm_web
-- Proved anew that it is they: another token, so that a copy of the one before is worth nothing.
UPDATE sessions SET token_sha256 = $3::bytea, stepped_up_at = $4::timestamptz, seen_at = $4::timestamptz,
                    idle_until = $5::timestamptz
WHERE tenant_id = $1::int AND token_sha256 = $2::bytea
RETURNING expires_at

-- name: finish_session role: ecm_web
-- A way was added or a password changed: what this session counts as from here on.
UPDATE sessions SET signed_in_by = $3::text, limited = $4::bool
WHERE tenant_id = $1::int AND token_sha256 = $2::bytea

-- name: end_other_limited role: ecm_web
-- Begun before there was a second way, or by another recovery code: they would add one without being asked for it.
DELETE FROM sessions
WHERE tenant_id = $1::int AND account_id = $2::bigint AND limited AND token_sha256 <> $3::bytea
