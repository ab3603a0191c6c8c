-- name: fingerprint role: ecm_web
-- Which key seals; nothing before the first secret.
SELECT fingerprint FROM sealing_key;

-- name: name_it role: ecm_web
-- This key seals from now on, unless another was first.
INSERT INTO sealing_key (fingerprint, since) VALUES ($1::bytea, $2::timestamptz) ON CONFLICT DO NOTHING;
