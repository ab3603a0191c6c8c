-- Who has left, and how everybody who keeps something by heart hears of it at once.
--
-- A care worker who has left is kept, because the evidence names them for ever. What they record from then on is kept
-- too, and marked where it comes in: nothing stops a check-in.
ALTER TABLE care_workers
  ADD COLUMN left_at timestamptz,
  ADD COLUMN left_by text,
  ADD CHECK ((left_at IS NULL) = (left_by IS NULL));

-- The day a key was last asked after, and the account that made it: NULL for the command line, and for keys made
-- before this was kept. Who leaves may still know what was shown to them once.
ALTER TABLE api_keys
  ADD COLUMN used_at date,
  ADD COLUMN made_by_account bigint,
  ADD FOREIGN KEY (tenant_id, made_by_account) REFERENCES accounts;

-- A leaver's code for a phone runs out at once.
GRANT UPDATE (expires_at) ON enrolments TO ecm_web;

-- Somebody was cut off, or may do something else than before. A trigger, so that the command line, a sign-in and SQL by
-- hand tell it too. No data: whoever hears it asks.
CREATE FUNCTION tell_cut() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_notify('ecm_cut', OLD.tenant_id::text); RETURN NULL; END $$;
CREATE TRIGGER tell_cut AFTER UPDATE ON accounts FOR EACH ROW
  WHEN ((OLD.disabled_at, OLD.left_at, OLD.role, OLD.provider_ref)
    IS DISTINCT FROM (NEW.disabled_at, NEW.left_at, NEW.role, NEW.provider_ref))
  EXECUTE FUNCTION tell_cut();
CREATE TRIGGER tell_cut AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION tell_cut();
CREATE TRIGGER tell_cut AFTER UPDATE ON api_keys FOR EACH ROW
  WHEN ((OLD.revoked_at, OLD.scopes) IS DISTINCT FROM (NEW.revoked_at, NEW.scopes)) EXECUTE FUNCTION tell_cut();
CREATE TRIGGER tell_cut AFTER UPDATE ON devices FOR EACH ROW
  WHEN (OLD.cut_off_at IS DISTINCT FROM NEW.cut_off_at) EXECUTE FUNCTION tell_cut();
CREATE TRIGGER tell_cut AFTER UPDATE ON care_workers FOR EACH ROW
  WHEN (OLD.left_at IS DISTINCT FROM NEW.left_at) EXECUTE FUNCTION tell_cut();

-- Presenting a key: it is asked after every few seconds, so the day is written once and then only compared.
CREATE OR REPLACE FUNCTION ecm_key(sought bytea)
  RETURNS TABLE (tenant_id integer, key_id bigint, name text, scopes text[])
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ UPDATE api_keys SET used_at = current_date
        WHERE key_sha256 = sought AND revoked_at IS NULL AND used_at IS DISTINCT FROM current_date;
        SELECT tenant_id, key_id, name, scopes FROM api_keys WHERE key_sha256 = sought AND revoked_at IS NULL $$;

-- When a care worker left, for the doors that take evidence: they read no people, and are of no tenant until they know
-- whose evidence it is. NULL for who has not, and for nobody's reference.
CREATE FUNCTION ecm_left_at(of_tenant integer, sought text) RETURNS timestamptz
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT left_at FROM care_workers WHERE tenant_id = of_tenant AND ref = sought $$;
REVOKE EXECUTE ON FUNCTION ecm_left_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_left_at TO ecm_ingest;

-- The same for the web, which is told only of its own: of whoever holds a phone, whoever employs them now.
CREATE FUNCTION ecm_worker_left_at(sought text) RETURNS timestamptz
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT left_at FROM care_workers WHERE tenant_id = ecm_tenant() AND ref = sought $$;
REVOKE EXECUTE ON FUNCTION ecm_worker_left_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_worker_left_at TO ecm_web;
