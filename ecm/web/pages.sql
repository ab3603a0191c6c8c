-- name: tenant role: ecm_web
-- The authority a page belongs to: its name, zone and words.
SELECT name, zone, labels FROM tenants WHERE tenant_id = $1::int;

-- name: awaits_setup role: ecm_web
-- The authority that waits for its first administrator, if any does.
SELECT ecm_awaits_setup();

-- name: councils role: ecm_web
-- The authorities that sign their people in by a provider of their own.
SELECT tenant_id FROM ecm_councils();
