-- name: accounts_of role: ecm_web
-- The accounts of one person: the one asked for, or of the care worker asked for, and those of the same care worker.
SELECT a.account_id, a.name, a.role, a.provider_ref, a.care_worker_ref, a.left_at FROM accounts a
WHERE a.tenant_id = $1::int AND (a.account_id = $2::bigint OR a.care_worker_ref = coalesce($3::text, (
  SELECT named.care_worker_ref FROM accounts named WHERE named.tenant_id = $1::int AND named.account_id = $2::bigint)))
ORDER BY a.account_id
FOR UPDATE;

-- name: worker role: ecm_web
-- A care worker, so that nobody else ends them at the same moment.
SELECT ref, name, provider_ref, left_at FROM care_workers WHERE tenant_id = $1::int AND ref = $2::text FOR UPDATE;

-- name: account_of_email role: ecm_web
-- Whose e-mail this is.
SELECT account_id FROM accounts WHERE tenant_id = $1::int AND email = lower($2::text);

-- name: accounts_leave role: ecm_web
-- From now on these accounts open nothing; NULL: again they do. The first instant stays.
UPDATE accounts
SET left_at = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE coalesce(left_at, $3::timestamptz) END
WHERE tenant_id = $1::int AND account_id = ANY ($2::bigint[]);

-- name: end_sessions role: ecm_web
-- Wherever they are signed in. A board's tickets go with the session that asked for them.
WITH ended AS (
  DELETE FROM sessions WHERE tenant_id = $1::int AND account_id = ANY ($2::bigint[]) RETURNING token_sha256
)
SELECT count(*) FROM ended;

-- name: revoke_passkeys role: ecm_web
-- Whoever comes back makes new ones.
WITH revoked AS (
  UPDATE passkeys SET revoked_at = $3::timestamptz
  WHERE tenant_id = $1::int AND account_id = ANY ($2::bigint[]) AND revoked_at IS NULL RETURNING passkey_id
)
SELECT count(*) FROM revoked;

-- name: worker_leaves role: ecm_web
-- From now on what is recorded in this name is marked, and the name is shown nothing; NULL: no more. The first stays.
UPDATE care_workers
SET left_at = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE coalesce(left_at, $3::timestamptz) END,
    left_by = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE coalesce(left_by, $4::text) END
WHERE tenant_id = $1::int AND ref = $2::text;

-- name: end_enrolments role: ecm_web
-- Codes for a phone that nobody used yet. Before the phones: one whose code is used this moment is then among them.
WITH ended AS (
  UPDATE enrolments SET expires_at = $3::timestamptz
  WHERE tenant_id = $1::int AND care_worker_ref = $2::text AND used_at IS NULL AND expires_at > $3::timestamptz
  RETURNING code_sha256
)
SELECT count(*) FROM ended;

-- name: cut_off_phones role: ecm_web
-- The phones of their own. What those signed before still arrives, marked.
WITH cut AS (
  UPDATE devices SET cut_off_at = $3::timestamptz, cut_off_by = $4::text, cut_off_reason = $5::text
  WHERE tenant_id = $1::int AND care_worker_ref = $2::text AND cut_off_at IS NULL RETURNING device_id
)
SELECT count(*) FROM cut;

-- name: keys_to_look_at role: ecm_web
-- Keys that were shown to these accounts, or ($3) to nobody we know of: whoever leaves may have kept one.
SELECT key_id, name FROM api_keys
WHERE tenant_id = $1::int AND revoked_at IS NULL
  AND (made_by_account = ANY ($2::bigint[]) OR $3::bool AND made_by_account IS NULL)
ORDER BY key_id LIMIT 500;
