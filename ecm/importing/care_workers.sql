-- name: reject_repeated role: ecm_web
-- Which of two rows is right cannot be told, so both are rejected.
WITH twice AS (
  SELECT s.ref, array_agg(s.row_no ORDER BY s.row_no) AS row_nos FROM import_care_workers s
  GROUP BY s.ref HAVING count(*) > 1
), gone AS (
  DELETE FROM import_care_workers s USING twice t WHERE s.ref = t.ref RETURNING s.row_no, t.ref, t.row_nos
)
SELECT g.row_no, format('ref %s is on rows %s', g.ref, array_to_string(g.row_nos[1:5], ', ')) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_shorn role: ecm_web
-- A new number that is a known one without its leading zeros.
WITH known AS (
  SELECT ltrim(w.ref, '0') AS bare, min(w.ref) AS ref FROM care_workers w
  WHERE w.tenant_id = $1::int AND w.ref LIKE '0%' GROUP BY 1
), gone AS (
  DELETE FROM import_care_workers s USING known k
  WHERE s.ref = k.bare AND s.ref ~ '^[0-9]+$'
    AND NOT EXISTS (SELECT FROM care_workers e WHERE e.tenant_id = $1::int AND e.ref = s.ref)
  RETURNING s.row_no, s.ref, k.ref AS known
)
SELECT g.row_no, format('ref %s is new and %s is known; leading zeros seem to be lost', g.ref, g.known) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_unknown_provider role: ecm_web
-- With a hint where leading zeros were lost.
WITH gone AS (
  DELETE FROM import_care_workers s
  WHERE NOT EXISTS (SELECT FROM providers p WHERE p.tenant_id = $1::int AND p.ref = s.provider_ref)
  RETURNING s.row_no, s.provider_ref
)
SELECT g.row_no, format('provider_ref %s is not known', g.provider_ref) || coalesce('; is ' || k.ref || ' meant?', '')
       AS reason, count(*) OVER () AS many
FROM gone g
LEFT JOIN (SELECT ltrim(p.ref, '0') AS bare, min(p.ref) AS ref FROM providers p
           WHERE p.tenant_id = $1::int AND p.ref LIKE '0%' GROUP BY 1) k ON k.bare = g.provider_ref
ORDER BY g.row_no LIMIT 1000;

-- name: stored_pins role: ecm_web
-- The PINs these care workers have, so that the same PIN again is no change.
SELECT w.ref, w.pin_hash FROM care_workers w
WHERE w.tenant_id = $1::int AND w.ref = ANY ($2::text[]) AND w.pin_hash IS NOT NULL;

-- name: update_known role: ecm_web
-- Rows that say something else than what is stored. A number or an employer can decide whose an event is.
WITH wanted AS (
  SELECT s.ref, s.name, s.provider_ref, CASE WHEN 'phone' = ANY (s.given) THEN s.phone ELSE w.phone END AS phone,
         CASE WHEN 'pin' = ANY (s.given) THEN s.pin_hash ELSE w.pin_hash END AS pin_hash,
         w.provider_ref AS old_provider_ref, w.phone AS old_phone
  FROM import_care_workers s JOIN care_workers w ON w.tenant_id = $1::int AND w.ref = s.ref
), changed AS (
  UPDATE care_workers w SET name = n.name, provider_ref = n.provider_ref, phone = n.phone, pin_hash = n.pin_hash
  FROM wanted n
  WHERE w.tenant_id = $1::int AND w.ref = n.ref
    AND (w.name, w.provider_ref, w.phone, w.pin_hash) IS DISTINCT FROM (n.name, n.provider_ref, n.phone, n.pin_hash)
  RETURNING w.ref, (n.provider_ref, n.phone) IS DISTINCT FROM (n.old_provider_ref, n.old_phone) AS assessed
)
INSERT INTO import_changed SELECT c.ref, false, c.assessed FROM changed c;

-- name: add_new role: ecm_web
-- Rows whose reference is not stored yet.
WITH added AS (
  INSERT INTO care_workers (tenant_id, ref, name, provider_ref, phone, pin_hash)
  SELECT $1::int, s.ref, s.name, s.provider_ref, s.phone, s.pin_hash FROM import_care_workers s
  WHERE NOT EXISTS (SELECT FROM care_workers w WHERE w.tenant_id = $1::int AND w.ref = s.ref)
  RETURNING ref
)
INSERT INTO import_changed SELECT a.ref, true, true FROM added a;

-- name: queue_visits role: ecm_web
-- Their visits from yesterday on are looked at again.
INSERT INTO processing_queue (tenant_id, visit_id, available_at)
SELECT DISTINCT $1::int, v.visit_id, 'epoch'::timestamptz
FROM visits v CROSS JOIN unnest(v.care_worker_refs) AS worker (ref) JOIN import_changed c ON c.ref = worker.ref
WHERE v.tenant_id = $1::int AND c.assessed AND v.local_date >= ($2::timestamptz - interval '2 days')::date
  AND v.window_start >= $2::timestamptz - interval '1 day';
