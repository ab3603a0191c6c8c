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
