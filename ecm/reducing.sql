-- name: one_at_a_time role: ecm_worker
-- Two workers never reduce at once: the second finds that it is done.
SELECT pg_advisory_xact_lock(hashtext('ecm positions reduced'));

-- name: due role: ecm_worker
-- An authority with positions to reduce, and since when they were received. The first time the oldest of everything is
-- looked for; ever after the place is known. But for those that are put aside ($3).
SELECT t.tenant_id, span.since
FROM tenants t
CROSS JOIN LATERAL (SELECT $1::timestamptz - make_interval(days => t.positions_kept_days) AS kept_from) kept
CROSS JOIN LATERAL (SELECT coalesce(t.positions_reduced_to, (
  SELECT min(first) FROM (
    SELECT min(received_at) AS first FROM check_events WHERE tenant_id = t.tenant_id
    UNION ALL SELECT min(received_at) FROM reports WHERE tenant_id = t.tenant_id
    UNION ALL SELECT min(received_at) FROM quarantine WHERE tenant_id = t.tenant_id
    UNION ALL SELECT min(received_at) FROM feed_records WHERE tenant_id = t.tenant_id) AS each)) AS since) span
WHERE span.since <= kept.kept_from - $2::interval AND t.tenant_id <> ALL ($3::int[])
ORDER BY span.since LIMIT 1;

-- name: events role: ecm_worker
-- What was received in a span and may hold a position, with what became of it.
SELECT e.event_id, o.visit_id, o.service_user_ref, o.care_worker_ref, o.occurred_at
FROM check_events e
LEFT JOIN event_outcomes o ON o.tenant_id = e.tenant_id AND o.event_id = e.event_id
WHERE e.tenant_id = $1::int AND e.received_at >= $2::timestamptz AND e.received_at < $3::timestamptz
  AND ecm_may_hold_a_position(e.lat, e.body);

-- name: next_on_the_road role: ecm_worker
-- For each of these comings, the visits to which the same worker came within the longest stay: what was found of the
-- road there was found between the two.
SELECT q.event_id, later.event_id AS next_event_id, v.findings
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS q(event_id, care_worker, occurred_at)
JOIN event_outcomes later ON later.tenant_id = $1::int AND later.care_worker_ref = q.care_worker
  AND later.occurred_at >= q.occurred_at AND later.occurred_at <= q.occurred_at + $5::interval
  AND later.event_id <> q.event_id
JOIN visits v ON v.tenant_id = $1::int AND v.visit_id = later.visit_id
WHERE v.findings @? '$[*] ? (@.code == "impossible_travel" || @.code == "repeated_fix")';

-- name: keep role: ecm_worker
-- What stays of these positions.
INSERT INTO reduced_positions (tenant_id, event_id, service_user_ref, distance_m, fence_m, findings, reduced_at)
SELECT $1::int, k.event_id, k.service_user_ref, k.distance_m, k.fence_m, k.findings::jsonb, $7::timestamptz
FROM unnest($2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::text[])
  AS k(event_id, service_user_ref, distance_m, fence_m, findings)
ON CONFLICT DO NOTHING;

-- name: reduce role: ecm_worker
-- Takes the positions themselves away, and answers how many.
SELECT ecm_reduce_positions($1::int, $2::timestamptz, $3::timestamptz);
