-- name: claim role: ecm_worker
-- Takes deliveries that are due, on a lease: whoever dies holding one loses it when the lease ends. The epoch, which
-- changes when a backup is restored, tells its deliveries from those that had the same numbers before. What was not yet
-- tried comes before what a gateway did not take, and what cannot wait before the rest; $5: nothing but what is both.
WITH mine AS MATERIALIZED (
  SELECT d.tenant_id, d.delivery_id FROM deliveries d
  JOIN alerts a ON a.tenant_id = d.tenant_id AND a.alert_id = d.alert_id
  WHERE d.state = 'pending' AND d.due_at <= $1::timestamptz
    AND (d.leased_until IS NULL OR d.leased_until < $2::timestamptz)
    AND (NOT $5::bool OR d.attempts = 0 AND a.severity = 'critical')
  ORDER BY d.attempts > 0, a.severity <> 'critical', d.due_at LIMIT $3::int
  FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d SET leased_until = $2::timestamptz + $4::float8 * interval '1 second', attempts = LEAST(d.attempts + 1, 32767)
FROM mine m, alerts a, visits v
WHERE d.tenant_id = m.tenant_id AND d.delivery_id = m.delivery_id
  AND a.tenant_id = d.tenant_id AND a.alert_id = d.alert_id
  AND v.tenant_id = a.tenant_id AND v.visit_id = a.visit_id
RETURNING d.tenant_id, d.delivery_id, d.alert_id, d.about, d.channel, d.address, d.due_at, d.attempts, d.leased_until,
  d.round, (SELECT h.epoch FROM board_heads h WHERE h.tenant_id = d.tenant_id) AS epoch, a.visit_id, a.kind, a.severity, a.state, a.reason, a.raised_at, a.stood_down_reason, v.ref, v.zone;

-- name: hold_alert role: ecm_worker
-- So that recording a sending and standing the alert down come one after the other, each seeing the other's work.
SELECT state FROM alerts WHERE tenant_id = $1::int AND alert_id = $2::bigint FOR UPDATE;

-- name: record role: ecm_worker
-- What became of a delivery, unless its lease passed to somebody else meanwhile.
UPDATE deliveries SET state = $4::text, due_at = COALESCE($5::timestamptz, due_at), last_error = $6::text,
  sent_at = $7::timestamptz, leased_until = NULL
WHERE tenant_id = $1::int AND delivery_id = $2::bigint AND leased_until = $3::timestamptz AND state = 'pending';

-- name: tell_it_is_over role: ecm_worker
-- Somebody was told, or may have been, of an alert that is over by now. What was said when it was over once before
-- does not count.
INSERT INTO deliveries AS d (tenant_id, alert_id, about, channel, address, due_at)
SELECT a.tenant_id, a.alert_id, 'stood_down', $3::text, $4::text, $5::timestamptz
FROM alerts a WHERE a.tenant_id = $1::int AND a.alert_id = $2::bigint AND a.state = 'stood_down'
ON CONFLICT (tenant_id, alert_id, about, channel, address) DO UPDATE SET
  state = 'pending', due_at = excluded.due_at, attempts = 0, leased_until = NULL, last_error = NULL, sent_at = NULL,
  round = d.round + 1
WHERE d.state = 'skipped'
   OR d.state = 'sent' AND d.sent_at < (SELECT a.stood_down_at FROM alerts a
                                        WHERE a.tenant_id = d.tenant_id AND a.alert_id = d.alert_id);

-- name: note_failure role: ecm_worker
-- Who could not be told, and whether we go on trying, is a fact for the health page.
INSERT INTO heartbeats (process, beat_at, details) VALUES ($1::text, $2::timestamptz, $3::jsonb)
ON CONFLICT (process) DO UPDATE SET beat_at = excluded.beat_at, details = heartbeats.details || excluded.details;
