-- name: homes role: ecm_web
-- People a provider visits, or all, and what is fixed in their homes; by reference, from a place on.
SELECT s.ref, s.name, s.area, ecm_has_key_safe(s.ref) AS key_safe,
  (SELECT count(*) FROM tags t
   WHERE t.tenant_id = s.tenant_id AND t.service_user_ref = s.ref AND t.retired_at IS NULL)::int AS tags,
  (SELECT count(*) FROM code_cards c
   WHERE c.tenant_id = s.tenant_id AND c.service_user_ref = s.ref AND c.retired_at IS NULL)::int AS code_cards
FROM service_users s
WHERE s.tenant_id = $1::int
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(s.tenant_id, $2::text, s.ref, $5::timestamptz)))
  AND s.ref > $3::text
ORDER BY s.ref
LIMIT $4::int;

-- name: home role: ecm_web
-- One person, if this provider visits them.
SELECT s.ref, s.name, s.area FROM service_users s
WHERE s.tenant_id = $1::int AND s.ref = $3::text
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(s.tenant_id, $2::text, s.ref, $4::timestamptz)));

-- name: add_tag role: ecm_web
-- A new tag; nothing if the id is taken.
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, label, uid, sealed_keys, made_by, made_at)
VALUES ($1::int, $2::text, $3::text, $4::text, $5::text, $6::bytea, $7::bytea, $8::text, $9::timestamptz)
ON CONFLICT DO NOTHING
RETURNING tag_id;

-- name: list_tags role: ecm_web
-- Tags in the homes a provider visits, or all: of one person, or of everybody, from a place on.
SELECT t.tag_id, t.kind, t.service_user_ref, s.name, s.area, t.label, t.made_by, t.made_at, t.retired_at
FROM tags t JOIN service_users s ON s.tenant_id = t.tenant_id AND s.ref = t.service_user_ref
WHERE t.tenant_id = $1::int
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(t.tenant_id, $2::text, t.service_user_ref, $7::timestamptz)))
  AND ($3::text IS NULL OR t.service_user_ref = $3::text)
  AND ($4::bool OR t.retired_at IS NULL)
  AND t.tag_id > $5::text
ORDER BY t.tag_id
LIMIT $6::int;

-- name: tag role: ecm_web
-- One tag, if it is in a home this provider visits.
SELECT t.tag_id, t.kind, t.service_user_ref, s.name, s.area, t.label, t.made_by, t.made_at, t.retired_at
FROM tags t JOIN service_users s ON s.tenant_id = t.tenant_id AND s.ref = t.service_user_ref
WHERE t.tenant_id = $1::int AND t.tag_id = $3::text
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(t.tenant_id, $2::text, t.service_user_ref, $4::timestamptz)));

-- name: retire_tag role: ecm_web
-- From now on this tag proves nothing; nothing is answered if it was retired before.
UPDATE tags SET retired_at = $3::timestamptz
WHERE tenant_id = $1::int AND tag_id = $2::text AND retired_at IS NULL
RETURNING tag_id;

-- name: add_card role: ecm_web
-- A new code card.
INSERT INTO code_cards (tenant_id, service_user_ref, label, sealed_secret, step_seconds, digits, made_by, made_at)
VALUES ($1::int, $2::text, $3::text, $4::bytea, $5::int, $6::int, $7::text, $8::timestamptz)
RETURNING card_id;

-- name: list_cards role: ecm_web
-- Code cards in the homes a provider visits, or all, from a place on.
SELECT c.card_id, c.service_user_ref, s.name, s.area, c.label, c.step_seconds, c.digits, c.made_by, c.made_at,
  c.retired_at
FROM code_cards c JOIN service_users s ON s.tenant_id = c.tenant_id AND s.ref = c.service_user_ref
WHERE c.tenant_id = $1::int
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(c.tenant_id, $2::text, c.service_user_ref, $7::timestamptz)))
  AND ($3::text IS NULL OR c.service_user_ref = $3::text)
  AND ($4::bool OR c.retired_at IS NULL)
  AND c.card_id > $5::bigint
ORDER BY c.card_id
LIMIT $6::int;

-- name: card role: ecm_web
-- One code card, if it is in a home this provider visits.
SELECT c.card_id, c.service_user_ref, s.name, s.area, c.label, c.step_seconds, c.digits, c.made_by, c.made_at,
  c.retired_at
FROM code_cards c JOIN service_users s ON s.tenant_id = c.tenant_id AND s.ref = c.service_user_ref
WHERE c.tenant_id = $1::int AND c.card_id = $3::bigint
  AND ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(c.tenant_id, $2::text, c.service_user_ref, $4::timestamptz)));

-- name: retire_card role: ecm_web
-- From now on this card's codes prove nothing; nothing is answered if it was retired before.
UPDATE code_cards SET retired_at = $3::timestamptz
WHERE tenant_id = $1::int AND card_id = $2::bigint AND retired_at IS NULL
RETURNING card_id;
