-- name: claim role: ecm_worker
-- To-dos nobody else holds.
SELECT todo_id, tenant_id, visit_id FROM alert_queue
WHERE available_at <= $1::timestamptz
ORDER BY available_at, todo_id
LIMIT $2::int
FOR UPDATE SKIP LOCKED;

-- name: take_turns role: ecm_worker
-- One worker at a time decides a tenant's alerts, or two would each miss what the other just raised. In order, so
-- that two never wait for each other.
SELECT pg_advisory_xact_lock(hashtext('ecm alerts'), t) FROM (
  SELECT DISTINCT t FROM unnest($1::int[]) AS t ORDER BY t) AS sorted;

-- name: visits role: ecm_worker
-- The visits as they now stand, with when each first coming and last leaving was heard of, and what phones said ($3).
SELECT v.tenant_id, v.visit_id, v.provider_ref, v.zone, v.window_start, v.state, v.time_critical, v.carers_required,
       v.crossings::text, v.findings::text, v.attendances::text, su.risk_tier,
       CASE WHEN v.attendances <> '[]' THEN (SELECT jsonb_object_agg(e.event_id, e.received_at)
        FROM jsonb_array_elements(v.attendances) AS a(stay)
        JOIN check_events e ON e.tenant_id = v.tenant_id
          AND e.event_id IN ((a.stay ->> 'check_in_event')::uuid, (a.stay ->> 'check_out_event')::uuid)) END AS received,
       (SELECT jsonb_agg(jsonb_build_array(r.kind, r.occurred_at, r.urgency, r.care_worker_ref) ORDER BY r.occurred_at, r.report_id)::text
        FROM reports r
        WHERE r.tenant_id = v.tenant_id AND r.visit_id = v.visit_id AND r.kind = ANY ($3::text[])) AS reports
FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
JOIN visits v ON v.tenant_id = q.tenant_id AND v.visit_id = q.visit_id
JOIN service_users su ON su.tenant_id = v.tenant_id AND su.ref = v.service_user_ref;

-- name: known_alerts role: ecm_worker
-- The alerts these visits have, held so that an acknowledgement or a sending is either before or after us.
SELECT a.tenant_id, a.visit_id, a.alert_id, a.kind, a.raised_for, a.state
FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
JOIN alerts a ON a.tenant_id = q.tenant_id AND a.visit_id = q.visit_id
ORDER BY a.tenant_id, a.alert_id
FOR UPDATE OF a;

-- name: contacts role: ecm_worker
-- Whom these tenants tell.
SELECT tenant_id, provider_ref, min_severity, channel, address, after_minutes
FROM alert_contacts WHERE tenant_id = ANY ($1::int[])
ORDER BY tenant_id, after_minutes, contact_id;

-- name: write role: ecm_worker
-- One statement writes a batch: alerts raised, stood down and reopened, deliveries, the board's positions, the
-- to-dos and the notifications. Who was told that it rang, or may have been, is told that it is over; of one that a
-- graver one takes over ($16 by $17), only once that is over too. Nobody is told of what was raised for before $18; of what phones
-- say ($19), of what we heard before that.
WITH raise AS (
  SELECT r.*, row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.nth) AS step
  FROM unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
      $9::text[]) WITH ORDINALITY
    AS r(tenant_id, visit_id, provider_ref, kind, raised_for, severity, reason, ladder, over, nth)
), alter_state AS (
  SELECT c.*, row_number() OVER (PARTITION BY c.tenant_id ORDER BY c.nth) AS step
  FROM unnest($10::int[], $11::bigint[], $12::text[], $13::bool[]) WITH ORDINALITY
    AS c(tenant_id, alert_id, over, taken_over, nth)
), many AS (
  SELECT t.tenant_id, sum(t.raises) AS raises, sum(t.raises) + sum(t.changes) AS total FROM (
    SELECT tenant_id, count(*) AS raises, 0 AS changes FROM raise GROUP BY tenant_id
    UNION ALL
    SELECT tenant_id, 0, count(*) FROM alter_state GROUP BY tenant_id) t
  GROUP BY t.tenant_id
), tops AS MATERIALIZED (
  SELECT h.tenant_id, m.raises, m.total FROM many m JOIN board_heads h ON h.tenant_id = m.tenant_id
  ORDER BY h.tenant_id FOR NO KEY UPDATE OF h
), heads AS (
  UPDATE board_heads h SET position = h.position + t.total FROM tops t WHERE h.tenant_id = t.tenant_id
  RETURNING h.tenant_id, h.position - t.total AS base, t.raises
), raised AS (
  INSERT INTO alerts (tenant_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason, ladder,
                      state, stood_down_at, stood_down_reason, position)
  SELECT r.tenant_id, r.visit_id, r.provider_ref, r.kind, r.raised_for, r.severity, $14::timestamptz, r.reason,
         r.ladder::jsonb, CASE WHEN r.over IS NULL THEN 'open' ELSE 'stood_down' END,
         CASE WHEN r.over IS NOT NULL THEN $14::timestamptz END, r.over, h.base + r.step
  FROM raise r JOIN heads h ON h.tenant_id = r.tenant_id
  ON CONFLICT (tenant_id, visit_id, kind, raised_for) DO NOTHING
  RETURNING tenant_id, alert_id, state, ladder, CASE WHEN kind = ANY ($19::text[]) THEN raised_at ELSE raised_for END AS news_of
), changed AS (
  UPDATE alerts a SET
    state = CASE WHEN c.over IS NULL THEN 'open' ELSE 'stood_down' END,
    stood_down_at = CASE WHEN c.over IS NOT NULL THEN $14::timestamptz END,
    stood_down_reason = c.over,
    owner = CASE WHEN c.over IS NOT NULL THEN a.owner END,
    acknowledged_at = CASE WHEN c.over IS NOT NULL THEN a.acknowledged_at END,
    position = h.base + h.raises + c.step
  FROM alter_state c JOIN heads h ON h.tenant_id = c.tenant_id
  WHERE a.tenant_id = c.tenant_id AND a.alert_id = c.alert_id
  RETURNING a.tenant_id, a.alert_id, a.visit_id, a.kind, a.state, a.ladder, c.taken_over,
    CASE WHEN a.kind = ANY ($19::text[]) THEN a.raised_at ELSE a.raised_for END AS news_of
), told AS (
  INSERT INTO deliveries AS d (tenant_id, alert_id, about, channel, address, due_at)
  SELECT o.tenant_id, o.alert_id, 'raised', l.channel, l.address,
         $14::timestamptz + min(l.after_minutes) * interval '1 minute'
  FROM (SELECT * FROM raised UNION ALL SELECT tenant_id, alert_id, state, ladder, news_of FROM changed) AS o
  CROSS JOIN LATERAL jsonb_to_recordset(o.ladder) AS l(channel text, address text, after_minutes int)
  WHERE o.state = 'open' AND o.news_of >= $18::timestamptz
  GROUP BY o.tenant_id, o.alert_id, l.channel, l.address
  UNION ALL
  SELECT DISTINCT s.tenant_id, s.alert_id, 'stood_down', r.channel, r.address, $14::timestamptz
  FROM changed s
  LEFT JOIN unnest($16::text[], $17::text[]) AS p(earlier, later) ON p.later = s.kind
  JOIN alerts rung ON rung.tenant_id = s.tenant_id AND rung.visit_id = s.visit_id
    AND (rung.alert_id = s.alert_id OR rung.kind = p.earlier)
  JOIN deliveries r ON r.tenant_id = rung.tenant_id AND r.alert_id = rung.alert_id
  WHERE s.state = 'stood_down' AND NOT s.taken_over AND r.about = 'raised' AND (r.state = 'sent' OR r.attempts > 0)
  ON CONFLICT (tenant_id, alert_id, about, channel, address) DO UPDATE SET
    state = 'pending', due_at = excluded.due_at, attempts = 0, leased_until = NULL, last_error = NULL, sent_at = NULL,
    round = d.round + 1
  RETURNING 1
), done AS (
  DELETE FROM alert_queue WHERE todo_id = ANY ($15::bigint[])
), notified AS MATERIALIZED (
  SELECT pg_notify('ecm_board', h.tenant_id::text) FROM heads h
  UNION ALL
  SELECT pg_notify('ecm_deliveries', '') FROM (SELECT 1 FROM told LIMIT 1) AS any_told
)
SELECT (SELECT count(*) FROM raised) AS raised, (SELECT count(*) FROM changed) AS changed,
       (SELECT count(*) FROM told) AS told, (SELECT count(*) FROM notified) AS notified;

-- name: climb_again role: ecm_worker
-- The rungs that were left out while somebody had taken the alert on are climbed now that nobody has: an alert that
-- is open leaves nobody out. What was given up meanwhile is tried again; mere information is not. History stays silent.
UPDATE deliveries d SET state = 'pending', due_at = $3::timestamptz, attempts = 0, last_error = NULL, leased_until = NULL
FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, alert_id)
JOIN alerts a ON a.tenant_id = q.tenant_id AND a.alert_id = q.alert_id
WHERE d.tenant_id = a.tenant_id AND d.alert_id = a.alert_id AND d.about = 'raised' AND a.state = 'open'
  AND (d.state = 'skipped' OR d.state = 'failed' AND a.severity <> 'information')
  AND CASE WHEN a.kind = ANY ($5::text[]) THEN a.raised_at ELSE a.raised_for END >= $4::timestamptz;

-- name: put_off role: ecm_worker
-- A poison row waits, longer each time, and is reported on the health page; it stops nobody else.
UPDATE alert_queue SET tries = tries + 1, last_error = $2::text,
  available_at = $3::timestamptz + least(interval '10 minutes', interval '1 second' * power(2, least(tries, 12)))
WHERE todo_id = $1::bigint;

-- name: path_is_clear role: ecm_worker
-- No deadline waits to be judged for longer than a backlog may hold it up and a failing visit is put aside; nothing
-- waits to be decided; nothing that should have been sent is unsent, and no page keeps failing.
SELECT COALESCE((SELECT min(deadline_at) FROM visits WHERE deadline_at IS NOT NULL)
                > $2::timestamptz - interval '2 minutes' * $3::float8, true)
   AND NOT EXISTS (SELECT FROM alert_queue WHERE available_at <= $1::timestamptz OR tries > 0)
   AND NOT EXISTS (SELECT FROM deliveries d JOIN alerts a ON a.tenant_id = d.tenant_id AND a.alert_id = d.alert_id
                   WHERE d.state = 'pending'
                     AND (d.due_at <= $2::timestamptz - interval '1 minute' * $3::float8
                       OR d.attempts >= 3 AND d.about = 'raised' AND a.state = 'open' AND a.severity <> 'information'));

-- name: prove_path role: ecm_worker
-- The alarm path was seen to work, end to end, at this instant: by the service's clock, and in real time.
INSERT INTO heartbeats (process, beat_at, details)
VALUES ($1::text, $2::timestamptz, jsonb_build_object('alarm_path_at', $3::timestamptz, 'alarm_proved_at', $2::timestamptz))
ON CONFLICT (process) DO UPDATE SET beat_at = excluded.beat_at, details = heartbeats.details || excluded.details;
