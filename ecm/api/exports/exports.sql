-- name: one_moment role: ecm_web
-- What follows in this transaction sees one moment: whether the lines are whole, and the lines.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: not_whole role: ecm_web
-- Whether a run is due or under way. A locked period's lines are what they are.
SELECT locked_at IS NULL AND (running_since IS NOT NULL
                              OR requested_at IS NOT NULL AND (run_at IS NULL OR run_at < requested_at))
FROM payment_periods WHERE tenant_id = $1::int AND period = $2::text;

-- name: left_out role: ecm_web
-- How many lines a file that is paid from leaves out: unseen, and changed since the run though nothing else is odd.
SELECT count(*) FILTER (WHERE l.exception IS NOT NULL) AS unseen,
       count(*) FILTER (WHERE l.exception IS NULL AND NOT l.still_true) AS changed
FROM lines_as_they_stand l
WHERE l.tenant_id = $1::int AND l.period = $2::text
  AND ($3::text IS NULL OR l.provider_ref = $3::text)
  AND ($4::text IS NULL OR l.funder = $4::text);

-- name: files role: ecm_web
-- What each provider and funder is paid for, as a digest: the same lines, the same digest, whenever they were worked
-- out and in whatever words. And since when the lines say so.
SELECT l.provider_ref, l.funder, max(l.computed_at) AS written_at,
       left(encode(sha256(convert_to(string_agg(jsonb_build_array(v.ref, l.local_date, l.service_user_ref, v.service,
         c.ref, l.actual_seconds, l.payable_seconds, l.amount_pence)::text, ',' ORDER BY l.visit_id), 'UTF8')), 'hex'), 16)
         AS digest
FROM lines_as_they_stand l
JOIN visits v ON v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
LEFT JOIN contracts c ON c.tenant_id = l.tenant_id AND c.contract_id = l.contract_id
WHERE l.tenant_id = $1::int AND l.period = $2::text
  AND ($3::text IS NULL OR l.provider_ref = $3::text)
  AND ($4::text IS NULL OR l.funder = $4::text)
  AND l.exception IS NULL AND l.still_true
GROUP BY l.provider_ref, l.funder;

-- name: export_lines role: ecm_web
-- A period's lines with their plan and the origin of each time, grouped by who is paid and who pays.
SELECT l.period, p.run_at, l.provider_ref, l.service_user_ref, su.name AS service_user_name, l.funder, l.local_date,
       l.state, l.planned_seconds, l.actual_seconds, l.payable_seconds, l.amount_pence, l.planned_pence, l.steps,
       l.exception, l.computed_at, NOT l.still_true AS changed_since_run,
       v.ref, v.service, v.zone, v.planned_start, v.planned_end, v.commissioned_minutes, v.carers_required,
       v.care_worker_refs, v.actual_start, v.actual_end, v.findings, c.ref AS contract_ref,
       COALESCE(evidence.stays, '[]'::jsonb) AS evidence,
       (SELECT count(*) FROM amendments a WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id) AS corrections
FROM lines_as_they_stand l
JOIN payment_periods p ON p.tenant_id = l.tenant_id AND p.period = l.period
JOIN visits v ON v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
JOIN service_users su ON su.tenant_id = l.tenant_id AND su.ref = l.service_user_ref
LEFT JOIN contracts c ON c.tenant_id = l.tenant_id AND c.contract_id = l.contract_id
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object(
      'care_worker', s.stay ->> 'care_worker',
      'check_in_event', s.stay ->> 'check_in_event',
      'check_in_method', i.method,
      'check_in_received_at', to_char(i.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'check_out_event', s.stay ->> 'check_out_event',
      'check_out_method', o.method,
      'check_out_received_at', to_char(o.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    ) ORDER BY s.n) AS stays
  FROM jsonb_array_elements(v.attendances) WITH ORDINALITY AS s(stay, n)
  LEFT JOIN check_events i ON i.tenant_id = v.tenant_id AND i.event_id = (s.stay ->> 'check_in_event')::uuid
  LEFT JOIN check_events o ON o.tenant_id = v.tenant_id AND o.event_id = (s.stay ->> 'check_out_event')::uuid
) evidence ON true
WHERE l.tenant_id = $1::int AND l.period = $2::text
  AND ($3::text IS NULL OR l.provider_ref = $3::text)
  AND ($4::text IS NULL OR l.funder = $4::text)
  AND (NOT $5::bool OR l.exception IS NULL AND l.still_true)
ORDER BY l.provider_ref, l.funder, l.local_date, v.planned_start, l.visit_id;
