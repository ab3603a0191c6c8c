-- name: fingerprint role: ecm_web
-- Which key seals; nothing before the first secret.
SELECT fingerprint FROM sealing_key;

-- name: name_it role: ecm_web
-- This key seals from now on, unless another was first. Of no tenant, so that no policy asks whether they may.
INSERT INTO sealing_key (fingerprint, since) SELECT $1::bytea, $2::timestamptz WHERE ecm_may_change()
ON CONFLICT DO NOTHING;
