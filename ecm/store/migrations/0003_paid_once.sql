-- A visit is paid once: no line finds its way into a locked period, no two periods share a day, and it is known
-- whether a period's lines are whole.

-- Set while a run is under way, and left standing by one that broke off: its lines are half of it.
ALTER TABLE payment_periods ADD COLUMN running_since timestamptz;
ALTER TABLE payment_periods ADD CONSTRAINT locked_when_whole CHECK (locked_at IS NULL OR running_since IS NULL);
GRANT UPDATE (running_since) ON payment_periods TO ecm_worker;

-- UPDATE and DELETE were kept out already.
CREATE POLICY not_locked_insert ON actual_lines AS RESTRICTIVE FOR INSERT TO ecm_worker WITH CHECK (NOT EXISTS (
  SELECT FROM payment_periods p
  WHERE p.tenant_id = actual_lines.tenant_id AND p.period = actual_lines.period AND p.locked_at IS NOT NULL));

-- Whoever has a month and its weeks already keeps them, and is told; the program makes no new ones either way.
DO $$
BEGIN
  ALTER TABLE payment_periods ADD CONSTRAINT payment_periods_apart
    EXCLUDE USING gist (tenant_id WITH =, daterange(starts_on, ends_on, '[]') WITH &&);
EXCEPTION WHEN exclusion_violation THEN
  RAISE WARNING 'some payment periods share days, so a visit stands in two of them: pay from one of them only';
END $$;
