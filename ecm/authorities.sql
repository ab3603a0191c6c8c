-- name: authority role: ecm_web
-- Its name, zone and words.
SELECT name, zone, labels FROM tenants WHERE tenant_id = $1::int;

-- name: has_provider role: ecm_web
-- Whether a provider's reference is one of its own.
SELECT EXISTS (SELECT FROM providers WHERE tenant_id = $1::int AND ref = $2::text);

-- name: councils role: ecm_web
-- The authorities that sign their people in by a provider of their own, before anybody is known.
SELECT tenant_id FROM ecm_councils();
