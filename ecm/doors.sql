-- name: session role: ecm_web
-- Whose session this token opens, before the tenant is known.
SELECT tenant_id, account_id, email, name, role, provider_ref FROM ecm_session($1::bytea, $2::timestamptz)

-- name: key role: ecm_web
-- Whose key this is, before the tenant is known.
SELECT tenant_id, key_id, name, scopes FROM ecm_key($1::bytea)
