-- name: worker role: ecm_web
-- A care worker of this provider, with what a phone needs to know of the authority.
SELECT w.name, w.pin_hash, w.left_at, t.zone, b.epoch, p.phone AS desk_phone
FROM care_workers w
JOIN providers p ON p.tenant_id = w.tenant_id AND p.ref = w.provider_ref
JOIN tenants t ON t.tenant_id = w.tenant_id
JOIN board_heads b ON b.tenant_id = w.tenant_id
WHERE w.tenant_id = $1::int AND w.ref = $2::text AND w.provider_ref = $3::text;

-- name: visits_of_worker role: ecm_web
-- A worker's visits of a day ($4): planned for them, or attended by them; and those of the day before ($3) that end
-- after $5, so that whoever is in can leave. Saying that one was there makes it no visit of one's own: the home is told
-- whom the plan sends, and whose provider cares for the person now ($6).
SELECT v.visit_id, v.ref, v.service_user_ref, s.name, s.address, s.postcode, s.needs,
  ecm_has_key_safe(v.service_user_ref) AS has_key_safe, v.planned_start, v.planned_end, v.carers_required, v.time_critical,
  v.cancelled, v.state, v.care_worker_refs, v.attendances, home.lat, home.lon, home.fence_m,
  ($2::text = ANY (v.care_worker_refs)
    OR ecm_provider_cares_for(v.service_user_ref, $6::timestamptz)) AS knows_the_home,
  ARRAY(SELECT g.tag_id FROM tags g WHERE g.tenant_id = v.tenant_id AND g.service_user_ref = v.service_user_ref
        AND g.retired_at IS NULL ORDER BY g.tag_id LIMIT 10) AS tag_ids
FROM visits v
JOIN service_users s ON s.tenant_id = v.tenant_id AND s.ref = v.service_user_ref
LEFT JOIN LATERAL (
  SELECT h.lat, h.lon, h.fence_m FROM places h
  WHERE h.tenant_id = v.tenant_id AND h.service_user_ref = v.service_user_ref
  ORDER BY h.label <> 'home', h.label LIMIT 1) home ON true
WHERE v.tenant_id = $1::int AND v.local_date BETWEEN $3::date AND $4::date
  AND (v.local_date = $4::date OR coalesce(v.planned_end, v.window_start) > $5::timestamptz)
  AND ($2::text = ANY (v.care_worker_refs)
       OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', $2::text)))
ORDER BY coalesce(v.planned_start, v.window_start), v.visit_id;

-- name: names role: ecm_web
-- What the care workers on these visits are called.
SELECT DISTINCT ref, name FROM ecm_workers_on($1::bigint[]);

-- name: epoch role: ecm_web
-- The authority's epoch, which dies with a restored copy.
SELECT epoch FROM board_heads WHERE tenant_id = $1::int;

-- name: key_safe role: ecm_web
-- How to get in, sealed, and why this worker is told it; no code outside its time. The function asks who and when.
SELECT service_user_ref, because, sealed FROM ecm_key_safe($1::bigint, $2::text, $3::text, $4::timestamptz);
