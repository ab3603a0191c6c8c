-- name: add_report role: ecm_web
-- One report, once, with the visit it is about: the one it names, else the worker's nearest within half a day. What
-- somebody must hear must ring whatever is known: else it takes the person's nearest of the month, the worker's, the
-- provider's. A call for help is placed by when it was heard as well as by its phone's clock, which may be days slow:
-- where somebody is now before where they may have been. It is said of a person only if they are named, or ($21: nobody else is) if the visit tells. Answers its
-- receipt and whether it can ring; nothing if the id was there.
WITH named AS (
  SELECT v.visit_id, v.service_user_ref, 1 AS choice, interval '0' AS far, false AS past FROM visits v
  WHERE v.tenant_id = $1::int AND v.provider_ref = $8::text AND v.ref = $10::text
), reach AS (
  SELECT $22::bool AS must_ring, CASE WHEN $22::bool THEN interval '30 days' ELSE interval '1 day' END AS days
), around AS (
  SELECT v.visit_id, v.service_user_ref, $7::text = ANY (v.care_worker_refs) AS of_worker,
         CASE WHEN $3::text = 'sos' THEN least(off.said, off.heard) ELSE off.said END AS far,
         $3::text = 'sos' AND off.heard > interval '12 hours' AS past
  FROM visits v, reach, LATERAL (
    SELECT greatest(v.window_start - $4::timestamptz, $4::timestamptz - v.window_start) AS said,
           greatest(v.window_start - $5::timestamptz, $5::timestamptz - v.window_start) AS heard) AS off
  WHERE NOT EXISTS (SELECT FROM named) AND v.tenant_id = $1::int AND v.provider_ref = $8::text AND NOT v.cancelled
    AND (v.local_date BETWEEN ($4::timestamptz - reach.days)::date AND ($4::timestamptz + reach.days)::date
      OR $22::bool AND v.local_date BETWEEN ($5::timestamptz - reach.days)::date AND ($5::timestamptz + reach.days)::date)
), near AS (
  SELECT visit_id, service_user_ref, 2 AS choice, far, past FROM around
  WHERE $10::text IS NULL AND of_worker AND far <= interval '12 hours' AND ($9::text IS NULL OR service_user_ref = $9::text)
  UNION ALL
  SELECT visit_id, service_user_ref, CASE WHEN service_user_ref = $9::text THEN 3 WHEN of_worker THEN 4 ELSE 5 END, far, past
  FROM around, reach WHERE reach.must_ring
), about AS (
  SELECT visit_id, service_user_ref, choice FROM (SELECT * FROM named UNION ALL SELECT * FROM near) AS each
  ORDER BY choice, past, far, visit_id LIMIT 1
), added AS (
  INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, device_id, care_worker_ref, provider_ref,
    service_user_ref, visit_id, urgency, reason_code, words, lat, lon, accuracy_m, tasks, proofs, body_sha256, body)
  SELECT $1::int, $2::uuid, $3::text, $4::timestamptz, $5::timestamptz, $6::uuid, $7::text, $8::text,
    coalesce((SELECT service_user_ref FROM about WHERE choice = 1 OR choice = 2 AND $21::bool), $9::text),
    (SELECT visit_id FROM about), $11::text, $12::text,
    $13::text, $14::float8, $15::float8, $16::float8, $17::jsonb, $18::text[], $19::bytea, $20::text
  ON CONFLICT DO NOTHING
  RETURNING visit_id, received_at
), queued AS (
  INSERT INTO alert_queue (tenant_id, visit_id) SELECT $1::int, visit_id FROM added WHERE visit_id IS NOT NULL
)
SELECT received_at, visit_id IS NOT NULL AS rings FROM added;

-- name: known_report role: ecm_web
-- What stands under this id, and whether it can ring.
SELECT received_at, body_sha256, visit_id IS NOT NULL AS rings FROM reports
WHERE tenant_id = $1::int AND report_id = $2::uuid;

-- name: visit_exists role: ecm_web
-- Whether this visit is one the reader may see.
SELECT EXISTS (SELECT FROM visits WHERE tenant_id = $1::int AND visit_id = $2::bigint
               AND ($3::text IS NULL OR provider_ref = $3::text));

-- name: reports_of_visit role: ecm_web
-- What phones said of one visit.
SELECT report_id, kind, occurred_at, received_at, care_worker_ref, urgency, reason_code, words, tasks, proofs
FROM reports WHERE tenant_id = $1::int AND visit_id = $2::bigint ORDER BY occurred_at, report_id LIMIT 500;
