-- name: device role: ecm_web
-- The phone of this id, before the tenant is known.
SELECT tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, cut_off_at FROM ecm_device($1::uuid)
