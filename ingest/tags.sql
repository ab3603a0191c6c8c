-- name: tag role: ecm_ingest
-- One tag, retired or not.
SELECT tag_id, kind, service_user_ref, uid, sealed_keys, retired_at FROM tags
WHERE tenant_id = $1::int AND tag_id = $2::text;

-- name: use_tap role: ecm_ingest
-- Uses a count once.
INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at)
VALUES ($1::int, $2::text, $3::int, $4::uuid, $5::timestamptz)
ON CONFLICT DO NOTHING;

-- name: tap_used role: ecm_ingest
-- Whose use a count is, and whether a higher count was there before. A statement of its own: whoever lost a race for
-- the count sees the winner only now.
SELECT event_id AS used_by,
       EXISTS (SELECT FROM tag_taps
               WHERE tenant_id = $1::int AND tag_id = $2::text AND counter > $3::int) AS overtaken
FROM tag_taps WHERE tenant_id = $1::int AND tag_id = $2::text AND counter = $3::int;
