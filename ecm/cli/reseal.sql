-- name: tags role: owner
-- Every secure tag's keys, bound to its tag.
SELECT tenant_id, tag_id AS ref, tag_id AS bound, sealed_keys AS sealed FROM tags WHERE sealed_keys IS NOT NULL
ORDER BY tenant_id, tag_id;

-- name: put_tag role: owner
-- The same keys sealed anew, unless they changed meanwhile.
UPDATE tags SET sealed_keys = $3::bytea WHERE tenant_id = $1::int AND tag_id = $2::text AND sealed_keys = $4::bytea;

-- name: code_cards role: owner
-- Every card's secret, bound to its person.
SELECT tenant_id, card_id::text AS ref, service_user_ref AS bound, sealed_secret AS sealed FROM code_cards
ORDER BY tenant_id, card_id;

-- name: put_code_card role: owner
-- The same secret sealed anew.
UPDATE code_cards SET sealed_secret = $3::bytea
WHERE tenant_id = $1::int AND card_id = $2::text::bigint AND sealed_secret = $4::bytea;

-- name: key_safes role: owner
-- Every way to get into a home, bound to its person.
SELECT tenant_id, ref, ref AS bound, sealed_key_safe AS sealed FROM service_users WHERE sealed_key_safe IS NOT NULL
ORDER BY tenant_id, ref;

-- name: put_key_safe role: owner
-- The same code sealed anew, unless it changed meanwhile.
UPDATE service_users SET sealed_key_safe = $3::bytea
WHERE tenant_id = $1::int AND ref = $2::text AND sealed_key_safe = $4::bytea;

-- name: this_key_seals role: owner
-- From now on no other key does.
INSERT INTO sealing_key (fingerprint, since) VALUES ($1::bytea, $2::timestamptz)
ON CONFLICT (only_row) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, since = EXCLUDED.since;
