-- name: rules role: ecm_web
SELECT second_way_required FROM tenants WHERE tenant_id = $1::int

-- name: set_rules role: ecm_web
UPDATE tenants SET second_way_required = $2::bool WHERE tenant_id = $1::int RETURNING second_way_required
