-- name: device role: ecm_ingest
-- The phone of this id, cut off or not: what it signed before still arrives.
SELECT tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, cut_off_at FROM ecm_device($1::uuid);
