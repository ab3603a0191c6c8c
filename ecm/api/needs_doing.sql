-- name: counts role: ecm_web
-- How many of each; 0 where all is well. Phones of one provider ($2) or all; silent: nothing since
-- $3. Keys made before $4 and not used since the day $5: they are made at the service's time and used on real days.
SELECT
  (SELECT (count(*) = 1)::int FROM accounts
   WHERE tenant_id = $1::int AND role = 'administrator' AND disabled_at IS NULL AND left_at IS NULL)
    AS second_administrator,
  (SELECT count(*)::int FROM accounts a
   WHERE a.tenant_id = $1::int AND a.disabled_at IS NULL AND a.left_at IS NULL AND a.password_hash IS NOT NULL
     AND NOT EXISTS (SELECT FROM passkeys p WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id
                       AND p.revoked_at IS NULL)
     AND NOT EXISTS (SELECT FROM second_steps s WHERE s.tenant_id = a.tenant_id AND s.account_id = a.account_id)
     AND NOT a.password_temporary) AS one_way_in,
  (SELECT count(*)::int FROM accounts
   WHERE tenant_id = $1::int AND disabled_at IS NULL AND left_at IS NULL AND password_temporary) AS temporary_passwords,
  (SELECT (NOT EXISTS (SELECT FROM providers WHERE tenant_id = $1::int))::int) AS nothing_imported,
  (SELECT count(*)::int FROM api_keys
   WHERE tenant_id = $1::int AND revoked_at IS NULL AND created_at < $4::timestamptz
     AND coalesce(used_at < $5::date, true)) AS keys_unused,
  (SELECT count(*)::int FROM devices d
   JOIN care_workers w ON w.tenant_id = d.tenant_id AND w.ref = d.care_worker_ref AND w.left_at IS NOT NULL
   WHERE d.tenant_id = $1::int AND ($2::text IS NULL OR d.provider_ref = $2::text) AND d.cut_off_at IS NULL)
    AS phones_of_leavers,
  (SELECT count(*)::int FROM devices d
   WHERE d.tenant_id = $1::int AND ($2::text IS NULL OR d.provider_ref = $2::text)
     AND d.care_worker_ref IS NOT NULL AND d.cut_off_at IS NULL AND d.enrolled_at < $3::timestamptz
     AND NOT EXISTS (
       SELECT FROM event_outcomes o
       JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
       WHERE o.tenant_id = d.tenant_id AND o.care_worker_ref = d.care_worker_ref AND o.occurred_at > $3::timestamptz
         AND e.device_id = d.device_id::text)) AS phones_silent;
