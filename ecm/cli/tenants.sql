-- name: namesake role: owner
-- Whether an authority of this name is here already.
SELECT tenant_id FROM tenants WHERE name = $1::text;

-- name: add role: owner
-- One more authority, with its board.
WITH made AS (INSERT INTO tenants (name, zone) VALUES ($1::text, $2::text) RETURNING tenant_id),
     head AS (INSERT INTO board_heads (tenant_id) SELECT tenant_id FROM made)
SELECT tenant_id FROM made;

-- name: keep_positions role: owner
-- How long this authority keeps positions; nothing if there is none of that number.
UPDATE tenants SET positions_kept_days = $2::int WHERE tenant_id = $1::int RETURNING tenant_id;

-- name: everybody role: ecm_worker
-- Every authority of this installation.
SELECT tenant_id, name, zone FROM tenants ORDER BY tenant_id;
