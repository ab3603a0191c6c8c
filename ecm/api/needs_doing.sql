-- name: counts role: ecm_web
-- How many of each; 0 where all is well. Phones of one provider ($2) or all; silent: nothing since $3.
SELECT
  (SELECT (count(*) = 1)::int FROM accounts
   WHERE tenant_id = $1::int AND role = 'administrator' AND disabled_at IS NULL) AS second_administrator,
  (SELECT (NOT EXISTS (SELECT FROM providers WHERE tenant_id = $1::int))::int) AS nothing_imported,
  (SELECT count(*)::int FROM devices d
   WHERE d.tenant_id = $1::int AND ($2::text IS NULL OR d.provider_ref = $2::text)
     AND d.care_worker_ref IS NOT NULL AND d.cut_off_at IS NULL AND d.enrolled_at < $3::timestamptz
     AND NOT EXISTS (
       SELECT FROM event_outcomes o
       JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
       WHERE o.tenant_id = d.tenant_id AND o.care_worker_ref = d.care_worker_ref AND o.occurred_at > $3::timestamptz
         AND e.device_id = d.device_id::text)) AS phones_silent;
