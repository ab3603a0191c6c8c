-- name: reject_repeated role: ecm_web
-- A contract may have several rows: one for each provider, service and first day.
WITH twice AS (
  SELECT s.ref, s.provider_ref, s.service, s.valid_from, array_agg(s.row_no ORDER BY s.row_no) AS row_nos
  FROM import_contracts s GROUP BY s.ref, s.provider_ref, s.service, s.valid_from HAVING count(*) > 1
), gone AS (
  DELETE FROM import_contracts s USING twice t
  WHERE (s.ref, s.provider_ref, s.service, s.valid_from) = (t.ref, t.provider_ref, t.service, t.valid_from)
  RETURNING s.row_no, t.ref, t.service, t.valid_from, t.row_nos
)
SELECT g.row_no, format('contract %s for service %s from %s is on rows %s', g.ref, g.service, g.valid_from,
                        array_to_string(g.row_nos[1:5], ', ')) AS reason, count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_unknown_provider role: ecm_web
-- With a hint where leading zeros were lost.
WITH gone AS (
  DELETE FROM import_contracts s
  WHERE NOT EXISTS (SELECT FROM providers p WHERE p.tenant_id = $1::int AND p.ref = s.provider_ref)
  RETURNING s.row_no, s.provider_ref
)
SELECT g.row_no, format('provider_ref %s is not known', g.provider_ref) || coalesce('; is ' || k.ref || ' meant?', '')
       AS reason, count(*) OVER () AS many
FROM gone g
LEFT JOIN (SELECT ltrim(p.ref, '0') AS bare, min(p.ref) AS ref FROM providers p
           WHERE p.tenant_id = $1::int AND p.ref LIKE '0%' GROUP BY 1) k ON k.bare = g.provider_ref
ORDER BY g.row_no LIMIT 1000;

-- name: add_rows role: ecm_web
-- A contract row is never edited: other rules or another last day add a row, and the newest row counts. The
-- visits that stand under it, from yesterday on, are looked at again.
WITH wanted AS (
  SELECT s.row_no, s.ref, s.provider_ref, s.service, s.valid_from, s.rules::jsonb AS rules,
         CASE WHEN 'valid_to' = ANY (s.given) THEN s.valid_to ELSE n.valid_to END AS valid_to,
         n.contract_id IS NULL AS is_new, n.rules AS old_rules, n.valid_to AS old_valid_to
  FROM import_contracts s
  LEFT JOIN LATERAL (
    SELECT c.contract_id, c.rules, c.valid_to FROM contracts c
    WHERE c.tenant_id = $1::int AND c.provider_ref = s.provider_ref AND c.service = s.service
      AND c.valid_from = s.valid_from AND c.ref = s.ref
    ORDER BY c.contract_id DESC LIMIT 1) n ON true
), changed AS MATERIALIZED (
  SELECT w.* FROM wanted w
  WHERE w.is_new OR (w.rules, w.valid_to) IS DISTINCT FROM (w.old_rules, w.old_valid_to)
), added AS (
  INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, valid_to, rules, added_at)
  SELECT $1::int, c.ref, c.provider_ref, c.service, c.valid_from, c.valid_to, c.rules, $2::timestamptz
  FROM changed c ORDER BY c.row_no
), queued AS (
  INSERT INTO processing_queue (tenant_id, visit_id, available_at)
  SELECT DISTINCT $1::int, v.visit_id, 'epoch'::timestamptz FROM changed c
  JOIN visits v ON v.tenant_id = $1::int AND v.provider_ref = c.provider_ref AND c.service IN (v.service, '*')
    AND v.local_date >= greatest(c.valid_from, ($2::timestamptz - interval '2 days')::date)
  WHERE v.window_start >= $2::timestamptz - interval '1 day'
)
INSERT INTO import_changed
SELECT concat_ws(' ', c.row_no, c.ref), c.is_new, true FROM changed c;
