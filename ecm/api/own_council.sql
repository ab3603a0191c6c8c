-- name: standing role: ecm_web
-- Whether an account is joined to its council's own sign-in, and whether that is its only way in.
SELECT p.issuer, s.joined_at,
       a.password_hash IS NULL AND NOT EXISTS (
         SELECT FROM passkeys k WHERE k.tenant_id = a.tenant_id AND k.account_id = a.account_id
           AND k.revoked_at IS NULL) AS only_way
FROM accounts a
LEFT JOIN oidc_providers p ON p.tenant_id = a.tenant_id
LEFT JOIN oidc_subjects s ON s.tenant_id = a.tenant_id AND s.account_id = a.account_id AND s.issuer = p.issuer
WHERE a.tenant_id = $1::int AND a.account_id = $2::bigint

-- name: leave role: ecm_web
-- Nobody comes in to this account from there any more.
DELETE FROM oidc_subjects WHERE tenant_id = $1::int AND account_id = $2::bigint AND issuer = $3::text
