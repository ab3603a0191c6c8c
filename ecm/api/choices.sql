-- name: providers role: ecm_web
-- One provider ($2) or all, from a reference on.
SELECT ref, name FROM providers
WHERE tenant_id = $1::int AND ($2::text IS NULL OR ref = $2::text) AND ($3::text IS NULL OR ref > $3::text)
ORDER BY ref LIMIT $4::int;

-- name: care_workers role: ecm_web
-- Who works for one provider, from a reference on.
SELECT ref, name FROM care_workers
WHERE tenant_id = $1::int AND provider_ref = $2::text AND ($3::text IS NULL OR ref > $3::text)
ORDER BY ref LIMIT $4::int;
