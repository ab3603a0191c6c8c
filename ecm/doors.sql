-- name: session role: ecm_web
-- Whose session this token opens, before the tenant is known. Asking moves its idle limit on.
SELECT tenant_id, account_id, name, role, provider_ref, signed_in_by, limited, stepped_up_at,
  care_worker_ref
FROM ecm_session($1::bytea, $2::timestamptz, $3::interval)

-- name: key role: ecm_web
-- Whose key this is, before the tenant is known.
SELECT tenant_id, key_id, name, scopes FROM ecm_key($1::bytea)
