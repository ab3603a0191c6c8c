-- name: rules role: ecm_web
SELECT second_way_required FROM tenants WHERE tenant_id = $1::int

-- name: set_rules role: ecm_web
UPDATE tenants SET second_way_required = $2::bool WHERE tenant_id = $1::int RETURNING second_way_required

-- name: forget_ways role: ecm_web
-- Somebody lost every second way in: none of them opens any more, and wherever they are signed in ends.
WITH keys AS (
  UPDATE passkeys SET revoked_at = $3::timestamptz
  WHERE tenant_id = $1::int AND account_id = $2::bigint AND revoked_at IS NULL),
codes AS (DELETE FROM second_steps WHERE tenant_id = $1::int AND account_id = $2::bigint),
recovery AS (DELETE FROM recovery_codes WHERE tenant_id = $1::int AND account_id = $2::bigint),
ended AS (DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = $2::bigint)
SELECT name FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint
