-- name: scaled_clock role: ecm_worker
-- The scaled clock this database runs on, if any.
SELECT starts_at, speed, real_start FROM scaled_clock;

-- name: holds_events role: owner
-- Whether anybody ever checked in here.
SELECT EXISTS (SELECT FROM check_events);

-- name: set_scaled_clock role: owner
-- From now on this database's services run on a scaled clock.
INSERT INTO scaled_clock (starts_at, speed, real_start) VALUES ($1::timestamptz, $2::float8, $3::timestamptz);

-- name: knows_tenant role: ecm_web
-- Whether this tenant was ever added.
SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1::int);
