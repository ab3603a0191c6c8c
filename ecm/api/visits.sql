-- name: list_visits role: ecm_web
-- Visits of a date, or ever, in order of date, from a place on.
SELECT v.visit_id, v.ref, v.local_date, v.service_user_ref, s.name AS service_user_name, s.funder, v.provider_ref,
  v.service, v.planned_start, v.planned_end, v.commissioned_minutes, v.actual_start, v.actual_end, v.state,
  v.state_reason, v.attendances, v.findings, v.crossings, v.care_worker_refs, v.carers_required, v.time_critical,
  v.cancelled, v.version, p.payable_seconds, p.amount_pence,
  ($2::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(v.tenant_id, $2, v.service_user_ref, $11::timestamptz))) AS knows_the_home
FROM visits v
JOIN service_users s ON s.tenant_id = v.tenant_id AND s.ref = v.service_user_ref
LEFT JOIN LATERAL (
  SELECT sum(l.payable_seconds)::bigint AS payable_seconds, sum(l.amount_pence)::bigint AS amount_pence
  FROM payment_periods m
  JOIN actual_lines l ON l.tenant_id = m.tenant_id AND l.period = m.period AND l.visit_id = v.visit_id
  WHERE m.tenant_id = v.tenant_id AND m.ends_on >= v.local_date) p ON true
WHERE v.tenant_id = $1::int
  AND ($2::text IS NULL OR v.provider_ref = $2)
  AND v.local_date BETWEEN coalesce($3::date, '-infinity') AND coalesce($3::date, 'infinity')
  AND ($4::text IS NULL OR v.state = $4)
  AND ($5::text IS NULL OR v.provider_ref = $5)
  AND ($6::text IS NULL OR $6 = ANY (v.care_worker_refs)
       OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', $6)))
  AND ($7::text IS NULL OR v.service_user_ref = $7)
  AND (v.local_date, v.visit_id) > ($8::date, $9::bigint)
ORDER BY v.local_date, v.visit_id
LIMIT $10::int

-- name: get_visit role: ecm_web
-- One visit, with the address for whoever may read it. The address is today's: of a provider ($3) only the one that
-- cares for the person now ($4) knows it, whosever visit this was.
SELECT v.visit_id, v.ref, v.local_date, v.service_user_ref, s.name AS service_user_name, s.funder, v.provider_ref,
  v.service, v.planned_start, v.planned_end, v.commissioned_minutes, v.actual_start, v.actual_end, v.state,
  v.state_reason, v.attendances, v.findings, v.crossings, v.care_worker_refs, v.carers_required, v.time_critical,
  v.cancelled, v.version, p.payable_seconds, p.amount_pence, v.zone, s.area, s.address, s.postcode, v.deadline_at,
  v.deadline_kind, r.name AS provider_name, home.lat, home.lon, home.fence_m,
  ($3::text IS NULL OR EXISTS (
    SELECT FROM ecm_cares_for(v.tenant_id, $3, v.service_user_ref, $4::timestamptz))) AS knows_the_home,
  (SELECT a.amendment_id FROM amendments a
   WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id AND a.kind IN ('link', 'reject') LIMIT 1) IS NOT NULL
    OR (SELECT a.amendment_id FROM amendments a
        WHERE a.tenant_id = v.tenant_id AND a.former_visit_id = v.visit_id LIMIT 1) IS NOT NULL AS evidence_ruled
FROM visits v
JOIN service_users s ON s.tenant_id = v.tenant_id AND s.ref = v.service_user_ref
JOIN providers r ON r.tenant_id = v.tenant_id AND r.ref = v.provider_ref
LEFT JOIN LATERAL (
  SELECT h.lat, h.lon, h.fence_m FROM places h
  WHERE h.tenant_id = v.tenant_id AND h.service_user_ref = v.service_user_ref
  ORDER BY h.label <> 'home', h.label LIMIT 1) home ON true
LEFT JOIN LATERAL (
  SELECT sum(l.payable_seconds)::bigint AS payable_seconds, sum(l.amount_pence)::bigint AS amount_pence
  FROM payment_periods m
  JOIN actual_lines l ON l.tenant_id = m.tenant_id AND l.period = m.period AND l.visit_id = v.visit_id
  WHERE m.tenant_id = v.tenant_id AND m.ends_on >= v.local_date) p ON true
WHERE v.tenant_id = $1::int AND v.visit_id = $2::bigint AND ($3::text IS NULL OR v.provider_ref = $3)

-- name: transitions_of_visit role: ecm_web
-- Everything that changed, in the order it was recorded.
SELECT kind, visit_version, at, recorded_at, from_state, to_state, findings_added, findings_removed, reason
FROM transitions
WHERE tenant_id = $1::int AND visit_id = $2::bigint
ORDER BY transition_id

-- name: names_of_workers role: ecm_web
-- What these care workers are called: one's own, and whoever is on this visit.
SELECT ref, name FROM care_workers WHERE tenant_id = $1::int AND ref = ANY ($2::text[])
UNION
SELECT ref, name FROM ecm_workers_on(ARRAY[$3::bigint]) WHERE ref = ANY ($2::text[])
