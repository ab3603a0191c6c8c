-- name: visit role: ecm_web
-- The visit an entry is about, if the person at the desk may amend it. What they enter is then written by the role that
-- takes evidence from anybody, so it is here that the database has its say.
SELECT ref, service_user_ref, provider_ref, care_worker_refs FROM visits
WHERE tenant_id = $1::int AND visit_id = $2::bigint AND ($3::text IS NULL OR provider_ref = $3::text)
  AND ecm_may_change();

-- name: may_name_care_worker role: ecm_web
-- A provider names its own workers, and whoever the plan ($4) sends to this visit ($5).
SELECT EXISTS (SELECT FROM care_workers
    WHERE tenant_id = $1::int AND ref = $2::text AND ($3::text IS NULL OR provider_ref = $3::text))
  OR EXISTS (SELECT FROM ecm_workers_on(ARRAY[$5::bigint]) WHERE ref = $2::text AND ref = ANY ($4::text[]));

-- name: is_written_down role: ecm_web
-- Whether the audit has its line of this entry by hand: a repeat writes none, unless the first try died in between.
SELECT EXISTS (SELECT FROM audit WHERE tenant_id = $1::int AND action = 'entered_by_hand' AND subject = $2::text);
