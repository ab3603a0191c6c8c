-- name: one_at_a_time role: ecm_web
-- Waits for whoever is trying at this place, or (from where they are not expected) at this worker; in one order, so
-- that two never wait for each other.
SELECT pg_advisory_xact_lock(k.key) FROM (
  SELECT DISTINCT hashtextextended(concat_ws(' ', 'pin', $1::int, said.kind, $4::bool, said.what), 0) AS key
  FROM (VALUES ('place', $2::text), ('worker', CASE WHEN $4::bool THEN NULL ELSE $3::text END)) AS said(kind, what)
  WHERE said.what IS NOT NULL ORDER BY key) AS k;

-- name: oldest_of_the_last role: ecm_web
-- When the first of the last few wrong tries was, if there were that many: of this place, or of this worker as counted.
SELECT max(o.tried_at) FROM (
  (SELECT t.tried_at FROM pin_tries t
   WHERE t.tenant_id = $1::int AND t.came_from = $2::text AND t.expected = $4::bool
     AND t.tried_at > $5::timestamptz
   ORDER BY t.tried_at DESC OFFSET $6::int - 1 LIMIT 1)
  UNION ALL
  (SELECT t.tried_at FROM pin_tries t
   WHERE t.tenant_id = $1::int AND t.care_worker_ref = $3::text AND t.expected = $4::bool AND NOT t.expected
     AND t.tried_at > $5::timestamptz
   ORDER BY t.tried_at DESC OFFSET $6::int - 1 LIMIT 1)
) AS o;

-- name: add_try role: ecm_web
-- One wrong PIN.
INSERT INTO pin_tries (tenant_id, tried_at, came_from, care_worker_ref, expected)
VALUES ($1::int, $2::timestamptz, $3::text, $4::text, $5::bool);
