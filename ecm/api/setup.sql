-- name: authority role: ecm_web
-- What the authority is called so far.
SELECT name FROM tenants WHERE tenant_id = $1::int;

-- name: name_authority role: ecm_web
-- Named, and its people need two proofs from the first day. Whoever sets up at the same moment waits here.
UPDATE tenants SET name = $2::text, second_way_required = true WHERE tenant_id = $1::int RETURNING tenant_id;

-- name: insert_administrator role: ecm_web
-- Nothing comes back when that e-mail has an account.
INSERT INTO accounts (tenant_id, email, name, role, password_hash, uid)
VALUES ($1::int, $2::text, $3::text, 'administrator', $4::text, $5::uuid)
ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING tenant_id, account_id, name, role, provider_ref;

-- name: insert_passkey role: ecm_web
-- Nothing comes back when somebody has it already.
INSERT INTO passkeys (tenant_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name, made_at)
VALUES ($1::int, $2::bigint, $3::bytea, $4::bytea, $5::bigint, $6::bool, $7::uuid, $8::text, $9::timestamptz)
ON CONFLICT DO NOTHING
RETURNING passkey_id;

-- name: insert_second_step role: ecm_web
-- Its first code was right, and is used up.
INSERT INTO second_steps (tenant_id, account_id, sealed_secret, confirmed_at, last_step)
VALUES ($1::int, $2::bigint, $3::bytea, $4::timestamptz, $5::bigint);

-- name: insert_recovery_codes role: ecm_web
-- By their digests.
INSERT INTO recovery_codes (tenant_id, account_id, code_sha256, made_at)
SELECT $1::int, $2::bigint, code, $4::timestamptz FROM unnest($3::bytea[]) AS code;
