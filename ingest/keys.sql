-- name: key_holder role: ecm_ingest
-- Who holds this key; nobody once it is revoked.
SELECT tenant_id, key_id, name, scopes FROM ecm_key($1::bytea);
