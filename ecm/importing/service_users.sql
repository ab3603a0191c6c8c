-- name: reject_repeated role: ecm_web
-- Which of two rows is right cannot be told, so both are rejected.
WITH twice AS (
  SELECT s.ref, array_agg(s.row_no ORDER BY s.row_no) AS row_nos FROM import_service_users s
  GROUP BY s.ref HAVING count(*) > 1
), gone AS (
  DELETE FROM import_service_users s USING twice t WHERE s.ref = t.ref RETURNING s.row_no, t.ref, t.row_nos
)
SELECT g.row_no, format('ref %s is on rows %s', g.ref, array_to_string(g.row_nos[1:5], ', ')) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_shorn role: ecm_web
-- A new number that is a known one without its leading zeros.
WITH known AS (
  SELECT ltrim(u.ref, '0') AS bare, min(u.ref) AS ref FROM service_users u
  WHERE u.tenant_id = $1::int AND u.ref LIKE '0%' GROUP BY 1
), gone AS (
  DELETE FROM import_service_users s USING known k
  WHERE s.ref = k.bare AND s.ref ~ '^[0-9]+$'
    AND NOT EXISTS (SELECT FROM service_users e WHERE e.tenant_id = $1::int AND e.ref = s.ref)
  RETURNING s.row_no, s.ref, k.ref AS known
)
SELECT g.row_no, format('ref %s is new and %s is known; leading zeros seem to be lost', g.ref, g.known) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: postcodes_to_place role: ecm_web
-- The postcodes of rows that bring no position themselves.
SELECT DISTINCT s.postcode FROM import_service_users s WHERE s.postcode IS NOT NULL AND s.lat IS NULL;

-- name: stage_places role: ecm_web
-- The places these people are to have. The home is, in this order: where the row says; where it was, if neither a
-- position nor another postcode is given; in the middle of the postcode; unlocated. A fence goes with its position; one
-- round the middle of a postcode reaches over its streets.
WITH home AS (
  SELECT s.ref, s.given, s.fence_m, s.lat AS given_lat, s.lon AS given_lon,
         p.lat AS old_lat, p.lon AS old_lon, p.fence_m AS old_fence_m, p.polygon AS old_polygon,
         c.lat AS postcode_lat, c.lon AS postcode_lon,
         s.lat IS NULL AND NOT ('lat' = ANY (s.given)) AND p.lat IS NOT NULL
           AND (NOT ('postcode' = ANY (s.given)) OR u.postcode IS NOT DISTINCT FROM s.postcode) AS stays
  FROM import_service_users s
  LEFT JOIN service_users u ON u.tenant_id = $1::int AND u.ref = s.ref
  LEFT JOIN places p ON p.tenant_id = $1::int AND p.service_user_ref = s.ref AND p.label = 'home'
  LEFT JOIN import_postcodes c ON c.postcode = s.postcode
), placed AS (
  SELECT h.*,
         CASE WHEN h.given_lat IS NOT NULL THEN h.given_lat WHEN h.stays THEN h.old_lat ELSE h.postcode_lat END AS lat,
         CASE WHEN h.given_lat IS NOT NULL THEN h.given_lon WHEN h.stays THEN h.old_lon ELSE h.postcode_lon END AS lon,
         h.given_lat IS NULL AND NOT h.stays AND h.postcode_lat IS NOT NULL AS by_postcode
  FROM home h
), settled AS (
  SELECT p.*, (p.lat, p.lon) IS NOT DISTINCT FROM (p.old_lat, p.old_lon) AS unmoved FROM placed p
)
INSERT INTO import_places
SELECT p.ref, 'home', p.lat, p.lon,
       CASE WHEN p.fence_m IS NOT NULL THEN p.fence_m
            WHEN p.unmoved AND NOT ('fence_m' = ANY (p.given)) THEN p.old_fence_m
            WHEN p.by_postcode THEN 250 END,
       CASE WHEN p.unmoved THEN p.old_polygon END, p.by_postcode
FROM settled p
UNION ALL
SELECT s.ref, o.label, o.lat, o.lon, o.fence_m, nullif(o.polygon, 'null'::jsonb), false
FROM import_service_users s
CROSS JOIN jsonb_to_recordset(s.places::jsonb)
  AS o(label text, lat float8, lon float8, fence_m float8, polygon jsonb)
WHERE 'places' = ANY (s.given)
UNION ALL
SELECT p.service_user_ref, p.label, p.lat, p.lon, p.fence_m, p.polygon, false
FROM import_service_users s JOIN places p ON p.tenant_id = $1::int AND p.service_user_ref = s.ref
WHERE NOT ('places' = ANY (s.given)) AND p.label <> 'home';

-- name: update_known role: ecm_web
-- What is stored of the person. The area follows the postcode unless the file names one.
WITH wanted AS (
  SELECT s.ref, s.name,
         CASE WHEN 'address' = ANY (s.given) THEN s.address ELSE u.address END AS address,
         CASE WHEN 'postcode' = ANY (s.given) THEN s.postcode ELSE u.postcode END AS postcode,
         CASE WHEN s.area IS NOT NULL THEN s.area
              WHEN 'area' = ANY (s.given) THEN s.district
              WHEN 'postcode' = ANY (s.given) AND (u.area IS NULL OR u.postcode IS DISTINCT FROM s.postcode)
                THEN s.district
              ELSE u.area END AS area,
         CASE WHEN 'carers_required' = ANY (s.given) THEN coalesce(s.carers_required, 1)
              ELSE u.carers_required END AS carers_required,
         CASE WHEN 'risk_tier' = ANY (s.given) THEN coalesce(s.risk_tier, 'C') ELSE u.risk_tier END AS risk_tier,
         CASE WHEN 'funder' = ANY (s.given) THEN coalesce(s.funder, 'council') ELSE u.funder END AS funder,
         CASE WHEN 'needs' = ANY (s.given) THEN s.needs ELSE u.needs END AS needs
  FROM import_service_users s JOIN service_users u ON u.tenant_id = $1::int AND u.ref = s.ref
), changed AS (
  UPDATE service_users u SET name = w.name, address = w.address, postcode = w.postcode, area = w.area,
    carers_required = w.carers_required, risk_tier = w.risk_tier, funder = w.funder, needs = w.needs
  FROM wanted w
  WHERE u.tenant_id = $1::int AND u.ref = w.ref
    AND (u.name, u.address, u.postcode, u.area, u.carers_required, u.risk_tier, u.funder, u.needs)
        IS DISTINCT FROM
        (w.name, w.address, w.postcode, w.area, w.carers_required, w.risk_tier, w.funder, w.needs)
  RETURNING u.ref
)
INSERT INTO import_changed SELECT c.ref, false, false FROM changed c;

-- name: add_new role: ecm_web
-- People not stored yet.
WITH added AS (
  INSERT INTO service_users (tenant_id, ref, name, address, postcode, area, carers_required, risk_tier, funder, needs)
  SELECT $1::int, s.ref, s.name, s.address, s.postcode, coalesce(s.area, s.district), coalesce(s.carers_required, 1),
         coalesce(s.risk_tier, 'C'), coalesce(s.funder, 'council'), s.needs
  FROM import_service_users s
  WHERE NOT EXISTS (SELECT FROM service_users u WHERE u.tenant_id = $1::int AND u.ref = s.ref)
  RETURNING ref
)
INSERT INTO import_changed SELECT a.ref, true, true FROM added a;

-- name: put_places role: ecm_web
-- Places that went, came or moved.
WITH gone AS (
  DELETE FROM places p USING import_service_users s
  WHERE p.tenant_id = $1::int AND p.service_user_ref = s.ref
    AND NOT EXISTS (SELECT FROM import_places i WHERE i.service_user_ref = p.service_user_ref AND i.label = p.label)
  RETURNING p.service_user_ref
), put AS (
  INSERT INTO places (tenant_id, service_user_ref, label, lat, lon, fence_m, polygon)
  SELECT $1::int, i.service_user_ref, i.label, i.lat, i.lon, i.fence_m, i.polygon FROM import_places i
  LEFT JOIN places p ON p.tenant_id = $1::int AND p.service_user_ref = i.service_user_ref AND p.label = i.label
  WHERE p.label IS NULL OR (i.lat, i.lon, i.fence_m, i.polygon) IS DISTINCT FROM (p.lat, p.lon, p.fence_m, p.polygon)
  ON CONFLICT (tenant_id, service_user_ref, label) DO UPDATE SET lat = EXCLUDED.lat, lon = EXCLUDED.lon,
    fence_m = EXCLUDED.fence_m, polygon = EXCLUDED.polygon
  RETURNING service_user_ref
)
INSERT INTO import_changed AS c
SELECT moved.service_user_ref, false, true
FROM (SELECT g.service_user_ref FROM gone g UNION SELECT p.service_user_ref FROM put p) AS moved
ON CONFLICT (ref) DO UPDATE SET assessed = true;

-- name: put_phones role: ecm_web
-- Telephones that went or came.
WITH gone AS (
  DELETE FROM service_user_phones p USING import_service_users s
  WHERE p.tenant_id = $1::int AND p.service_user_ref = s.ref AND 'phones' = ANY (s.given)
    AND NOT (p.phone = ANY (coalesce(s.phones, '{}')))
  RETURNING p.service_user_ref
), put AS (
  INSERT INTO service_user_phones (tenant_id, phone, service_user_ref)
  SELECT $1::int, t.phone, s.ref FROM import_service_users s CROSS JOIN unnest(s.phones) AS t(phone)
  ON CONFLICT DO NOTHING
  RETURNING service_user_ref
)
INSERT INTO import_changed AS c
SELECT moved.service_user_ref, false, true
FROM (SELECT g.service_user_ref FROM gone g UNION SELECT p.service_user_ref FROM put p) AS moved
ON CONFLICT (ref) DO UPDATE SET assessed = true;

-- name: put_key_safes role: ecm_web
-- Ways to get in that came, changed or went. No assessment hangs on them.
INSERT INTO import_changed
SELECT moved.ref, false, false
FROM (SELECT array_agg(s.ref) AS refs, array_agg(s.key_safe) AS sealed FROM import_service_users s
      WHERE 'key_safe' = ANY (s.given)) AS given
CROSS JOIN LATERAL ecm_set_key_safes(given.refs, given.sealed) AS moved(ref)
ON CONFLICT DO NOTHING;

-- name: queue_visits role: ecm_web
-- Their visits from now on are looked at again. Not this morning's: they were at the home where it was then.
INSERT INTO processing_queue (tenant_id, visit_id, available_at)
SELECT $1::int, v.visit_id, 'epoch' FROM import_changed c
JOIN visits v ON v.tenant_id = $1::int AND v.service_user_ref = c.ref
WHERE c.assessed AND v.window_start >= $2::timestamptz AND v.planned_start >= $2::timestamptz;

-- name: placing role: ecm_web
-- How many homes stand where, for the report.
SELECT count(*) FILTER (WHERE i.by_postcode) AS by_postcode, count(*) FILTER (WHERE i.lat IS NULL) AS unlocated
FROM import_places i WHERE i.label = 'home';
