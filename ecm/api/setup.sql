-- name: name_authority role: ecm_web
-- Named, and its people need two proofs from the first day. Whoever sets up at the same moment waits here.
UPDATE tenants SET name = $2::text, second_way_required = true WHERE tenant_id = $1::int RETURNING tenant_id;

-- name: insert_administrator role: ecm_web
-- Nothing comes back when that e-mail has an account.
INSERT INTO accounts (tenant_id, email, name, role, password_hash, uid)
VALUES ($1::int, $2::text, $3::text, 'administrator', $4::text, $5::uuid)
ON CONFLICT (tenant_id, email) DO NOTHING
RETURNING tenant_id, account_id, name, role, provider_ref;
