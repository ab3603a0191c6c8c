-- name: list_entries role: ecm_web
-- In the order in which they were linked, from a place ($2) on; $3 action, $4 actor, $5 subject, $6 to $7 local dates.
-- A subject is found by its ref, by the ref it begins with ("visit 12, check event …"), and a person ($8) also among the
-- people a list told of and where it is whose ("tag … of SU-A").
SELECT c.seq, c.audit_id, a.at, a.actor, a.action, a.subject, a.reason, a.origin, a.agent, a.actor_ref, a.subject_ref,
  a.facts::text AS facts, a.salt IS NULL AS erased, c.hash
FROM audit_chain c JOIN audit a ON a.tenant_id = c.tenant_id AND a.audit_id = c.audit_id
WHERE c.tenant_id = $1::int AND c.seq > $2::bigint
  AND ($3::text IS NULL OR a.action = $3::text)
  AND ($4::text IS NULL OR a.actor_ref = $4::text)
  AND ($5::text IS NULL OR a.subject_ref = $5::text OR starts_with(a.subject_ref, $5::text || ',')
       OR starts_with(a.subject_ref, $5::text || ' of ')
       OR right(a.subject_ref, length($8::text) + 4) = ' of ' || $8::text
       OR a.facts::jsonb -> 'people' ? $8::text)
  AND ($6::date IS NULL OR a.at >= ($6::date::timestamp AT TIME ZONE (SELECT zone FROM tenants WHERE tenant_id = $1)))
  AND ($7::date IS NULL OR a.at < (($7::date + 1)::timestamp AT TIME ZONE (SELECT zone FROM tenants WHERE tenant_id = $1)))
ORDER BY c.seq
LIMIT $9::int

-- name: list_newest role: ecm_web
-- As list_entries, from a place ($2) back: what was linked last comes first. $3 action, $4 actor, $5 subject, $6 to $7 local dates.
SELECT c.seq, c.audit_id, a.at, a.actor, a.action, a.subject, a.reason, a.origin, a.agent, a.actor_ref, a.subject_ref,
  a.facts::text AS facts, a.salt IS NULL AS erased, c.hash
FROM audit_chain c JOIN audit a ON a.tenant_id = c.tenant_id AND a.audit_id = c.audit_id
WHERE c.tenant_id = $1::int AND c.seq < $2::bigint
  AND ($3::text IS NULL OR a.action = $3::text)
  AND ($4::text IS NULL OR a.actor_ref = $4::text)
  AND ($5::text IS NULL OR a.subject_ref = $5::text OR starts_with(a.subject_ref, $5::text || ',')
       OR starts_with(a.subject_ref, $5::text || ' of ')
       OR right(a.subject_ref, length($8::text) + 4) = ' of ' || $8::text
       OR a.facts::jsonb -> 'people' ? $8::text)
  AND ($6::date IS NULL OR a.at >= ($6::date::timestamp AT TIME ZONE (SELECT zone FROM tenants WHERE tenant_id = $1)))
  AND ($7::date IS NULL OR a.at < (($7::date + 1)::timestamp AT TIME ZONE (SELECT zone FROM tenants WHERE tenant_id = $1)))
ORDER BY c.seq DESC
LIMIT $9::int

-- name: place_after role: ecm_web
-- The place from which on nothing is missed by whoever had read up to this entry, in the order of their ids.
SELECT coalesce(min(seq) - 1, (SELECT seq FROM audit_heads WHERE tenant_id = $1::int), 0)
FROM audit_chain WHERE tenant_id = $1::int AND audit_id > $2::bigint

-- name: last_told role: ecm_web
-- The newest head that was told outside.
SELECT seq, exported_at FROM audit_exports WHERE tenant_id = $1::int ORDER BY exported_at DESC LIMIT 1
