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
