-- name: open_ role: ecm_web
-- Something begun; what it is known by is nowhere.
INSERT INTO openings (opening_sha256, kind, sealed, expires_at)
VALUES ($1::bytea, $2::text, $3::bytea, $4::timestamptz)

-- name: look role: ecm_web
-- What was begun, while it may still be finished.
SELECT sealed FROM openings WHERE opening_sha256 = $1::bytea AND kind = $2::text AND expires_at > $3::timestamptz

-- name: close role: ecm_web
-- The same, for whoever comes first; it is gone for everybody else.
DELETE FROM openings WHERE opening_sha256 = $1::bytea AND kind = $2::text RETURNING sealed, expires_at
