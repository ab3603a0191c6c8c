-- name: version role: ecm_worker
-- Which server answers.
SELECT 'PostgreSQL ' || current_setting('server_version');

-- name: facts role: ecm_worker
-- How the clocks differ, when a worker last beat, and what waits.
SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)::float8 AS skew_s,
       (SELECT extract(epoch FROM $1::timestamptz - max(beat_at))::float8 FROM heartbeats) AS worker_silent_s,
       (SELECT count(*) FROM processing_queue WHERE tries = 0) AS waiting,
       (SELECT count(*) FROM processing_queue WHERE tries > 0) AS poison,
       (SELECT count(*) FROM alert_contacts) AS contacts,
       (SELECT extract(epoch FROM $1::timestamptz - max((details ->> 'heads_told_at')::timestamptz))::float8
        FROM heartbeats) AS heads_told_s,
       (SELECT (details ->> 'audit_broken')::int FROM heartbeats WHERE details ? 'audit_proved_at'
        ORDER BY (details ->> 'audit_proved_at')::timestamptz DESC LIMIT 1) AS audit_broken,
       coalesce((SELECT extract(epoch FROM $2::timestamptz - min(e.received_at))::float8
                 FROM processing_queue q JOIN check_events e USING (tenant_id, event_id) WHERE q.tries = 0), 0)
         AS backlog_s;
