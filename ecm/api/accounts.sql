-- name: get_account role: ecm_web
SELECT account_id, email, name, role, provider_ref, disabled_at, password_hash FROM accounts
WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: insert_account role: ecm_web
-- Nothing comes back when the e-mail has an account.
-- The password is temporary, and until when; NULL: it stays.
INSERT INTO accounts (tenant_id, email, name, role, provider_ref, password_hash, password_temporary, password_until)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz IS NOT NULL, $7::timestamptz)
ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING account_id, email, name, role, provider_ref, disabled_at

-- name: hold_administrators role: ecm_web
-- Everybody who can administer, held until the end: in one order, so that nobody waits in a circle.
SELECT account_id FROM accounts
WHERE tenant_id = $1::int AND role = 'administrator' AND disabled_at IS NULL AND left_at IS NULL
ORDER BY account_id FOR UPDATE

-- name: set_disabled role: ecm_web
-- Disabled from now on, or NULL: enabled again. The first instant stays.
UPDATE accounts
SET disabled_at = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $3::timestamptz) END
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING account_id, email, name, role, provider_ref, disabled_at

-- name: set_password_hash role: ecm_web
-- Temporary when somebody else has seen it, and until when; NULL: it stays.
UPDATE accounts
SET password_hash = $3::text, password_temporary = $4::timestamptz IS NOT NULL, password_until = $4::timestamptz
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING account_id, email, name, role, provider_ref, disabled_at

-- name: end_sessions role: ecm_web
-- Everywhere the account is signed in, except with the session kept.
DELETE FROM sessions
WHERE tenant_id = $1::int AND account_id = $2::bigint AND token_sha256 IS DISTINCT FROM $3::bytea

-- name: end_tickets role: ecm_web
DELETE FROM socket_tickets WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: list_keys role: ecm_web
SELECT key_id, name, scopes, created_at, revoked_at, used_at FROM api_keys
WHERE tenant_id = $1::int AND key_id > $2::bigint
ORDER BY key_id
LIMIT $3::int

-- name: insert_key role: ecm_web
INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at, made_by_account)
VALUES ($1::int, $2::text, $3::text[], $4::bytea, $5::timestamptz, $6::bigint)
RETURNING key_id, name, scopes, created_at, revoked_at, used_at

-- name: revoke_key role: ecm_web
-- The first instant stays.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3::timestamptz)
WHERE tenant_id = $1::int AND key_id = $2::bigint
RETURNING key_id, name, scopes, created_at, revoked_at, used_at
