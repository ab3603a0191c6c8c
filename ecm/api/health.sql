-- name: health role: ecm_web
-- What waits and since when, over all tenants, the newest beat of any worker, and what the workers had trouble with.
SELECT h.schema_number, h.waiting, h.oldest_received_at, h.put_off, h.alerts_waiting, h.deliveries_late_since,
  (SELECT max(beat_at) FROM heartbeats) AS worker_beat_at,
  (SELECT max((details ->> 'page_failing_at')::timestamptz) FROM heartbeats) AS page_failing_at,
  (SELECT max((details ->> 'alarm_proved_at')::timestamptz) FROM heartbeats) AS alarm_proved_at,
  (SELECT max((details ->> 'payment_failed_at')::timestamptz) FROM heartbeats) AS payment_failed_at,
  (SELECT max((details ->> 'heads_told_at')::timestamptz) FROM heartbeats) AS heads_told_at,
  (SELECT (details ->> 'audit_broken')::int FROM heartbeats WHERE details ? 'audit_proved_at'
   ORDER BY (details ->> 'audit_proved_at')::timestamptz DESC LIMIT 1) AS audit_broken,
  (SELECT fingerprint FROM sealing_key) AS sealed_with, clock_timestamp() AS database_now
FROM ecm_health() h
