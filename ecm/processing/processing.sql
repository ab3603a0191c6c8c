-- name: claim role: ecm_worker
-- Takes to-dos nobody else holds, each with its evidence and everything that could say whose visit it is. Each of
-- those is looked up by LIMIT 1, so that no planner joins all people or all workers to a handful of to-dos. And the
-- receipt of the oldest evidence that others hold: the front of the queue, where it is not ours. Rows put off after
-- an error do not count.
WITH mine AS MATERIALIZED (
  SELECT todo_id, tenant_id, event_id, visit_id, tries
  FROM processing_queue
  WHERE available_at <= $1::timestamptz
  ORDER BY available_at, todo_id
  LIMIT $2::int
  FOR UPDATE SKIP LOCKED
)
SELECT m.todo_id, m.tries, m.tenant_id, m.event_id, m.visit_id AS todo_visit_id,
       e.kind, e.occurred_at, e.received_at, e.method, e.care_worker, e.service_user, e.visit, e.lat, e.lon,
       e.accuracy_m, e.fixed_at, e.cli, e.reason_code, e.device_id, e.wall_clock, e.proofs,
       CASE WHEN e.lat IS NULL THEN (
         SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings)
         FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced,
       v.visit_id, v.service_user_ref, v.window_start, v.ref AS visit_ref,
       su.ref AS known_service_user,
       CASE WHEN v.visit_id IS NULL AND su.ref IS NULL AND e.cli IS NOT NULL THEN
         (SELECT array_agg(p.service_user_ref ORDER BY p.service_user_ref) FROM service_user_phones p
          WHERE p.tenant_id = m.tenant_id AND p.phone = e.cli) END AS cli_service_users,
       earlier.visit_id AS counted_for, earlier.service_user_ref AS earlier_service_user,
       earlier.status AS earlier_status, ruling.kind AS ruling, ruling.visit_id AS ruled_visit_id,
       ruling.service_user_ref AS ruled_service_user,
       (SELECT e.received_at
        FROM (SELECT q.todo_id, q.tenant_id, q.event_id, q.tries FROM processing_queue q
              WHERE q.available_at <= $1::timestamptz ORDER BY q.available_at, q.todo_id LIMIT 2 * $2::int) AS front
        CROSS JOIN LATERAL (
          SELECT e.received_at FROM check_events e
          WHERE e.tenant_id = front.tenant_id AND e.event_id = front.event_id LIMIT 1) e
        WHERE front.tries = 0 AND front.todo_id NOT IN (SELECT o.todo_id FROM mine o) LIMIT 1) AS others_wait_since
FROM mine m
LEFT JOIN LATERAL (
  SELECT e.* FROM check_events e WHERE e.tenant_id = m.tenant_id AND e.event_id = m.event_id LIMIT 1) e ON true
LEFT JOIN LATERAL (
  SELECT t.visit_id, t.service_user_ref, t.window_start, t.ref FROM visits t
  WHERE t.tenant_id = m.tenant_id AND t.visit_id = m.visit_id
  UNION ALL
  SELECT t.visit_id, t.service_user_ref, t.window_start, t.ref FROM visits t
  WHERE t.tenant_id = m.tenant_id AND t.ref = e.visit
  LIMIT 1) v ON true
LEFT JOIN LATERAL (
  SELECT s.ref FROM service_users s WHERE s.tenant_id = m.tenant_id AND s.ref = e.service_user LIMIT 1) su ON true
LEFT JOIN LATERAL (
  SELECT o.visit_id, o.service_user_ref, o.status FROM event_outcomes o
  WHERE o.tenant_id = m.tenant_id AND o.event_id = m.event_id LIMIT 1) earlier ON true
LEFT JOIN LATERAL (
  SELECT a.kind, a.visit_id, (SELECT r.service_user_ref FROM visits r
                              WHERE r.tenant_id = a.tenant_id AND r.visit_id = a.visit_id) AS service_user_ref
  FROM amendments a
  WHERE a.tenant_id = m.tenant_id AND a.event_id = m.event_id
  ORDER BY a.amendment_id DESC LIMIT 1) ruling ON true
ORDER BY m.todo_id;

-- name: rostered_nearby role: ecm_worker
-- The person a worker was due to see about then, or to leave: for an event that says who but not where.
SELECT q.n, v.service_user_ref
FROM unnest($1::int[], $2::int[], $3::text[], $4::timestamptz[], $5::bool[])
  AS q(n, tenant_id, care_worker, occurred_at, is_check_out)
CROSS JOIN LATERAL (
  SELECT v.service_user_ref FROM visits v
  WHERE v.tenant_id = q.tenant_id
    AND v.local_date BETWEEN (q.occurred_at - interval '1 day')::date AND (q.occurred_at + interval '1 day')::date
    AND q.care_worker = ANY (v.care_worker_refs) AND NOT v.cancelled
    AND v.planned_start - interval '4 hours' <= q.occurred_at AND v.planned_end + interval '4 hours' >= q.occurred_at
  ORDER BY abs(extract(epoch FROM CASE WHEN q.is_check_out THEN v.planned_end ELSE v.planned_start END - q.occurred_at)),
           v.visit_id
  LIMIT 1) v;

-- name: beside role: ecm_worker
-- The same worker's events just before and just after each of these, not those in $7. The one before is told of only if
-- asked for, or if an amendment linked its stay: most are neither, and cost one look into the index.
SELECT q.n, near.is_later, near.event_id, near.occurred_at, near.service_user_ref, near.linked, e.kind, e.service_user,
       e.visit, e.cli, ruling.kind AS ruling, ruling.visit_id AS ruled_visit_id,
       (SELECT v.service_user_ref FROM visits v
        WHERE v.tenant_id = q.tenant_id AND v.visit_id = ruling.visit_id) AS ruled_service_user
FROM unnest($1::int[], $2::int[], $3::text[], $4::timestamptz[], $5::uuid[], $6::bool[])
  AS q(n, tenant_id, care_worker, occurred_at, event_id, asked)
CROSS JOIN LATERAL (
  (SELECT false AS is_later, o.event_id, o.occurred_at, o.service_user_ref, o.reason = $8::text AS linked
   FROM event_outcomes o
   WHERE o.tenant_id = q.tenant_id AND o.care_worker_ref = q.care_worker
     AND (o.occurred_at, o.event_id) < (q.occurred_at, q.event_id) AND o.occurred_at >= q.occurred_at - $9::interval
     AND o.status <> 'rejected' AND NOT o.event_id = ANY ($7::uuid[])
   ORDER BY o.occurred_at DESC, o.event_id DESC LIMIT 1)
  UNION ALL
  (SELECT true, o.event_id, o.occurred_at, o.service_user_ref, o.reason = $8::text
   FROM event_outcomes o
   WHERE o.tenant_id = q.tenant_id AND o.care_worker_ref = q.care_worker
     AND (o.occurred_at, o.event_id) > (q.occurred_at, q.event_id) AND o.occurred_at <= q.occurred_at + $9::interval
     AND o.status <> 'rejected' AND NOT o.event_id = ANY ($7::uuid[])
   ORDER BY o.occurred_at, o.event_id LIMIT 1)
) near
CROSS JOIN LATERAL (
  SELECT e.* FROM check_events e WHERE e.tenant_id = q.tenant_id AND e.event_id = near.event_id LIMIT 1) e
LEFT JOIN LATERAL (
  SELECT a.kind, a.visit_id FROM amendments a WHERE a.tenant_id = q.tenant_id AND a.event_id = near.event_id
  ORDER BY a.amendment_id DESC LIMIT 1) ruling ON true
WHERE near.is_later OR near.linked OR q.asked;

-- name: lock_neighbourhoods role: ecm_worker
-- One person, and one worker, is looked at by one batch at a time; sorted, so that two batches never deadlock.
SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT k FROM unnest($1::bigint[]) AS k ORDER BY k) AS sorted;

-- name: try_lock_neighbourhoods role: ecm_worker
-- More of them while others are held: without waiting, for out of order that could be a deadlock.
SELECT coalesce(bool_and(pg_try_advisory_xact_lock(k)), true) FROM unnest($1::bigint[]) AS k;

-- name: pass_over role: ecm_worker
-- Where these visits were called off by an amendment: whoever's next one they were is followed by the one after.
WITH gone AS (
  SELECT v.tenant_id, v.service_user_ref, v.planned_start
  FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
  JOIN visits v ON v.tenant_id = q.tenant_id AND v.visit_id = q.visit_id
  WHERE EXISTS (SELECT FROM amendments a
                WHERE a.tenant_id = q.tenant_id AND a.visit_id = q.visit_id AND a.kind = 'cancelled')
), preceding AS MATERIALIZED (
  SELECT v.tenant_id, v.visit_id, v.service_user_ref, v.planned_start
  FROM gone g JOIN visits v ON v.tenant_id = g.tenant_id AND v.service_user_ref = g.service_user_ref
    AND v.window_start BETWEEN g.planned_start - interval '24 hours' AND g.planned_start
  WHERE v.next_planned_start = g.planned_start ORDER BY v.tenant_id, v.visit_id FOR NO KEY UPDATE OF v
)
UPDATE visits v SET next_planned_start = following.planned_start
FROM preceding p
LEFT JOIN LATERAL (
  SELECT n.planned_start FROM visits n
  WHERE n.tenant_id = p.tenant_id AND n.service_user_ref = p.service_user_ref
    AND n.window_start > p.planned_start AND n.window_start <= p.planned_start + interval '24 hours'
    AND n.planned_start IS NOT NULL AND NOT n.cancelled
    AND (SELECT a.kind FROM amendments a  -- a value, not NOT EXISTS: that may join all of a tenant's amendments
         WHERE a.tenant_id = n.tenant_id AND a.visit_id = n.visit_id AND a.kind = 'cancelled' LIMIT 1) IS NULL
  ORDER BY n.window_start LIMIT 1) following ON true
WHERE v.tenant_id = p.tenant_id AND v.visit_id = p.visit_id
  AND v.next_planned_start IS DISTINCT FROM following.planned_start
RETURNING v.tenant_id, v.visit_id;

-- name: inexplicit_nearby role: ecm_worker
-- These people's events that did not name their visit: only they can move between visits.
SELECT DISTINCT o.tenant_id, o.service_user_ref, o.event_id
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS q(tenant_id, service_user, since, until)
JOIN event_outcomes o ON o.tenant_id = q.tenant_id AND o.service_user_ref = q.service_user
  AND NOT o.explicit AND o.occurred_at BETWEEN q.since AND q.until;

-- name: visits_by_id role: ecm_worker
-- Plans and last assessments, each with the contract row in force on its day.
SELECT v.tenant_id, v.visit_id, v.ref, v.service_user_ref, v.provider_ref, v.service, v.local_date, v.zone,
       v.planned_start, v.planned_end, v.window_start, v.next_planned_start, v.commissioned_minutes, v.agreed_short,
       v.carers_required, v.care_worker_refs, v.time_critical, v.cancelled, v.cancelled_at,
       v.state, v.state_reason, v.version, v.actual_start, v.actual_end, v.attendances::text, v.findings::text,
       v.crossings::text, v.deadline_at, v.deadline_kind,
       (SELECT c.contract_id FROM contracts_in_force c
        WHERE c.tenant_id = v.tenant_id AND c.provider_ref = v.provider_ref AND c.service IN (v.service, '*')
          AND c.valid_from <= v.local_date AND (c.valid_to IS NULL OR c.valid_to >= v.local_date)
        ORDER BY c.service = '*', c.valid_from DESC, c.contract_id DESC LIMIT 1) AS contract_id
FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
JOIN visits v ON v.tenant_id = q.tenant_id AND v.visit_id = q.visit_id;

-- name: visits_nearby role: ecm_worker
-- The numbers of these people's visits around a time.
SELECT DISTINCT v.tenant_id, v.visit_id
FROM unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS q(tenant_id, service_user, since, until)
JOIN visits v ON v.tenant_id = q.tenant_id AND v.service_user_ref = q.service_user
  AND v.window_start BETWEEN q.since AND q.until;

-- name: evidence role: ecm_worker
-- Everything already allocated to these visits, and these events besides; the persons and workers as worked out.
SELECT e.tenant_id, e.event_id, e.kind, e.occurred_at, e.received_at, e.method, o.care_worker_ref AS care_worker,
       o.service_user_ref AS service_user, e.visit, e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code,
       e.device_id, e.wall_clock, e.proofs, o.visit_id AS counted_for,
       CASE WHEN e.lat IS NULL THEN (
         SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings)
         FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced
FROM (
  SELECT o.tenant_id, o.event_id FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
  JOIN event_outcomes o ON o.tenant_id = q.tenant_id AND o.visit_id = q.visit_id
  UNION
  SELECT q.tenant_id, q.event_id FROM unnest($3::int[], $4::uuid[]) AS q(tenant_id, event_id)
) AS wanted
CROSS JOIN LATERAL (
  SELECT o.* FROM event_outcomes o WHERE o.tenant_id = wanted.tenant_id AND o.event_id = wanted.event_id LIMIT 1) o
CROSS JOIN LATERAL (
  SELECT e.* FROM check_events e WHERE e.tenant_id = wanted.tenant_id AND e.event_id = wanted.event_id LIMIT 1) e;

-- name: amendments role: ecm_worker
-- The corrections added to these visits.
SELECT a.tenant_id, a.visit_id, a.amendment_id, a.kind, a.event_id, a.care_worker, a.check_in_at, a.check_out_at,
       a.reason_code, a.action_taken, a.note, a.made_by, a.made_at
FROM unnest($1::int[], $2::bigint[]) AS q(tenant_id, visit_id)
JOIN amendments a ON a.tenant_id = q.tenant_id AND a.visit_id = q.visit_id
ORDER BY a.amendment_id;

-- name: homes role: ecm_worker
-- These people's places and telephone numbers.
SELECT q.tenant_id, q.service_user,
       (SELECT jsonb_agg(jsonb_build_array(p.label, p.lat, p.lon, p.fence_m, p.polygon) ORDER BY p.label)
        FROM places p WHERE p.tenant_id = q.tenant_id AND p.service_user_ref = q.service_user) AS places,
       (SELECT array_agg(t.phone ORDER BY t.phone) FROM service_user_phones t
        WHERE t.tenant_id = q.tenant_id AND t.service_user_ref = q.service_user) AS phones
FROM unnest($1::int[], $2::text[]) AS q(tenant_id, service_user);

-- name: contracts_by_id role: ecm_worker
-- Contract rows are never edited, so a row once read is read for good.
SELECT c.tenant_id, c.contract_id, c.ref, c.rules FROM contracts c WHERE c.contract_id = ANY ($1::bigint[]);

-- name: providers_of role: ecm_worker
-- Whom these care workers work for; those we do not know are left out.
SELECT q.tenant_id, q.care_worker, w.provider_ref
FROM unnest($1::int[], $2::text[]) AS q(tenant_id, care_worker)
JOIN care_workers w ON w.tenant_id = q.tenant_id AND w.ref = q.care_worker;

-- name: add_unplanned role: ecm_worker
-- A visit for an attendance nobody planned; its reference holds the event, so it is made once.
WITH wanted AS (
  SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    AS t(tenant_id, ref, service_user_ref, provider_ref, window_start)
), added AS (
  INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, window_start)
  SELECT w.tenant_id, w.ref, w.service_user_ref, w.provider_ref, (w.window_start AT TIME ZONE t.zone)::date, t.zone,
         w.window_start
  FROM wanted w JOIN tenants t USING (tenant_id)
  ON CONFLICT (tenant_id, ref) DO NOTHING
  RETURNING tenant_id, visit_id, ref
)
SELECT tenant_id, visit_id, ref FROM added
UNION ALL
SELECT v.tenant_id, v.visit_id, v.ref FROM wanted w JOIN visits v ON v.tenant_id = w.tenant_id AND v.ref = w.ref;

-- name: record_outcomes role: ecm_worker
-- What became of each event; and which later visits of the same workers must look at their trail again.
WITH decided AS (
  SELECT * FROM unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                       $8::text[], $9::bool[])
    AS t(tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status, reason, explicit)
), written AS (
  INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status,
                              reason, explicit, decided_at)
  SELECT d.*, $10::timestamptz FROM decided d
  ON CONFLICT (tenant_id, event_id) DO UPDATE SET service_user_ref = EXCLUDED.service_user_ref,
    care_worker_ref = EXCLUDED.care_worker_ref, visit_id = EXCLUDED.visit_id, status = EXCLUDED.status,
    reason = EXCLUDED.reason, explicit = EXCLUDED.explicit, decided_at = EXCLUDED.decided_at
)
SELECT DISTINCT d.tenant_id, following.visit_id
FROM decided d
CROSS JOIN LATERAL (
  SELECT o.visit_id FROM event_outcomes o
  WHERE o.tenant_id = d.tenant_id AND o.care_worker_ref = d.care_worker_ref AND o.occurred_at >= d.occurred_at
    AND o.occurred_at < d.occurred_at + $11::interval AND o.visit_id IS DISTINCT FROM d.visit_id
    AND o.event_id <> d.event_id
  ORDER BY o.occurred_at, o.event_id LIMIT 1) following
WHERE d.care_worker_ref IS NOT NULL AND following.visit_id IS NOT NULL;

-- name: trails role: ecm_worker
-- For each stay, the same worker's last event elsewhere before it began. The event by LIMIT 1, so that no planner
-- takes a young table's one tenant for a handful of rows and joins all of them.
SELECT q.tenant_id, q.visit_id, e.event_id, e.kind, e.occurred_at, e.received_at, e.method, q.care_worker,
       prior.service_user_ref AS service_user, e.visit, e.lat, e.lon, e.accuracy_m, e.fixed_at, e.cli, e.reason_code,
       e.device_id, e.wall_clock, e.proofs,
       CASE WHEN e.lat IS NULL THEN (
         SELECT jsonb_build_object('service_user_ref', r.service_user_ref, 'findings', r.findings)
         FROM reduced_positions r WHERE r.tenant_id = e.tenant_id AND r.event_id = e.event_id LIMIT 1) END AS reduced
FROM unnest($1::int[], $2::bigint[], $3::text[], $4::timestamptz[]) AS q(tenant_id, visit_id, care_worker, began_at)
CROSS JOIN LATERAL (
  SELECT o.event_id, o.service_user_ref FROM event_outcomes o
  WHERE o.tenant_id = q.tenant_id AND o.care_worker_ref = q.care_worker
    AND o.occurred_at <= q.began_at AND o.occurred_at > q.began_at - $5::interval
    AND o.visit_id IS DISTINCT FROM q.visit_id AND o.status <> 'rejected'
  ORDER BY o.occurred_at DESC, o.event_id DESC LIMIT 1) prior
CROSS JOIN LATERAL (
  SELECT e.* FROM check_events e WHERE e.tenant_id = q.tenant_id AND e.event_id = prior.event_id LIMIT 1) e;

-- name: write_visits role: ecm_worker
-- One statement writes a batch: assessments by compare-and-set on the version, transitions, alarms' to-dos, the
-- board's positions and the notifications. Visits are locked before the board's head, here as everywhere, and
-- never against a mere reference to them (NO KEY), or an alarm being raised would deadlock with us. Where a phone said
-- that nobody answers, whatever becomes of the visit concerns the alarms.
WITH changed AS (
  SELECT * FROM unnest($1::int[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::timestamptz[],
      $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::bool[])
    AS t(tenant_id, visit_id, version, state, state_reason, actual_start, actual_end, attendances, findings,
         crossings, deadline_at, deadline_kind, alarm)
), locked AS MATERIALIZED (
  SELECT c.*, row_number() OVER (PARTITION BY c.tenant_id ORDER BY c.visit_id) AS nth
  FROM (SELECT c.* FROM changed c JOIN visits v ON v.tenant_id = c.tenant_id AND v.visit_id = c.visit_id
        WHERE v.version = c.version ORDER BY c.tenant_id, c.visit_id FOR NO KEY UPDATE OF v) AS c
), tops AS MATERIALIZED (
  SELECT h.tenant_id, n.many
  FROM (SELECT l.tenant_id, count(*) AS many FROM locked l GROUP BY l.tenant_id) AS n
  JOIN board_heads h ON h.tenant_id = n.tenant_id ORDER BY h.tenant_id FOR NO KEY UPDATE OF h
), heads AS (
  UPDATE board_heads h SET position = h.position + t.many FROM tops t WHERE h.tenant_id = t.tenant_id
  RETURNING h.tenant_id, h.position - t.many AS base
), written AS (
  UPDATE visits v SET state = l.state, state_reason = l.state_reason, version = l.version + 1,
    actual_start = l.actual_start, actual_end = l.actual_end, attendances = l.attendances::jsonb,
    findings = l.findings::jsonb, crossings = l.crossings::jsonb, deadline_at = l.deadline_at,
    deadline_kind = l.deadline_kind, assessed_at = $14::timestamptz, position = h.base + l.nth
  FROM locked l JOIN heads h ON h.tenant_id = l.tenant_id
  WHERE v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
  RETURNING 1
), passed AS (
  INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, from_state, to_state,
                           findings_added, findings_removed, reason)
  SELECT t.tenant_id, t.visit_id, t.kind, t.visit_version, t.at, $14::timestamptz, t.from_state, t.to_state,
         string_to_array(t.added, ' '), string_to_array(t.removed, ' '), t.reason
  FROM unnest($15::int[], $16::bigint[], $17::text[], $18::int[], $19::timestamptz[], $20::text[], $21::text[],
              $22::text[], $23::text[], $24::text[])
    AS t(tenant_id, visit_id, kind, visit_version, at, from_state, to_state, added, removed, reason)
  ON CONFLICT DO NOTHING
), alarms AS (
  INSERT INTO alert_queue (tenant_id, visit_id) SELECT l.tenant_id, l.visit_id FROM locked l
  WHERE l.alarm OR (SELECT r.kind FROM reports r WHERE r.tenant_id = l.tenant_id AND r.visit_id = l.visit_id
                    AND r.kind = 'no_reply' LIMIT 1) IS NOT NULL
  RETURNING 1
), told AS MATERIALIZED (
  SELECT pg_notify('ecm_board', h.tenant_id::text) FROM heads h
  UNION ALL
  SELECT pg_notify('ecm_alerts', '') FROM (SELECT 1 FROM alarms LIMIT 1) AS any_alarm
)
SELECT (SELECT count(*) FROM locked) AS current, (SELECT count(*) FROM written) AS written,
       (SELECT count(*) FROM told) AS told;

-- name: done role: ecm_worker
-- The to-dos are done; the visits whose workers' trail changed are to be looked at again, and the events whose other
-- half or whose visit is not where it was.
WITH finished AS (DELETE FROM processing_queue WHERE todo_id = ANY ($1::bigint[]))
INSERT INTO processing_queue (tenant_id, visit_id, event_id)
SELECT t.tenant_id, t.visit_id, NULL FROM unnest($2::int[], $3::bigint[]) AS t(tenant_id, visit_id)
UNION ALL
SELECT t.tenant_id, NULL, t.event_id FROM unnest($4::int[], $5::uuid[]) AS t(tenant_id, event_id);

-- name: put_off role: ecm_worker
-- A poison row waits, longer each time, and is reported on the health page; it stops nobody else.
UPDATE processing_queue SET tries = tries + 1, last_error = $2::text,
  available_at = $3::timestamptz + least(interval '1 hour', interval '1 second' * power(2, least(tries, 12)))
WHERE todo_id = $1::bigint;
