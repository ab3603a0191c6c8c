-- name: passkey role: ecm_web
-- Whose passkey this is, before the tenant is known.
SELECT tenant_id, account_id, name, role, provider_ref, uid, passkey_id, public_key, sign_count
FROM ecm_passkey($1::bytea)

-- name: use_passkey role: ecm_web
-- It proved its holder. Its count only grows, whoever else proves something at the same moment.
UPDATE passkeys SET sign_count = $3::bigint, backed_up = $4::bool, used_at = $5::timestamptz
WHERE tenant_id = $1::int AND passkey_id = $2::bigint AND revoked_at IS NULL
  AND (sign_count < $3::bigint OR (sign_count = 0 AND $3::bigint = 0))
RETURNING passkey_id

-- name: holder role: ecm_web
-- As an authenticator is told of them; nobody else changes their ways in meanwhile.
SELECT uid, email, name FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint FOR NO KEY UPDATE

-- name: list_passkeys role: ecm_web
SELECT passkey_id, credential_id, name, made_at, used_at, backed_up FROM passkeys
WHERE tenant_id = $1::int AND account_id = $2::bigint AND revoked_at IS NULL
ORDER BY passkey_id

-- name: insert_passkey role: ecm_web
-- Nothing comes back when somebody has it already.
INSERT INTO passkeys (tenant_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name, made_at)
VALUES ($1::int, $2::bigint, $3::bytea, $4::bytea, $5::bigint, $6::bool, $7::uuid, $8::text, $9::timestamptz)
ON CONFLICT DO NOTHING
RETURNING passkey_id, name, made_at, used_at, backed_up

-- name: revoke_passkey role: ecm_web
UPDATE passkeys SET revoked_at = $4::timestamptz
WHERE tenant_id = $1::int AND account_id = $2::bigint AND passkey_id = $3::bigint AND revoked_at IS NULL
RETURNING name
