-- name: has_schema role: owner
-- Whether anything was ever made here.
SELECT to_regclass('public.scaled_clock') IS NOT NULL;

-- name: is_demonstration role: owner
-- A database on a scaled clock, or one in which nobody ever checked in.
SELECT EXISTS (SELECT FROM scaled_clock) OR NOT EXISTS (SELECT FROM check_events);

-- name: empty role: owner
-- Everything goes; the next migration makes it again.
DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
