-- name: device role: ecm_ingest
-- The phone of this id, cut off or not: what it signed before still arrives. And when its care worker left.
SELECT tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, cut_off_at,
  ecm_left_at(tenant_id, care_worker_ref) AS left_at
FROM ecm_device($1::uuid);
