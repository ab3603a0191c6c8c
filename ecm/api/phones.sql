-- name: worker_provider role: ecm_web
-- Whom a care worker works for, and since when no longer.
SELECT provider_ref, left_at FROM care_workers WHERE tenant_id = $1::int AND ref = $2::text;

-- name: add_enrolment role: ecm_web
-- A one-time code, by its digest.
INSERT INTO enrolments (tenant_id, code_sha256, provider_ref, care_worker_ref, label, made_by, made_at, expires_at)
VALUES ($1::int, $2::bytea, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::timestamptz);

-- name: enrolment role: ecm_web
-- Whose code this is, before the tenant is known.
SELECT tenant_id, label FROM ecm_enrolment($1::bytea, $2::timestamptz);

-- name: enrol role: ecm_web
-- Uses a code up and adds the phone ($6); nothing if somebody else was quicker.
WITH used AS (
  UPDATE enrolments SET used_at = $5::timestamptz, device_id = $6::uuid
  WHERE tenant_id = $1::int AND code_sha256 = $2::bytea AND used_at IS NULL AND expires_at > $5::timestamptz
  RETURNING device_id, provider_ref, care_worker_ref, made_by
)
INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by)
SELECT $1::int, u.device_id, u.provider_ref, u.care_worker_ref, $3::text, $4::jsonb, $5::timestamptz, u.made_by
FROM used u
RETURNING device_id;

-- name: tenant_of_phone role: ecm_web
-- Whose phone this is, before the tenant is known.
SELECT tenant_id FROM ecm_device($1::uuid);

-- name: enrolled role: ecm_web
-- What a phone is told when it is enrolled; nothing once it was cut off.
SELECT d.device_id, d.provider_ref, d.care_worker_ref, t.zone, b.epoch, w.name
FROM devices d JOIN tenants t ON t.tenant_id = d.tenant_id JOIN board_heads b ON b.tenant_id = d.tenant_id
LEFT JOIN care_workers w ON w.tenant_id = d.tenant_id AND w.ref = d.care_worker_ref
WHERE d.tenant_id = $1::int AND d.device_id = $2::uuid AND d.cut_off_at IS NULL;

-- name: list_phones role: ecm_web
-- Phones of one provider or all, by id. Silent: nothing came from it since $5, though it was enrolled before.
SELECT d.device_id, d.label, d.provider_ref, d.care_worker_ref, w.name, d.enrolled_at, d.enrolled_by, d.cut_off_at,
       d.cut_off_by, d.cut_off_reason,
       d.care_worker_ref IS NOT NULL AND d.cut_off_at IS NULL AND d.enrolled_at < $5::timestamptz
         AND NOT EXISTS (
           SELECT FROM event_outcomes o
           JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
           WHERE o.tenant_id = d.tenant_id AND o.care_worker_ref = d.care_worker_ref
             AND o.occurred_at > $5::timestamptz AND e.device_id = d.device_id::text) AS silent
FROM devices d LEFT JOIN care_workers w ON w.tenant_id = d.tenant_id AND w.ref = d.care_worker_ref
WHERE d.tenant_id = $1::int AND ($2::text IS NULL OR d.provider_ref = $2::text)
  AND ($3::uuid IS NULL OR d.device_id > $3::uuid)
ORDER BY d.device_id LIMIT $4::int;

-- name: phone role: ecm_web
-- One phone.
SELECT d.device_id, d.label, d.provider_ref, d.care_worker_ref, w.name, d.enrolled_at, d.enrolled_by, d.cut_off_at,
       d.cut_off_by, d.cut_off_reason, false AS silent
FROM devices d LEFT JOIN care_workers w ON w.tenant_id = d.tenant_id AND w.ref = d.care_worker_ref
WHERE d.tenant_id = $1::int AND d.device_id = $2::uuid FOR UPDATE OF d;

-- name: cut_off role: ecm_web
-- From now on this phone opens nothing.
UPDATE devices SET cut_off_at = $3::timestamptz, cut_off_by = $4::text, cut_off_reason = $5::text
WHERE tenant_id = $1::int AND device_id = $2::uuid AND cut_off_at IS NULL;
