-- name: cards_for role: ecm_ingest
-- The cards a code may come from: of the person, else of whoever has that telephone.
SELECT c.card_id, c.service_user_ref, c.sealed_secret, c.step_seconds, c.digits
FROM code_cards c
WHERE c.tenant_id = $1::int AND c.retired_at IS NULL AND c.service_user_ref IN (
  SELECT $2::text WHERE $2::text IS NOT NULL
  UNION ALL
  SELECT p.service_user_ref FROM service_user_phones p
  WHERE $2::text IS NULL AND p.tenant_id = $1::int AND p.phone = $3::text)
ORDER BY c.card_id DESC;

-- name: use_code role: ecm_ingest
-- Uses a step once.
INSERT INTO used_codes (tenant_id, card_id, step, event_id, used_at)
VALUES ($1::int, $2::bigint, $3::bigint, $4::uuid, $5::timestamptz)
ON CONFLICT DO NOTHING;

-- name: code_used_by role: ecm_ingest
-- Whose use a step is. A statement of its own: whoever lost a race for the step sees the winner only now.
SELECT event_id FROM used_codes WHERE tenant_id = $1::int AND card_id = $2::bigint AND step = $3::bigint;
