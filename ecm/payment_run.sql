-- name: contracts role: ecm_worker
-- Every contract row of a tenant, the one that wins for a date first.
SELECT contract_id, ref, provider_ref, service, valid_from, valid_to, rules
FROM contracts_in_force WHERE tenant_id = $1::int
ORDER BY (service <> '*') DESC, valid_from DESC, contract_id DESC;

-- name: take_periods_turn role: ecm_worker
-- Whoever makes a period of this tenant does it alone, so that no two are made that share a day.
SELECT pg_advisory_xact_lock(hashtext('ecm payment periods'), $1::int);

-- name: overlapping role: ecm_worker
-- A period that has a day of this span.
SELECT period, starts_on, ends_on FROM payment_periods
WHERE tenant_id = $1::int AND daterange(starts_on, ends_on, '[]') && daterange($2::date, $3::date, '[]')
ORDER BY starts_on LIMIT 1;

-- name: periods_with_days role: ecm_worker
-- A tenant's periods that have a day of this span, and the newest one, which tells whether it pays by the week.
SELECT period, starts_on, ends_on, locked_at FROM payment_periods
WHERE tenant_id = $1::int
  AND (daterange(starts_on, ends_on, '[]') && daterange($2::date, $3::date, '[]')
       OR ends_on = (SELECT max(n.ends_on) FROM payment_periods n WHERE n.tenant_id = $1::int))
ORDER BY ends_on, starts_on;

-- name: open_period role: ecm_worker
-- Makes sure that a period has its row.
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)
VALUES ($1::int, $2::text, $3::date, $4::date) ON CONFLICT DO NOTHING;

-- name: hold_period role: ecm_worker
-- The period, held until the batch commits, so that nobody locks it meanwhile.
SELECT period, starts_on, ends_on, locked_at FROM payment_periods
WHERE tenant_id = $1::int AND period = $2::text FOR UPDATE;

-- name: take_turn role: ecm_worker
-- Runs of one period come one after another, for as long as the reading transaction lasts.
SELECT pg_advisory_xact_lock(hashtext('ecm payment run ' || $1::int::text), hashtext($2::text));

-- name: visits_after role: ecm_worker
-- The next visits of a span of days that have begun, ended or fallen through, by the index of the day; where several
-- came, what each said on leaving; and whether somebody ruled on what counts for it. (Values, not EXISTS: that may read
-- all of a tenant's amendments.)
SELECT v.visit_id, v.ref, v.service_user_ref, v.provider_ref, v.service, v.local_date, v.zone,
       v.planned_start, v.planned_end, v.commissioned_minutes, v.carers_required,
       v.state, v.version, v.attendances, v.findings, su.funder,
       CASE WHEN jsonb_array_length(v.attendances) > 1 THEN (
         SELECT jsonb_object_agg(e.event_id, e.reason_code) FROM check_events e
         WHERE e.tenant_id = v.tenant_id AND e.reason_code IS NOT NULL AND e.event_id = ANY (ARRAY(
           SELECT (a.stay ->> 'check_out_event')::uuid FROM jsonb_array_elements(v.attendances) AS a(stay)))
       ) END AS left_saying,
       (SELECT a.amendment_id FROM amendments a
        WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id AND a.kind IN ('link', 'reject') LIMIT 1) IS NOT NULL
         OR (SELECT a.amendment_id FROM amendments a
             WHERE a.tenant_id = v.tenant_id AND a.former_visit_id = v.visit_id LIMIT 1) IS NOT NULL AS evidence_ruled
FROM visits v JOIN service_users su ON su.tenant_id = v.tenant_id AND su.ref = v.service_user_ref
WHERE v.tenant_id = $1::int AND (v.local_date, v.visit_id) > ($2::date, $3::bigint) AND v.local_date <= $4::date
  AND v.state NOT IN ('planned', 'late')
ORDER BY v.local_date, v.visit_id
LIMIT $5::int;

-- name: write_lines role: ecm_worker
-- A batch of lines; a line that says what it said before is left alone. Answers how many were written. Who pays is
-- kept from a line's first writing: the person may have another funder by now, who did not buy that visit.
WITH written AS (
  INSERT INTO actual_lines AS was (tenant_id, period, visit_id, visit_version, contract_id, provider_ref,
    service_user_ref, funder, local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence,
    planned_pence, steps, exception, computed_at)
  SELECT $1::int, $2::text, n.visit_id, n.visit_version, n.contract_id, n.provider_ref, n.service_user_ref,
    n.funder, n.local_date, n.state, n.planned_seconds, n.actual_seconds, n.payable_seconds, n.amount_pence,
    n.planned_pence, n.steps::jsonb, n.exception, $3::timestamptz
  FROM unnest($4::bigint[], $5::int[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::date[], $11::text[],
    $12::int[], $13::int[], $14::int[], $15::bigint[], $16::bigint[], $17::text[], $18::text[])
    AS n(visit_id, visit_version, contract_id, provider_ref, service_user_ref, funder, local_date, state,
    planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence, steps, exception)
  ON CONFLICT (tenant_id, period, visit_id) DO UPDATE SET
    visit_version = excluded.visit_version, contract_id = excluded.contract_id,
    provider_ref = excluded.provider_ref, service_user_ref = excluded.service_user_ref,
    funder = CASE WHEN was.service_user_ref = excluded.service_user_ref THEN was.funder ELSE excluded.funder END,
    local_date = excluded.local_date, state = excluded.state, planned_seconds = excluded.planned_seconds,
    actual_seconds = excluded.actual_seconds, payable_seconds = excluded.payable_seconds,
    amount_pence = excluded.amount_pence, planned_pence = excluded.planned_pence, steps = excluded.steps,
    exception = excluded.exception, computed_at = excluded.computed_at
  WHERE (was.visit_version, was.contract_id, was.provider_ref, was.service_user_ref, was.local_date,
         was.state, was.planned_seconds, was.actual_seconds, was.payable_seconds, was.amount_pence,
         was.planned_pence, was.steps, was.exception)
    IS DISTINCT FROM
        (excluded.visit_version, excluded.contract_id, excluded.provider_ref, excluded.service_user_ref,
         excluded.local_date, excluded.state, excluded.planned_seconds, excluded.actual_seconds,
         excluded.payable_seconds, excluded.amount_pence, excluded.planned_pence, excluded.steps,
         excluded.exception)
  RETURNING 1)
SELECT count(*) FROM written;

-- name: remove_stale_lines role: ecm_worker
-- Lines of visits that left the period, or are waiting again, since the last run.
WITH removed AS (
  DELETE FROM actual_lines l USING payment_periods p, visits v
  WHERE l.tenant_id = $1::int AND l.period = $2::text
    AND p.tenant_id = l.tenant_id AND p.period = l.period
    AND v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
    AND (v.local_date NOT BETWEEN p.starts_on AND p.ends_on OR v.state IN ('planned', 'late'))
  RETURNING 1)
SELECT count(*) FROM removed;

-- name: begin_run role: ecm_worker
-- From here on the lines are neither those of the last run nor those of this one.
UPDATE payment_periods SET running_since = $3::timestamptz WHERE tenant_id = $1::int AND period = $2::text;

-- name: finish_run role: ecm_worker
-- A whole run is done; requests made before it began are answered.
UPDATE payment_periods SET run_at = $3::timestamptz, running_since = NULL
WHERE tenant_id = $1::int AND period = $2::text;

-- name: due_runs role: ecm_worker
-- Periods somebody asked to have run since their last run.
SELECT tenant_id, period FROM payment_periods
WHERE requested_at IS NOT NULL AND locked_at IS NULL AND (run_at IS NULL OR run_at < requested_at)
ORDER BY requested_at, tenant_id, period LIMIT 1000;

-- name: all_tenants role: ecm_worker
-- Everybody the night serves.
SELECT tenant_id FROM tenants ORDER BY tenant_id;

-- name: note_failure role: ecm_worker
-- Whether a run failed is a fact for the health page.
INSERT INTO heartbeats (process, beat_at, details)
VALUES ($1::text, $2::timestamptz, jsonb_build_object('payment_failed_at', $3::timestamptz))
ON CONFLICT (process) DO UPDATE SET beat_at = excluded.beat_at, details = heartbeats.details || excluded.details;
