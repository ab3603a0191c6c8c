-- name: left_at role: ecm_web
-- When this care worker left; NULL for who has not.
SELECT ecm_worker_left_at($1::text);
