-- name: accounts_by_email role: ecm_web
-- Every tenant's account of that e-mail, before the tenant is known.
SELECT tenant_id, account_id, name, role, provider_ref, password_hash FROM ecm_accounts_by_email($1::text)

-- name: update_password_hash role: ecm_web
-- The same password under today's parameters.
UPDATE accounts SET password_hash = $3::text WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: recovery_codes_left role: ecm_web
-- How many of an account's recovery codes nobody used yet.
SELECT count(*) FROM recovery_codes WHERE tenant_id = $1::int AND account_id = $2::bigint AND used_at IS NULL

-- name: has_password role: ecm_web
-- Whether a password opens an account, beside whatever else does.
SELECT password_hash IS NOT NULL FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint
