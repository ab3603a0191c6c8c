-- name: provider role: ecm_web
-- How one of them does.
SELECT issuer, client_id, sealed_client_secret, scopes, groups_claim, makes_accounts FROM ecm_oidc_provider($1::int)

-- name: rules role: ecm_web
-- Which group has which role here; the first counts.
SELECT group_name, role, provider_ref FROM oidc_roles WHERE tenant_id = $1::int ORDER BY priority

-- name: subject role: ecm_web
-- Whose account it is that the provider calls so.
SELECT tenant_id, account_id, name, role, provider_ref, kept_out
FROM ecm_oidc_subject($1::int, $2::text, $3::text)

-- name: one_at_a_time role: ecm_web
-- Whoever comes for the first time from two browsers at once is one account.
SELECT pg_advisory_xact_lock(hashtextextended('council ' || $1::int || ' ' || $2::text || ' ' || $3::text, 0))

-- name: insert_account role: ecm_web
-- Somebody who has a role and no account yet; no password opens it. Nothing comes back when the e-mail has an account.
INSERT INTO accounts (tenant_id, email, name, role, provider_ref, made_by_oidc)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, true)
ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING tenant_id, account_id, name, role, provider_ref

-- name: join_account role: ecm_web
-- From here on the provider's name for somebody means this account. No row: it, or the account, is joined already.
INSERT INTO oidc_subjects (tenant_id, issuer, subject, account_id, joined_at)
VALUES ($1::int, $2::text, $3::text, $4::bigint, $5::timestamptz)
ON CONFLICT DO NOTHING
RETURNING account_id

-- name: follow_role role: ecm_web
-- What the groups say now. With another provider they are no longer the care worker they were.
UPDATE accounts SET role = $3::text, provider_ref = $4::text,
  care_worker_ref = CASE WHEN provider_ref IS NOT DISTINCT FROM $4::text THEN care_worker_ref END
WHERE tenant_id = $1::int AND account_id = $2::bigint
RETURNING tenant_id, account_id, name, role, provider_ref

-- name: end_sessions role: ecm_web
-- Who has no group any more is signed out wherever a group had signed them in.
DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = $2::bigint AND signed_in_by = 'oidc'
