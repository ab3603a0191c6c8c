-- name: accounts_by_email role: ecm_web
-- Every tenant's account of that e-mail, before the tenant is known.
SELECT tenant_id, account_id, name, role, provider_ref, password_hash FROM ecm_accounts_by_email($1::text)

-- name: insert_session role: ecm_web
-- A sign-in begins; the token itself is nowhere.
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at)
VALUES ($1::int, $2::bytea, $3::bigint, $4::timestamptz, $4::timestamptz, $5::timestamptz)

-- name: delete_ended_sessions role: ecm_web
-- What this account left behind, swept when it signs in again.
DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = $2::bigint AND expires_at <= $3::timestamptz

-- name: delete_session role: ecm_web
-- A sign-out.
DELETE FROM sessions WHERE tenant_id = $1::int AND token_sha256 = $2::bytea

-- name: update_password_hash role: ecm_web
-- The same password under today's parameters.
UPDATE accounts SET password_hash = $3::text WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: tenant role: ecm_web
-- The authority that signed-in people work for.
SELECT name, zone, labels FROM tenants WHERE tenant_id = $1::int
