-- name: tenants role: ecm_worker
-- Every authority, and any whose entries are still here.
SELECT tenant_id FROM tenants UNION SELECT tenant_id FROM audit_heads
