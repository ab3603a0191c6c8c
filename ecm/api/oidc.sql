-- name: provider role: ecm_web
-- How this authority's people sign in at their council, without the secret.
SELECT issuer, client_id, sealed_client_secret, scopes, groups_claim, makes_accounts, checked_at, last_error
FROM oidc_providers WHERE tenant_id = $1::int

-- name: put_provider role: ecm_web
-- Set, or set anew: nobody has tried yet whether this one answers.
INSERT INTO oidc_providers (tenant_id, issuer, client_id, sealed_client_secret, scopes, groups_claim, makes_accounts)
VALUES ($1::int, $2::text, $3::text, $4::bytea, $5::text, $6::text, $7::bool)
ON CONFLICT (tenant_id) DO UPDATE SET
  issuer = excluded.issuer, client_id = excluded.client_id, sealed_client_secret = excluded.sealed_client_secret,
  scopes = excluded.scopes, groups_claim = excluded.groups_claim, makes_accounts = excluded.makes_accounts,
  checked_at = NULL, last_error = NULL

-- name: delete_provider role: ecm_web
-- Its rules go with it; who was joined to an account stays so, should the same provider come back.
DELETE FROM oidc_providers WHERE tenant_id = $1::int RETURNING issuer

-- name: set_checked role: ecm_web
-- Whether it answered when somebody tried; for the provider that was tried, and no other.
UPDATE oidc_providers SET checked_at = $3::timestamptz, last_error = $4::text
WHERE tenant_id = $1::int AND issuer = $2::text

-- name: delete_rules role: ecm_web
DELETE FROM oidc_roles WHERE tenant_id = $1::int

-- name: insert_rules role: ecm_web
-- In the order given.
INSERT INTO oidc_roles (tenant_id, group_name, priority, role, provider_ref)
SELECT $1::int, group_name, nth, role, provider_ref
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS r(group_name, role, provider_ref, nth)

-- name: unknown_providers role: ecm_web
-- References that no provider has.
SELECT DISTINCT ref FROM unnest($2::text[]) AS r(ref)
WHERE ref IS NOT NULL AND NOT EXISTS (SELECT FROM providers p WHERE p.tenant_id = $1::int AND p.ref = r.ref)
