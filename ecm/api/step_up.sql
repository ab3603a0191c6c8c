-- name: own_password role: ecm_web
SELECT password_hash FROM accounts WHERE tenant_id = $1::int AND account_id = $2::bigint
