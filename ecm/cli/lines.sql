-- name: knows_worker role: ecm_web
-- Whether a care worker's reference is one of ours.
SELECT EXISTS (SELECT FROM care_workers WHERE tenant_id = $1::int AND ref = $2::text);

-- name: tenant role: ecm_web
-- Whose number it is now, of all authorities.
SELECT tenant_id FROM ecm_line($1::text, $2::text);

-- name: add role: ecm_web
-- One more number to ring or text, or another way to answer one.
INSERT INTO phone_lines (tenant_id, number, use, care_worker_ref, language, call_back)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, $6::bool)
ON CONFLICT (tenant_id, number, use) DO UPDATE SET language = EXCLUDED.language, call_back = EXCLUDED.call_back;

-- name: owner role: ecm_web
-- Whose own number it is, if anybody's.
SELECT care_worker_ref FROM phone_lines WHERE tenant_id = $1::int AND number = $2::text AND use = $3::text;

-- name: all role: ecm_web
-- Every number of ours.
SELECT number, use, care_worker_ref, language, call_back FROM phone_lines
WHERE tenant_id = $1::int ORDER BY use, number;

-- name: remove role: ecm_web
-- Answered no more.
DELETE FROM phone_lines WHERE tenant_id = $1::int AND number = $2::text AND use = $3::text RETURNING number;
