-- name: tag role: ecm_ingest
-- One tag, retired or not.
SELECT tag_id, kind, service_user_ref, uid, sealed_keys, retired_at FROM tags
WHERE tenant_id = $1::int AND tag_id = $2::text;

-- name: use_tap role: ecm_ingest
-- Uses a count once; answers whose use it is, and whether a higher count was there before.
WITH used AS (
  INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at)
  VALUES ($1::int, $2::text, $3::int, $4::uuid, $5::timestamptz)
  ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT coalesce((SELECT event_id FROM used),
                (SELECT event_id FROM tag_taps
                 WHERE tenant_id = $1::int AND tag_id = $2::text AND counter = $3::int)) AS used_by,
       EXISTS (SELECT FROM tag_taps
               WHERE tenant_id = $1::int AND tag_id = $2::text AND counter > $3::int) AS overtaken;
