-- name: reject_repeated role: ecm_web
-- Which of two rows is right cannot be told, so both are rejected.
WITH twice AS (
  SELECT s.ref, array_agg(s.row_no ORDER BY s.row_no) AS row_nos FROM import_providers s
  GROUP BY s.ref HAVING count(*) > 1
), gone AS (
  DELETE FROM import_providers s USING twice t WHERE s.ref = t.ref RETURNING s.row_no, t.ref, t.row_nos
)
SELECT g.row_no, format('ref %s is on rows %s', g.ref, array_to_string(g.row_nos[1:5], ', ')) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_shorn role: ecm_web
-- A new number that is a known one without its leading zeros.
WITH known AS (
  SELECT ltrim(p.ref, '0') AS bare, min(p.ref) AS ref FROM providers p
  WHERE p.tenant_id = $1::int AND p.ref LIKE '0%' GROUP BY 1
), gone AS (
  DELETE FROM import_providers s USING known k
  WHERE s.ref = k.bare AND s.ref ~ '^[0-9]+$'
    AND NOT EXISTS (SELECT FROM providers e WHERE e.tenant_id = $1::int AND e.ref = s.ref)
  RETURNING s.row_no, s.ref, k.ref AS known
)
SELECT g.row_no, format('ref %s is new and %s is known; leading zeros seem to be lost', g.ref, g.known) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: update_known role: ecm_web
-- Rows that say something else than what is stored.
WITH wanted AS (
  SELECT s.ref, s.name, CASE WHEN 'phone' = ANY (s.given) THEN s.phone ELSE p.phone END AS phone,
         CASE WHEN 'email' = ANY (s.given) THEN s.email ELSE p.email END AS email
  FROM import_providers s JOIN providers p ON p.tenant_id = $1::int AND p.ref = s.ref
), changed AS (
  UPDATE providers p SET name = w.name, phone = w.phone, email = w.email FROM wanted w
  WHERE p.tenant_id = $1::int AND p.ref = w.ref
    AND (p.name, p.phone, p.email) IS DISTINCT FROM (w.name, w.phone, w.email)
  RETURNING p.ref
)
INSERT INTO import_changed SELECT c.ref, false, false FROM changed c;

-- name: add_new role: ecm_web
-- Rows whose reference is not stored yet.
WITH added AS (
  INSERT INTO providers (tenant_id, ref, name, phone, email)
  SELECT $1::int, s.ref, s.name, s.phone, s.email FROM import_providers s
  WHERE NOT EXISTS (SELECT FROM providers p WHERE p.tenant_id = $1::int AND p.ref = s.ref)
  RETURNING ref
)
INSERT INTO import_changed SELECT a.ref, true, false FROM added a;
