-- name: add role: ecm_web
-- One more who is told.
INSERT INTO alert_contacts (tenant_id, provider_ref, min_severity, channel, address, after_minutes, security)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, $6::smallint, $7::bool) RETURNING contact_id;

-- name: everybody role: ecm_web
-- Who is told, the first told first.
SELECT contact_id, provider_ref, min_severity, channel, address, after_minutes, security FROM alert_contacts
WHERE tenant_id = $1::int ORDER BY after_minutes, contact_id;

-- name: remove role: ecm_web
-- Told no more.
DELETE FROM alert_contacts WHERE tenant_id = $1::int AND contact_id = $2::bigint RETURNING address;
