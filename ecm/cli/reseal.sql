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

-- name: second_steps role: owner
-- Every account's secret of its app of codes, bound to the account.
SELECT tenant_id, account_id::text AS ref, account_id::text AS bound, sealed_secret AS sealed FROM second_steps
ORDER BY tenant_id, account_id;

-- name: put_second_step role: owner
-- The same secret sealed anew, unless it changed meanwhile.
UPDATE second_steps SET sealed_secret = $3::bytea
WHERE tenant_id = $1::int AND account_id = $2::text::bigint AND sealed_secret = $4::bytea;

-- name: oidc_providers role: owner
-- What each council's sign-in knows us by, bound to the authority.
SELECT tenant_id, issuer AS ref, issuer AS bound, sealed_client_secret AS sealed FROM oidc_providers
WHERE sealed_client_secret IS NOT NULL ORDER BY tenant_id;

-- name: put_oidc_provider role: owner
-- The same secret sealed anew, unless it changed meanwhile.
UPDATE oidc_providers SET sealed_client_secret = $3::bytea
WHERE tenant_id = $1::int AND issuer = $2::text AND sealed_client_secret = $4::bytea;

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
