-- name: password_now role: ecm_web
-- Which password opens the account by now.
SELECT password_hash FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: kept_secret role: ecm_web
-- An account's secret and how it was tried; whoever else tries at the same moment waits.
SELECT sealed_secret, last_step, tries, tried_at FROM second_steps
WHERE tenant_id = $1::int AND account_id = $2::bigint FOR UPDATE

-- name: note_right role: ecm_web
-- This code's step, and every one before it, is used up.
UPDATE second_steps SET last_step = $3::bigint, tries = 0, tried_at = NULL
WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: note_wrong role: ecm_web
UPDATE second_steps SET tries = tries + 1, tried_at = $3::timestamptz
WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: use_recovery_code role: ecm_web
-- For whoever comes first with it.
UPDATE recovery_codes SET used_at = $4::timestamptz
WHERE tenant_id = $1::int AND account_id = $2::bigint AND code_sha256 = $3::bytea AND used_at IS NULL
RETURNING true

-- name: own_account role: ecm_web
-- For the name in the authenticator app; nobody else changes these ways in meanwhile.
SELECT a.email, t.name AS tenant FROM accounts a JOIN tenants t USING (tenant_id)
WHERE a.tenant_id = $1::int AND a.account_id = $2::bigint FOR NO KEY UPDATE OF a

-- name: own_second_step role: ecm_web
SELECT (SELECT confirmed_at FROM second_steps WHERE tenant_id = $1::int AND account_id = $2::bigint) AS confirmed_at,
       (SELECT count(*) FROM recovery_codes
        WHERE tenant_id = $1::int AND account_id = $2::bigint AND used_at IS NULL) AS recovery_codes_left

-- name: delete_second_step role: ecm_web
DELETE FROM second_steps WHERE tenant_id = $1::int AND account_id = $2::bigint RETURNING true

-- name: insert_second_step role: ecm_web
-- Once its first code was right; that code is used up.
INSERT INTO second_steps (tenant_id, account_id, sealed_secret, confirmed_at, last_step)
VALUES ($1::int, $2::bigint, $3::bytea, $4::timestamptz, $5::bigint)

-- name: delete_recovery_codes role: ecm_web
DELETE FROM recovery_codes WHERE tenant_id = $1::int AND account_id = $2::bigint

-- name: insert_recovery_codes role: ecm_web
INSERT INTO recovery_codes (tenant_id, account_id, code_sha256, made_at)
SELECT $1::int, $2::bigint, code, $4::timestamptz FROM unnest($3::bytea[]) AS code
