-- name: period_to_lock role: ecm_web
-- A payment period, held: no run begins on it meanwhile.
SELECT ends_on, requested_at, requested_by, running_since, run_at, locked_at FROM payment_periods
WHERE tenant_id = $1::int AND period = $2::text FOR UPDATE

-- name: lock_period role: ecm_web
UPDATE payment_periods SET locked_at = $3::timestamptz, locked_by = $4::text
WHERE tenant_id = $1::int AND period = $2::text
RETURNING starts_on, ends_on, requested_at, running_since, run_at, locked_at
