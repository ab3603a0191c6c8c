-- Whose home is told to whom: to the provider that cares for the person, and not to one that once did or says it does.
--
-- A provider cares for a person by the visits planned for it there: from the week before, and any to come. What was
-- called off in the plan does not count, and an attendance nobody planned does not either: anybody's phone can say that
-- it is anywhere, and references can be guessed.

-- Read by visits_of_person. Rows, where a yes or no would do: a function of rows is planned with the query it stands in
-- (EXISTS (SELECT FROM ecm_cares_for(…))), and row-level security stays that of whoever asks.
CREATE FUNCTION ecm_cares_for(of_tenant integer, provider text, person text, at timestamptz) RETURNS SETOF bigint
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
  AS $$ SELECT v.visit_id FROM visits v
        WHERE v.tenant_id = of_tenant AND v.service_user_ref = person AND v.window_start >= at - interval '7 days'
          AND v.provider_ref = provider AND v.planned_start IS NOT NULL AND NOT v.cancelled $$;
REVOKE EXECUTE ON FUNCTION ecm_cares_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_cares_for TO ecm_web;

-- Read by the desk (ingest/desk.sql): an entry sent again is written down once.
CREATE INDEX audit_entered_by_hand ON audit (tenant_id, subject) WHERE action = 'entered_by_hand';

-- Who took an alert on, as the audit names them: two people may be called the same.
ALTER TABLE alerts ADD COLUMN owned_by text;
GRANT UPDATE (owned_by) ON alerts TO ecm_web;
