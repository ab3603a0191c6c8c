-- name: period role: ecm_web
-- A payment period as it stands.
SELECT starts_on, ends_on, requested_at, running_since, run_at, locked_at FROM payment_periods
WHERE tenant_id = $1::int AND period = $2::text;

-- name: take_periods_turn role: ecm_web
-- Whoever makes a period of this tenant does it alone, so that no two are made that share a day.
SELECT pg_advisory_xact_lock(hashtext('ecm payment periods'), $1::int);

-- name: overlapping role: ecm_web
-- A period that has a day of this span.
SELECT period, starts_on, ends_on FROM payment_periods
WHERE tenant_id = $1::int AND daterange(starts_on, ends_on, '[]') && daterange($2::date, $3::date, '[]')
ORDER BY starts_on LIMIT 1;

-- name: totals role: ecm_web
-- The period's money by who is paid and who pays; funders never mixed.
SELECT t.*, p.name AS provider_name
FROM (
  SELECT provider_ref, funder, count(*) AS visits, sum(planned_seconds)::bigint AS planned_seconds,
         sum(actual_seconds)::bigint AS actual_seconds, sum(payable_seconds)::bigint AS payable_seconds,
         sum(planned_pence)::bigint AS planned_pence, sum(amount_pence)::bigint AS amount_pence,
         count(exception) AS exceptions,
         COALESCE(sum(amount_pence) FILTER (WHERE exception IS NOT NULL), 0)::bigint AS exceptions_pence
  FROM actual_lines
  WHERE tenant_id = $1::int AND period = $2::text AND ($3::text IS NULL OR provider_ref = $3::text)
  GROUP BY provider_ref, funder) t
JOIN providers p ON p.tenant_id = $1::int AND p.ref = t.provider_ref
ORDER BY t.provider_ref, t.funder;

-- name: lines role: ecm_web
-- A page of lines: what needs a look first, by the money at stake (index actual_lines_by_stake).
SELECT l.visit_id, v.ref, l.local_date, l.provider_ref, l.service_user_ref, l.funder, l.state, c.ref AS contract_ref,
       l.planned_seconds, l.actual_seconds, l.payable_seconds, l.planned_pence, l.amount_pence,
       GREATEST(l.planned_pence, l.amount_pence) AS at_stake_pence, l.exception, l.steps, l.computed_at,
       NOT l.still_true AS changed_since_run
FROM lines_as_they_stand l
JOIN visits v ON v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
LEFT JOIN contracts c ON c.tenant_id = l.tenant_id AND c.contract_id = l.contract_id
WHERE l.tenant_id = $1::int AND l.period = $2::text
  AND ($3::text IS NULL OR l.provider_ref = $3::text) AND ($4::text IS NULL OR l.funder = $4::text)
  AND ((l.exception IS NULL), (-GREATEST(l.planned_pence, l.amount_pence)), l.visit_id)
    > ($5::bool, $6::bigint, $7::bigint)
ORDER BY (l.exception IS NULL), (-GREATEST(l.planned_pence, l.amount_pence)), l.visit_id
LIMIT $8::int;

-- name: request_run role: ecm_web
-- Asks the worker for a run; a locked period is not asked for.
INSERT INTO payment_periods AS p (tenant_id, period, starts_on, ends_on, requested_at, requested_by)
VALUES ($1::int, $2::text, $3::date, $4::date, $5::timestamptz, $6::text)
ON CONFLICT (tenant_id, period) DO UPDATE
  SET requested_at = excluded.requested_at, requested_by = excluded.requested_by WHERE p.locked_at IS NULL
RETURNING starts_on, ends_on, requested_at, running_since, run_at, locked_at;

-- name: notify role: ecm_web
-- A run was asked for.
SELECT pg_notify('ecm_payment', $1::text);
