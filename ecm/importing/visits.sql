-- name: reject_repeated role: ecm_web
-- Which of two rows is right cannot be told, so both are rejected.
WITH twice AS (
  SELECT s.ref, array_agg(s.row_no ORDER BY s.row_no) AS row_nos FROM import_visits s
  GROUP BY s.ref HAVING count(*) > 1
), gone AS (
  DELETE FROM import_visits s USING twice t WHERE s.ref = t.ref RETURNING s.row_no, t.ref, t.row_nos
)
SELECT g.row_no, format('ref %s is on rows %s', g.ref, array_to_string(g.row_nos[1:5], ', ')) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: reject_unknown_person role: ecm_web
-- With a hint where leading zeros were lost.
WITH gone AS (
  DELETE FROM import_visits s
  WHERE NOT EXISTS (SELECT FROM service_users u WHERE u.tenant_id = $1::int AND u.ref = s.service_user_ref)
  RETURNING s.row_no, s.service_user_ref
)
SELECT g.row_no, format('service_user_ref %s is not known', g.service_user_ref)
       || coalesce('; is ' || k.ref || ' meant?', '') AS reason, count(*) OVER () AS many
FROM gone g
LEFT JOIN (SELECT ltrim(u.ref, '0') AS bare, min(u.ref) AS ref FROM service_users u
           WHERE u.tenant_id = $1::int AND u.ref LIKE '0%' GROUP BY 1) k ON k.bare = g.service_user_ref
ORDER BY g.row_no LIMIT 1000;

-- name: reject_unknown_provider role: ecm_web
-- With a hint where leading zeros were lost.
WITH gone AS (
  DELETE FROM import_visits s
  WHERE NOT EXISTS (SELECT FROM providers p WHERE p.tenant_id = $1::int AND p.ref = s.provider_ref)
  RETURNING s.row_no, s.provider_ref
)
SELECT g.row_no, format('provider_ref %s is not known', g.provider_ref) || coalesce('; is ' || k.ref || ' meant?', '')
       AS reason, count(*) OVER () AS many
FROM gone g
LEFT JOIN (SELECT ltrim(p.ref, '0') AS bare, min(p.ref) AS ref FROM providers p
           WHERE p.tenant_id = $1::int AND p.ref LIKE '0%' GROUP BY 1) k ON k.bare = g.provider_ref
ORDER BY g.row_no LIMIT 1000;

-- name: reject_unknown_workers role: ecm_web
-- A rostered care worker must be known: somebody has to be able to ring them.
WITH unknown AS (
  SELECT s.row_no, array_agg(r.ref ORDER BY r.ref) AS refs
  FROM import_visits s CROSS JOIN unnest(s.care_worker_refs) AS r(ref)
  LEFT JOIN care_workers w ON w.tenant_id = $1::int AND w.ref = r.ref
  WHERE w.ref IS NULL GROUP BY s.row_no
), gone AS (
  DELETE FROM import_visits s USING unknown u WHERE s.row_no = u.row_no RETURNING s.row_no, u.refs
)
SELECT g.row_no, format('care_worker_refs %s is not known', array_to_string(g.refs, ', '))
       || coalesce('; is ' || k.ref || ' meant?', '') AS reason, count(*) OVER () AS many
FROM gone g
LEFT JOIN (SELECT ltrim(w.ref, '0') AS bare, min(w.ref) AS ref FROM care_workers w
           WHERE w.tenant_id = $1::int AND w.ref LIKE '0%' GROUP BY 1) k ON k.bare = g.refs[1]
ORDER BY g.row_no LIMIT 1000;

-- name: reject_shorn role: ecm_web
-- A new number that is a known one without its leading zeros.
WITH known AS (
  SELECT ltrim(v.ref, '0') AS bare, min(v.ref) AS ref FROM visits v
  WHERE v.tenant_id = $1::int AND v.ref LIKE '0%' GROUP BY 1
), gone AS (
  DELETE FROM import_visits s USING known k
  WHERE s.ref = k.bare AND s.ref ~ '^[0-9]+$'
    AND NOT EXISTS (SELECT FROM visits e WHERE e.tenant_id = $1::int AND e.ref = s.ref)
  RETURNING s.row_no, s.ref, k.ref AS known
)
SELECT g.row_no, format('ref %s is new and %s is known; leading zeros seem to be lost', g.ref, g.known) AS reason,
       count(*) OVER () AS many
FROM gone g ORDER BY g.row_no LIMIT 1000;

-- name: stage_next role: ecm_web
-- Each visit's next one of the same person within 24 hours, over the file and what is stored around it. Visits
-- after the last changed one are looked at but not written: their own next may lie beyond what was loaded. A visit is
-- nobody's next if the plan cancelled it, or an amendment called it off.
WITH called_off AS MATERIALIZED (
  SELECT DISTINCT a.visit_id FROM amendments a WHERE a.tenant_id = $1::int AND a.kind = 'cancelled'
), known AS MATERIALIZED (
  SELECT s.ref, v.service_user_ref, v.planned_start, v.cancelled, a.visit_id IS NOT NULL AS called_off
  FROM import_visits s JOIN visits v ON v.tenant_id = $1::int AND v.ref = s.ref
  LEFT JOIN called_off a ON a.visit_id = v.visit_id
), span AS MATERIALIZED (
  SELECT min(t.planned_start) - interval '24 hours' AS since, max(t.planned_start) AS until
  FROM (SELECT planned_start FROM import_visits UNION ALL SELECT planned_start FROM known) AS t
), plan AS (
  SELECT s.ref, s.service_user_ref, s.planned_start,
         coalesce(CASE WHEN 'cancelled' = ANY (s.given) THEN s.cancelled ELSE k.cancelled END, false)
           OR coalesce(k.called_off, false) AS cancelled
  FROM import_visits s LEFT JOIN known k ON k.ref = s.ref
  UNION ALL
  SELECT v.ref, v.service_user_ref, v.planned_start, v.cancelled OR a.visit_id IS NOT NULL
  FROM (SELECT service_user_ref FROM import_visits UNION SELECT service_user_ref FROM known) AS person
  CROSS JOIN span
  JOIN visits v ON v.tenant_id = $1::int AND v.service_user_ref = person.service_user_ref
    AND v.window_start BETWEEN span.since AND span.until + interval '24 hours'
  LEFT JOIN called_off a ON a.visit_id = v.visit_id
  WHERE v.planned_start IS NOT NULL AND NOT EXISTS (SELECT FROM import_visits s WHERE s.ref = v.ref)
), following AS (
  SELECT p.ref, p.planned_start, min(p.planned_start) FILTER (WHERE NOT p.cancelled) OVER (
           PARTITION BY p.service_user_ref ORDER BY p.planned_start
           RANGE BETWEEN interval '1 microsecond' FOLLOWING AND interval '24 hours' FOLLOWING) AS next_planned_start
  FROM plan p
)
INSERT INTO import_next
SELECT f.ref, f.next_planned_start FROM following f CROSS JOIN span WHERE f.planned_start <= span.until;

-- name: update_known role: ecm_web
-- Visits whose plan says something else now, locked in the order in which processing locks them. Each is a to-do. So is
-- what counted for one that is another person's now, or at another time, or another worker's: it arrives again, and
-- before the to-dos of the file.
WITH changed AS MATERIALIZED (
  SELECT v.visit_id, v.ref, t.zone, w.*,
         (v.service_user_ref, v.planned_start, v.planned_end, v.care_worker_refs) IS DISTINCT FROM
         (w.service_user_ref, w.planned_start, w.planned_end, w.care_worker_refs) AS moved
  FROM import_visits s
  JOIN tenants t ON t.tenant_id = $1::int
  JOIN visits v ON v.tenant_id = $1::int AND v.ref = s.ref
  JOIN service_users u ON u.tenant_id = $1::int AND u.ref = s.service_user_ref
  CROSS JOIN LATERAL (SELECT
    s.service_user_ref AS service_user_ref, s.provider_ref AS provider_ref, s.local_date AS local_date,
    s.planned_start AS planned_start, s.planned_end AS planned_end,
    CASE WHEN 'service' = ANY (s.given) THEN coalesce(s.service, '*') ELSE v.service END AS service,
    CASE WHEN 'commissioned_minutes' = ANY (s.given) THEN s.commissioned_minutes ELSE v.commissioned_minutes END
      AS commissioned_minutes,
    CASE WHEN 'carers_required' = ANY (s.given) THEN coalesce(s.carers_required, u.carers_required)
         ELSE v.carers_required END AS carers_required,
    CASE WHEN 'care_worker_refs' = ANY (s.given) THEN coalesce(s.care_worker_refs, '{}') ELSE v.care_worker_refs END
      AS care_worker_refs,
    CASE WHEN 'time_critical' = ANY (s.given) THEN coalesce(s.time_critical, false) ELSE v.time_critical END
      AS time_critical,
    CASE WHEN 'cancelled' = ANY (s.given) THEN coalesce(s.cancelled, false) ELSE v.cancelled END AS cancelled) AS w
  WHERE (v.service_user_ref, v.provider_ref, v.local_date, v.planned_start, v.planned_end, v.service,
         v.commissioned_minutes, v.carers_required, v.care_worker_refs, v.time_critical, v.cancelled, v.zone)
        IS DISTINCT FROM
        (w.service_user_ref, w.provider_ref, w.local_date, w.planned_start, w.planned_end, w.service,
         w.commissioned_minutes, w.carers_required, w.care_worker_refs, w.time_critical, w.cancelled, t.zone)
  ORDER BY v.visit_id FOR NO KEY UPDATE OF v
), written AS (
  UPDATE visits v SET service_user_ref = c.service_user_ref, provider_ref = c.provider_ref,
    local_date = c.local_date, zone = c.zone, planned_start = c.planned_start, planned_end = c.planned_end,
    window_start = c.planned_start, service = c.service, commissioned_minutes = c.commissioned_minutes,
    agreed_short = coalesce(c.commissioned_minutes < 30, false), carers_required = c.carers_required,
    care_worker_refs = c.care_worker_refs, time_critical = c.time_critical, cancelled = c.cancelled,
    cancelled_at = CASE WHEN NOT c.cancelled THEN NULL WHEN v.cancelled THEN v.cancelled_at ELSE $2::timestamptz END
  FROM changed c WHERE v.tenant_id = $1::int AND v.visit_id = c.visit_id
), queued AS (
  INSERT INTO processing_queue (tenant_id, visit_id, available_at) SELECT $1::int, c.visit_id, 'epoch' FROM changed c
), arriving AS (
  INSERT INTO processing_queue (tenant_id, event_id)
  SELECT $1::int, o.event_id FROM changed c
  JOIN event_outcomes o ON o.tenant_id = $1::int AND o.visit_id = c.visit_id
  WHERE c.moved
)
INSERT INTO import_changed SELECT c.ref, false, true FROM changed c;

-- name: add_new role: ecm_web
-- Visits not stored yet. Each is a to-do, because only processing gives it a deadline.
WITH added AS (
  INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, service, local_date, zone, planned_start,
    planned_end, window_start, next_planned_start, commissioned_minutes, agreed_short, carers_required,
    care_worker_refs, time_critical, cancelled)
  SELECT $1::int, s.ref, s.service_user_ref, s.provider_ref, coalesce(s.service, '*'), s.local_date, t.zone,
    s.planned_start, s.planned_end, s.planned_start, n.next_planned_start, s.commissioned_minutes,
    coalesce(s.commissioned_minutes < 30, false), coalesce(s.carers_required, u.carers_required),
    coalesce(s.care_worker_refs, '{}'), coalesce(s.time_critical, false), coalesce(s.cancelled, false)
  FROM import_visits s
  JOIN tenants t ON t.tenant_id = $1::int
  JOIN service_users u ON u.tenant_id = $1::int AND u.ref = s.service_user_ref
  JOIN import_next n ON n.ref = s.ref
  WHERE NOT EXISTS (SELECT FROM visits v WHERE v.tenant_id = $1::int AND v.ref = s.ref)
  ORDER BY s.row_no
  RETURNING visit_id, ref
), queued AS (
  INSERT INTO processing_queue (tenant_id, visit_id, available_at) SELECT $1::int, a.visit_id, 'epoch' FROM added a
)
INSERT INTO import_changed SELECT a.ref, true, true FROM added a;

-- name: update_next role: ecm_web
-- Neighbours that the file does not name may now be followed by another visit.
WITH changed AS MATERIALIZED (
  SELECT v.visit_id, n.next_planned_start
  FROM import_next n JOIN visits v ON v.tenant_id = $1::int AND v.ref = n.ref
  WHERE v.next_planned_start IS DISTINCT FROM n.next_planned_start
  ORDER BY v.visit_id FOR NO KEY UPDATE OF v
), written AS (
  UPDATE visits v SET next_planned_start = c.next_planned_start FROM changed c
  WHERE v.tenant_id = $1::int AND v.visit_id = c.visit_id
)
INSERT INTO processing_queue (tenant_id, visit_id, available_at) SELECT $1::int, c.visit_id, 'epoch' FROM changed c;
