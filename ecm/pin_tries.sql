-- name: oldest_of_the_last role: ecm_web
-- When the first of the last few wrong tries was, if there were that many: of this place, or of this worker as counted.
SELECT max(o.tried_at) FROM (
  (SELECT t.tried_at FROM pin_tries t
   WHERE t.tenant_id = $1::int AND t.came_from = $2::text AND t.tried_at > $5::timestamptz
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
