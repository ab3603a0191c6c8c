-- name: set_key_safe role: ecm_web
-- How to get into a person's home, sealed; NULL: not known any more.
UPDATE service_users SET sealed_key_safe = $3::bytea WHERE tenant_id = $1::int AND ref = $2::text;
