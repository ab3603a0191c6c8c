-- name: list_people role: ecm_web
-- Everybody with an account, and by which ways they could come in now.
SELECT a.account_id, a.email, a.name, a.role, a.provider_ref, a.disabled_at, a.left_at, a.password_temporary,
       a.password_until,
       a.care_worker_ref,
       a.password_hash IS NOT NULL AS has_password,
       EXISTS (SELECT FROM passkeys p
               WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id AND p.revoked_at IS NULL) AS has_passkey,
       EXISTS (SELECT FROM second_steps s
               WHERE s.tenant_id = a.tenant_id AND s.account_id = a.account_id) AS has_code
FROM accounts a
WHERE a.tenant_id = $1::int AND a.account_id > $2::bigint
ORDER BY a.account_id
LIMIT $3::int;

-- name: role_of role: ecm_web
-- What somebody may do now.
SELECT role, provider_ref FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint FOR UPDATE;

-- name: set_role role: ecm_web
-- From the next request on. With another provider they are no longer the care worker they were.
UPDATE accounts SET role = $3::text, provider_ref = $4::text,
  care_worker_ref = CASE WHEN provider_ref IS NOT DISTINCT FROM $4::text THEN care_worker_ref END
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING account_id, email, name, role, provider_ref, disabled_at;

-- name: employer_of role: ecm_web
-- Whose care worker this is.
SELECT provider_ref FROM care_workers WHERE tenant_id = $1::int AND ref = $2::text;

-- name: set_care_worker role: ecm_web
-- Who an account is when it gives care.
UPDATE accounts SET care_worker_ref = $3::text
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING account_id, email, name, role, provider_ref, disabled_at;
