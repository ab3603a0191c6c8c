-- What is paid from says what still holds, and no more than it must.

-- The finding of a repeated position named it to six places, and went with the pay line to whoever reads lines and
-- files; mostly it is somebody's home. The position stays with the evidence. In locked periods too: no time and no
-- money of a line changes, and no position is approved.
UPDATE visits v SET findings = (
  SELECT jsonb_agg(CASE WHEN f.found ->> 'code' = 'repeated_fix' THEN jsonb_set(f.found, '{detail}', '""') ELSE f.found END
                   ORDER BY f.n)
  FROM jsonb_array_elements(v.findings) WITH ORDINALITY AS f(found, n))
WHERE v.findings @> '[{"code": "repeated_fix"}]';
UPDATE actual_lines SET exception = regexp_replace(exception,
  '(repeated_fix: position identical to six places to one elsewhere): -?[0-9]+\.[0-9]{6}, -?[0-9]+\.[0-9]{6}', '\1')
WHERE exception LIKE '%repeated_fix: %';

-- Whose visit an event counted for when somebody linked it to another one: that visit's pay may rest on the gap it left.
ALTER TABLE amendments ADD COLUMN former_visit_id bigint CHECK (former_visit_id IS NULL OR kind = 'link');
-- Read only where a visit's pay is worked out.
CREATE INDEX amendments_of_former_visit ON amendments (tenant_id, former_visit_id) WHERE former_visit_id IS NOT NULL;

-- Each line, and whether what it was worked out from still holds: the visit as assessed, its plan, its contract row, and
-- nothing about it waiting to be worked out. A locked period was approved under its terms; others that come later are
-- an adjustment, and no reason to leave its lines out.
CREATE VIEW lines_as_they_stand WITH (security_invoker = true) AS
  SELECT l.*,
    v.version = l.visit_version AND v.provider_ref = l.provider_ref AND v.service_user_ref = l.service_user_ref
      AND v.local_date = l.local_date
      AND (p.locked_at IS NOT NULL OR l.contract_id IS NOT DISTINCT FROM terms.contract_id)
      AND (SELECT q.todo_id FROM processing_queue q
           WHERE q.tenant_id = l.tenant_id AND q.visit_id = l.visit_id LIMIT 1) IS NULL AS still_true
  FROM actual_lines l
  JOIN payment_periods p ON p.tenant_id = l.tenant_id AND p.period = l.period
  JOIN visits v ON v.tenant_id = l.tenant_id AND v.visit_id = l.visit_id
  LEFT JOIN LATERAL (
    SELECT c.contract_id FROM contracts_in_force c
    WHERE c.tenant_id = v.tenant_id AND c.provider_ref = v.provider_ref AND c.service IN (v.service, '*')
      AND c.valid_from <= v.local_date AND (c.valid_to IS NULL OR c.valid_to >= v.local_date)
    ORDER BY c.service = '*', c.valid_from DESC, c.contract_id DESC LIMIT 1) terms ON true;
GRANT SELECT ON lines_as_they_stand TO ecm_web, ecm_worker;
-- Read only by that view. Evidence that arrives is not in it, so a check-in does not pay for it.
CREATE INDEX processing_queue_of_visit ON processing_queue (tenant_id, visit_id) WHERE visit_id IS NOT NULL;
