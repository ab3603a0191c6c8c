-- name: awaits_setup role: ecm_web
-- The authority that waits for its first administrator, if any does.
SELECT ecm_awaits_setup();

-- name: add role: ecm_web
-- A code, by its digest.
INSERT INTO setup_codes (code_sha256, made_at, expires_at) VALUES ($1::bytea, $2::timestamptz, $3::timestamptz);

-- name: is_open role: ecm_web
-- Whether this code still opens the set-up.
SELECT EXISTS (SELECT FROM setup_codes
               WHERE code_sha256 = $1::bytea AND used_at IS NULL AND expires_at > $2::timestamptz);

-- name: use role: ecm_web
-- For whoever comes first with it.
UPDATE setup_codes SET used_at = $2::timestamptz
WHERE code_sha256 = $1::bytea AND used_at IS NULL AND expires_at > $2::timestamptz
RETURNING used_at;
