-- name: beat role: ecm_worker
-- This process lives.
INSERT INTO heartbeats (process, beat_at, details) VALUES ($1::text, $2::timestamptz, $3::jsonb)
ON CONFLICT (process) DO UPDATE SET beat_at = EXCLUDED.beat_at, details = heartbeats.details || EXCLUDED.details;

-- name: clear_sessions role: ecm_worker
-- Sessions that ended, or went idle, more than a day ago.
DELETE FROM sessions WHERE least(expires_at, idle_until) < $1::timestamptz - interval '1 day';

-- name: clear_tickets role: ecm_worker
-- Socket tickets nobody used.
DELETE FROM socket_tickets WHERE expires_at < $1::timestamptz - interval '1 hour';

-- name: clear_openings role: ecm_worker
-- What was begun and never finished.
DELETE FROM openings WHERE expires_at < $1::timestamptz - interval '1 hour';

-- name: clear_setup_codes role: ecm_worker
-- Codes for the set-up that open nothing any more.
DELETE FROM setup_codes WHERE expires_at < $1::timestamptz;

-- name: clear_heartbeats role: ecm_worker
-- Processes gone for a week.
DELETE FROM heartbeats WHERE beat_at < $1::timestamptz - interval '7 days';

-- name: clear_phone_calls role: ecm_worker
-- What was said on the telephone a month ago; the check-in it became is evidence, and stays.
DELETE FROM phone_calls WHERE ended_at < $1::timestamptz - interval '30 days';

-- name: clear_pin_tries role: ecm_worker
-- Wrong PINs that count for nothing any more.
DELETE FROM pin_tries WHERE tried_at < $1::timestamptz - interval '1 day';

-- name: clear_notices role: ecm_worker
-- Notices that somebody saw a year ago.
DELETE FROM notices WHERE seen_at < $1::timestamptz - interval '1 year';
