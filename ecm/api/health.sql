-- name: health role: ecm_web
-- What waits and since when, over all tenants, and the newest beat of any worker.
SELECT h.schema_number, h.waiting, h.oldest_received_at, h.put_off, h.alerts_waiting, h.deliveries_late_since,
  (SELECT max(beat_at) FROM heartbeats) AS worker_beat_at, clock_timestamp() AS database_now
FROM ecm_health() h
