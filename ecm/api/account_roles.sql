-- name: hold_administrators role: ecm_web
-- Everybody who can administer, held until the end: in one order, so that nobody waits in a circle.
SELECT account_id FROM accounts
WHERE tenant_id = $1::int AND role = 'administrator' AND disabled_at IS NULL
ORDER BY account_id FOR UPDATE;

-- name: role_of role: ecm_web
-- What somebody may do now.
SELECT role, provider_ref FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint FOR UPDATE;

-- name: set_role role: ecm_web
-- From the next request on.
UPDATE accounts SET role = $3::text, provider_ref = $4::text
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING account_id, email, name, role, provider_ref, disabled_at;
