-- name: beat role: ecm_worker
-- This process lives.
INSERT INTO heartbeats (process, beat_at, details) VALUES ($1::text, $2::timestamptz, $3::jsonb)
ON CONFLICT (process) DO UPDATE SET beat_at = EXCLUDED.beat_at, details = heartbeats.details || EXCLUDED.details;

-- name: clear_sessions role: ecm_worker
-- Sessions that ended more than a day ago.
DELETE FROM sessions WHERE expires_at < $1::timestamptz - interval '1 day';

-- name: clear_tickets role: ecm_worker
-- Socket tickets nobody used.
DELETE FROM socket_tickets WHERE expires_at < $1::timestamptz - interval '1 hour';

-- name: clear_heartbeats role: ecm_worker
-- Processes gone for a week.
DELETE FROM heartbeats WHERE beat_at < $1::timestamptz - interval '7 days';
