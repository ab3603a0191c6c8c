-- name: list_alerts role: ecm_web
-- Alerts about a date's visits, or all, oldest first, from a place on.
SELECT a.alert_id, a.visit_id, v.ref AS visit_ref, a.provider_ref, a.kind, a.raised_for, a.raised_at, a.severity,
  a.state, a.reason, a.owner, a.acknowledged_at, a.stood_down_at, a.stood_down_reason
FROM alerts a
JOIN visits v ON v.tenant_id = a.tenant_id AND v.visit_id = a.visit_id
WHERE a.tenant_id = $1::int
  AND ($2::text IS NULL OR a.provider_ref = $2)
  AND ($3::date IS NULL OR v.local_date = $3)
  AND ($4::text IS NULL OR a.state = $4)
  AND a.alert_id > $5::bigint
ORDER BY a.alert_id
LIMIT $6::int

-- name: get_alert role: ecm_web
-- One alert.
SELECT a.alert_id, a.visit_id, v.ref AS visit_ref, a.provider_ref, a.kind, a.raised_for, a.raised_at, a.severity,
  a.state, a.reason, a.owner, a.acknowledged_at, a.stood_down_at, a.stood_down_reason
FROM alerts a
JOIN visits v ON v.tenant_id = a.tenant_id AND v.visit_id = a.visit_id
WHERE a.tenant_id = $1::int AND a.alert_id = $2::bigint AND ($3::text IS NULL OR a.provider_ref = $3)

-- name: alerts_of_visit role: ecm_web
-- A visit's alerts, oldest first.
SELECT a.alert_id, a.visit_id, v.ref AS visit_ref, a.provider_ref, a.kind, a.raised_for, a.raised_at, a.severity,
  a.state, a.reason, a.owner, a.acknowledged_at, a.stood_down_at, a.stood_down_reason
FROM alerts a
JOIN visits v ON v.tenant_id = a.tenant_id AND v.visit_id = a.visit_id
WHERE a.tenant_id = $1::int AND a.visit_id = $2::bigint
ORDER BY a.alert_id

-- name: actions_on_alert role: ecm_web
-- What people did about it, oldest first.
SELECT kind, made_by, made_at, note FROM alert_actions
WHERE tenant_id = $1::int AND alert_id = $2::bigint
ORDER BY action_id

-- name: lock_alert role: ecm_web
-- The second of two officers waits here and then sees what the first one did. Before the board's head is taken:
-- whoever takes the head holds every row it needs already, or two of them could wait for each other.
SELECT state, owner, owned_by FROM alerts
WHERE tenant_id = $1::int AND alert_id = $2::bigint AND ($3::text IS NULL OR provider_ref = $3)
FOR UPDATE

-- name: insert_action role: ecm_web
-- Added, never edited.
INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at, note)
VALUES ($1::int, $2::bigint, $3::text, $4::text, $5::timestamptz, $6::text)

-- name: look_again role: ecm_web
-- Nobody has it any more: the alarms are to see whom it has not reached.
INSERT INTO alert_queue (tenant_id, visit_id)
SELECT tenant_id, visit_id FROM alerts WHERE tenant_id = $1::int AND alert_id = $2::bigint

-- name: tell_board role: ecm_web
-- Heard when this transaction commits.
SELECT pg_notify('ecm_board', ($1::int)::text)

-- name: set_owner role: ecm_web
-- Acknowledged by somebody, or open again; stamped with the board's next position. Last before the commit.
WITH head AS (
  UPDATE board_heads SET position = position + 1 WHERE tenant_id = $1::int RETURNING position
)
UPDATE alerts SET state = $4::text, owner = $5::text, acknowledged_at = $6::timestamptz, owned_by = $7::text,
  position = head.position
FROM head
WHERE tenant_id = $1::int AND alert_id = $2::bigint AND state = $3::text
RETURNING alert_id
