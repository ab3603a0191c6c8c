-- name: tenant role: ecm_web
-- The tenant behind a board: its zone, its words, and the top of its board.
SELECT t.zone, t.labels, h.epoch, h.position
FROM tenants t JOIN board_heads h USING (tenant_id)
WHERE t.tenant_id = $1::int;

-- name: head role: ecm_web
-- The top of the board. Whatever is at or below it has committed: positions are handed out in commit order.
SELECT epoch, position FROM board_heads WHERE tenant_id = $1::int;

-- name: changed_visits role: ecm_web
-- Visits changed up to a position, after another one and a visit at it (index visits_changed).
SELECT v.visit_id, v.ref, v.version, v.position, v.local_date, v.service, v.planned_start, v.planned_end,
       v.commissioned_minutes, v.time_critical, v.carers_required, v.state, v.state_reason, v.actual_start,
       v.actual_end, v.deadline_at, v.deadline_kind, v.attendances, v.findings, v.care_worker_refs,
       u.name AS person, u.area, u.risk_tier, u.needs, u.funder, p.ref AS provider_ref, p.name AS provider_name,
       (SELECT json_agg(json_build_array(w.ref, w.name, w.phone))
        FROM care_workers w
        WHERE w.tenant_id = v.tenant_id AND w.ref = ANY (v.care_worker_refs
              || ARRAY(SELECT a ->> 'care_worker' FROM jsonb_array_elements(v.attendances) a))) AS workers
FROM visits v
JOIN service_users u ON u.tenant_id = v.tenant_id AND u.ref = v.service_user_ref
JOIN providers p ON p.tenant_id = v.tenant_id AND p.ref = v.provider_ref
WHERE v.tenant_id = $1::int AND v.position >= $2::bigint AND v.position <= $4::bigint
  AND (v.position, v.visit_id) > ($2, $3::bigint)
ORDER BY v.position, v.visit_id
LIMIT $5::int;

-- name: changed_alerts role: ecm_web
-- Alerts changed up to a position, after another one and an alert at it (index alerts_changed), with their visit's day.
SELECT a.alert_id, a.visit_id, a.kind, a.severity, a.state, a.reason, a.raised_at, a.raised_for, a.owner,
       a.acknowledged_at, a.stood_down_at, a.stood_down_reason, a.position,
       v.local_date, v.provider_ref, v.state AS visit_state, v.planned_end, v.actual_end
FROM alerts a JOIN visits v USING (tenant_id, visit_id)
WHERE a.tenant_id = $1::int AND a.position >= $2::bigint AND a.position <= $4::bigint
  AND (a.position, a.alert_id) > ($2, $3::bigint)
ORDER BY a.position, a.alert_id
LIMIT $5::int;

-- name: shown role: ecm_web
-- Visits that a board of this date may show: the date's own, the day before's that may be open or run past midnight, and
-- for the board that follows today ($4) those whose alerts may still ring (index alerts_open). Some too many: where a
-- visit shows is decided in one place (feed.py), from its row and `rings`.
SELECT visit_id FROM visits
WHERE tenant_id = $1::int AND local_date = $2::date AND ($5::text IS NULL OR provider_ref = $5)
UNION
SELECT visit_id FROM visits
WHERE tenant_id = $1::int AND local_date = $2::date - 1 AND ($5::text IS NULL OR provider_ref = $5)
  AND (state IN ('late', 'in_progress', 'overrunning', 'missed') OR greatest(planned_end, actual_end) > $3::timestamptz)
UNION
SELECT visit_id FROM alerts a JOIN visits v USING (tenant_id, visit_id)
WHERE $4::bool AND a.tenant_id = $1::int AND a.state <> 'stood_down' AND a.severity <> 'information'
  AND a.raised_at >= $3::timestamptz - interval '30 days'
  AND (a.raised_at >= $3 - interval '1 day' OR a.state = 'open' AND a.severity = 'critical')
  AND ($5::text IS NULL OR v.provider_ref = $5)
ORDER BY visit_id;

-- name: rings role: ecm_web
-- Until when these visits ring on the board that follows today, whatever their day. An alert rings on the day it is
-- raised, whoever has it; unanswered it goes on: a critical one for 30 days, a warning for one. What was history when it
-- was raised rings for nobody, but a call for help always does. A visit found missed rings until its alert is raised.
SELECT visit_id, until FROM (
  SELECT v.visit_id, greatest(
    (SELECT max(a.raised_at + CASE WHEN a.state <> 'open' THEN interval '0'
                                   WHEN a.severity = 'critical' THEN interval '30 days' ELSE interval '1 day' END)
     FROM alerts a
     WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id
       AND a.state <> 'stood_down' AND a.severity <> 'information'
       AND (a.raised_at < a.raised_for + interval '24 hours' OR a.kind = 'sos')),
    CASE WHEN v.state = 'missed' AND NOT EXISTS (
      SELECT FROM alerts a WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id AND a.kind = 'missed')
    THEN v.window_start + interval '1 day' END) AS until
  FROM unnest($2::bigint[]) AS q(visit_id) JOIN visits v ON v.tenant_id = $1::int AND v.visit_id = q.visit_id) AS each
WHERE until IS NOT NULL;

-- name: visits_by_id role: ecm_web
-- Visits as a board shows them. Each has its person and provider; LEFT, so that no plan begins with every person. A
-- provider's board names borrowed workers too, whom it does not see among its own.
SELECT v.visit_id, v.ref, v.version, v.position, v.local_date, v.service, v.planned_start, v.planned_end,
       v.commissioned_minutes, v.time_critical, v.carers_required, v.state, v.state_reason, v.actual_start,
       v.actual_end, v.deadline_at, v.deadline_kind, v.attendances, v.findings, v.care_worker_refs,
       u.name AS person, u.area, u.risk_tier, u.needs, u.funder, p.ref AS provider_ref, p.name AS provider_name,
       CASE WHEN (SELECT ecm_sees_all()) THEN
         (SELECT json_agg(json_build_array(w.ref, w.name, w.phone))
          FROM care_workers w
          WHERE w.tenant_id = v.tenant_id AND w.ref = ANY (v.care_worker_refs
                || ARRAY(SELECT a ->> 'care_worker' FROM jsonb_array_elements(v.attendances) a)))
       ELSE (SELECT json_agg(json_build_array(w.ref, w.name, w.phone)) FROM ecm_workers_on(ARRAY[v.visit_id]) w)
       END AS workers
FROM unnest($2::bigint[]) AS q(visit_id)
JOIN visits v ON v.tenant_id = $1::int AND v.visit_id = q.visit_id
LEFT JOIN service_users u ON u.tenant_id = v.tenant_id AND u.ref = v.service_user_ref
LEFT JOIN providers p ON p.tenant_id = v.tenant_id AND p.ref = v.provider_ref
ORDER BY v.visit_id;

-- name: alerts_of_visits role: ecm_web
-- The alerts of these visits.
SELECT a.alert_id, a.visit_id, a.kind, a.severity, a.state, a.reason, a.raised_at, a.raised_for, a.owner,
       a.acknowledged_at, a.stood_down_at, a.stood_down_reason, a.position,
       v.local_date, v.provider_ref, v.state AS visit_state, v.planned_end, v.actual_end
FROM alerts a JOIN visits v USING (tenant_id, visit_id)
WHERE a.tenant_id = $1::int AND a.visit_id = ANY ($2::bigint[])
ORDER BY a.alert_id;

-- name: pulse role: ecm_web
-- What is true about the board itself: newest check-in or check-out on it, when a page last went out, how far
-- assessing is behind, and how long ago any worker beat.
SELECT
  (SELECT max(greatest(r.actual_start, r.actual_end))
   FROM (SELECT actual_start, actual_end FROM visits WHERE tenant_id = $1::int
         ORDER BY position DESC LIMIT 200) r) AS last_check_in_at,
  (SELECT max((details ->> 'alarm_path_at')::timestamptz) FROM heartbeats) AS alarm_path_at,
  (SELECT extract(epoch FROM $2::timestamptz - e.received_at)
   FROM processing_queue q JOIN check_events e USING (tenant_id, event_id)
   WHERE q.tenant_id = $1::int AND q.tries = 0
   ORDER BY q.available_at, q.todo_id LIMIT 1)::float8 AS processing_behind_s,
  (SELECT extract(epoch FROM clock_timestamp() - max(beat_at)) FROM heartbeats)::float8 AS worker_age_s;

-- name: standing_sessions role: ecm_web
-- Which of these sessions still stand, and as what: signed out, replaced, idle, expired, disabled and left ones do not. An open
-- board is somebody there, so that, once a minute, each that stands is given its idle span anew.
WITH standing AS (
  SELECT s.token_sha256, a.role, a.provider_ref FROM sessions s JOIN accounts a USING (tenant_id, account_id)
  WHERE s.tenant_id = $1::int AND s.token_sha256 = ANY ($2::bytea[]) AND s.expires_at > $3::timestamptz
    AND s.idle_until > $3::timestamptz AND NOT s.limited AND a.disabled_at IS NULL AND a.left_at IS NULL),
there AS (
  UPDATE sessions s SET seen_at = $3::timestamptz, idle_until = $3::timestamptz + (s.idle_until - s.seen_at)
  FROM standing n
  WHERE s.tenant_id = $1::int AND s.token_sha256 = n.token_sha256 AND isfinite(s.idle_until)
    AND s.seen_at < $3::timestamptz - interval '1 minute')
SELECT token_sha256, role, provider_ref FROM standing;

-- name: insert_ticket role: ecm_web
-- A pass for one socket, kept as a hash, of the session that asked for it.
INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)
VALUES ($1::int, $2::bytea, $3::bigint, $4::bytea, $5::timestamptz);

-- name: use_ticket role: ecm_web
-- Takes the pass away and says whose it was; no row when unknown, used or too old.
SELECT tenant_id, account_id, email, name, role, provider_ref, session_sha256
FROM ecm_use_ticket($1::bytea, $2::timestamptz);
