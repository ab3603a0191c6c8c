-- name: grown_up role: ecm_worker
-- Whether the tables that processing reads are so large that no plan would leave their index aside.
SELECT min(pg_relation_size(t)) >= 2 * 1024 * 1024
FROM unnest(ARRAY['visits', 'check_events', 'event_outcomes']::regclass[]) AS t;
