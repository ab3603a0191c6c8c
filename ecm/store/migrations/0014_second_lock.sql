-- The second lock: whose rows are there, by provider, care worker and role, whatever the application's checks say.
--
-- A transaction of ecm_web says whom it is for (ecm/lock.py). A setting that is not there shows nothing.
--
--   ecm.provider   '*' every provider's rows, '=P-1' those of one
--   ecm.worker     '*' every care worker's; '=CW-1' the visits of that one and what hangs on them, whoever's visits
--                  they are, if the provider employs them
--   ecm.role       the role of an account, the scopes of a key, 'phone', or 'system': the service itself at work
--   ecm.who        'account 4': for what is one's own
--
-- Each policy is RESTRICTIVE: it comes on top of `of_tenant`. Its first arm is worked out once a query, so that who may
-- see everything pays for no more. The functions that look something up are no SQL to be planned along: whoever sees
-- everything would be given plans for those who do not.
--
-- What it does not do: hide columns of a row that is there (ecm/api/evidence.py and visits.py do). tests/house/
-- test_locks.py holds each table to a policy or a reason, and the roles here to ecm/permit.py.

-- ---------------------------------------------------------------- who asks

CREATE FUNCTION ecm_sees_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT current_setting('ecm.provider', true) = '*' AND current_setting('ecm.worker', true) = '*' $$;

-- The owner is a member of ecm_web, and where it is no superuser the policies would bind it too: the functions that look
-- past the lock would see nothing, and no trigger could keep a row. For policies alone: those functions ask whom they
-- work for, and not who they are.
CREATE FUNCTION ecm_is_bound() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT current_user = 'ecm_web' $$;
CREATE FUNCTION ecm_all_is_shown() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NOT ecm_is_bound() OR ecm_sees_all() $$;
CREATE FUNCTION ecm_every_provider_is_shown() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NOT ecm_is_bound() OR current_setting('ecm.provider', true) = '*' $$;

-- The one provider, or care worker, whose rows are there; NULL where that is every one, or nobody said.
CREATE FUNCTION ecm_provider() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT substring(current_setting('ecm.provider', true) FROM '^=(.*)$') $$;
CREATE FUNCTION ecm_worker() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT substring(current_setting('ecm.worker', true) FROM '^=(.*)$') $$;

-- The one provider all of whose rows are there: no care worker narrows it further.
CREATE FUNCTION ecm_whole_provider() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT CASE WHEN current_setting('ecm.worker', true) = '*' THEN ecm_provider() END $$;

CREATE FUNCTION ecm_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('ecm.role', true), '') $$;
CREATE FUNCTION ecm_who() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('ecm.who', true), '') $$;
CREATE FUNCTION ecm_account() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT substring(current_setting('ecm.who', true) FROM '^account ([0-9]{1,18})$')::bigint $$;

-- A key may have several scopes; the service itself is always among them. For policies alone.
CREATE FUNCTION ecm_among(VARIADIC roles text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NOT ecm_is_bound() OR string_to_array(ecm_role(), ' ') && (roles || 'system'::text) $$;

-- Who may change anything at all: not quality, not the auditor, not a key that reads.
CREATE FUNCTION ecm_may_change() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT ecm_among('care_worker', 'coordinator', 'manager', 'duty_officer', 'finance', 'finance_approver',
                         'administrator', 'phone', 'ingest', 'import') $$;

-- ---------------------------------------------------------------- what is whose

-- Whom each provider visits or has visited, kept by triggers. An index of visits would say the same, and be written at
-- every check-in; and one that begins with the tenant is soon taken for all sorts of questions.
CREATE TABLE visited (
  tenant_id        integer NOT NULL,
  provider_ref     text NOT NULL,
  service_user_ref text NOT NULL,
  PRIMARY KEY (tenant_id, provider_ref, service_user_ref)
);
INSERT INTO visited SELECT DISTINCT tenant_id, provider_ref, service_user_ref FROM visits;

CREATE FUNCTION ecm_visits_added() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  BEGIN
    INSERT INTO visited SELECT DISTINCT tenant_id, provider_ref, service_user_ref FROM added ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$;
-- A plan that named the wrong provider told it nothing that lasts.
CREATE FUNCTION ecm_visit_given_away() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  BEGIN
    INSERT INTO visited VALUES (NEW.tenant_id, NEW.provider_ref, NEW.service_user_ref) ON CONFLICT DO NOTHING;
    DELETE FROM visited d
    WHERE d.tenant_id = OLD.tenant_id AND d.provider_ref = OLD.provider_ref
      AND d.service_user_ref = OLD.service_user_ref AND NOT EXISTS (
        SELECT FROM visits v WHERE v.tenant_id = d.tenant_id AND v.service_user_ref = d.service_user_ref
          AND v.provider_ref = d.provider_ref);
    RETURN NULL;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_visits_added, ecm_visit_given_away FROM PUBLIC;

CREATE TRIGGER visits_added AFTER INSERT ON visits REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ecm_visits_added();
CREATE TRIGGER visit_given_away AFTER UPDATE OF provider_ref, service_user_ref ON visits FOR EACH ROW
  WHEN ((OLD.provider_ref, OLD.service_user_ref) IS DISTINCT FROM (NEW.provider_ref, NEW.service_user_ref))
  EXECUTE FUNCTION ecm_visit_given_away();

GRANT SELECT ON visited TO ecm_web, ecm_worker;
SELECT ecm_lock_by_tenant('visited');

-- The one care worker, as one of the provider's: whoever holds a shared phone is nobody of another's.
CREATE FUNCTION ecm_own_worker() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  BEGIN
    IF ecm_worker() IS NULL THEN
      RETURN NULL;
    END IF;
    RETURN (SELECT w.ref FROM care_workers w
            WHERE w.tenant_id = ecm_tenant() AND w.ref = ecm_worker() AND w.provider_ref = ecm_provider());
  END $$;

-- And as their own visit says it where it tells who came.
CREATE FUNCTION ecm_own_coming() RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  DECLARE worker text := ecm_own_worker();
  BEGIN
    RETURN CASE WHEN worker IS NOT NULL THEN jsonb_build_array(jsonb_build_object('care_worker', worker)) END;
  END $$;

-- A visit is its provider's, and that of the care workers who are to come or have come. Who the reader is, is worked
-- out once by whoever asks.
CREATE FUNCTION ecm_theirs(provider text, planned text[], came jsonb, whole text, worker text, coming jsonb)
  RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT provider = whole OR worker = ANY (planned) OR came @> coming $$;

CREATE FUNCTION ecm_sees_visit(of_tenant integer, of_visit bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  BEGIN
    RETURN EXISTS (
      SELECT FROM visits v WHERE v.tenant_id = of_tenant AND v.visit_id = of_visit AND of_tenant = ecm_tenant()
        AND (ecm_sees_all() OR ecm_theirs(v.provider_ref, v.care_worker_refs, v.attendances,
          (SELECT ecm_whole_provider()), (SELECT ecm_own_worker()), (SELECT ecm_own_coming()))));
  END $$;

-- A person is known to the provider that has, or once had, a visit there: the past has names too. Of a worker's visits
-- the latest is looked for first, because it is today's that is mostly meant.
CREATE FUNCTION ecm_sees_person(of_tenant integer, person text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  BEGIN
    IF ecm_worker() IS NULL THEN
      RETURN EXISTS (
        SELECT FROM visited v
        WHERE v.tenant_id = of_tenant AND v.provider_ref = ecm_provider() AND v.service_user_ref = person);
    END IF;
    PERFORM FROM visits v
    WHERE v.tenant_id = of_tenant AND v.service_user_ref = person
      AND ecm_theirs(v.provider_ref, v.care_worker_refs, v.attendances,
        (SELECT ecm_whole_provider()), (SELECT ecm_own_worker()), (SELECT ecm_own_coming()))
    ORDER BY v.window_start DESC LIMIT 1;
    RETURN FOUND;
  END $$;
-- An event is of the visit it counts for, and while it counts for none, of its worker. A visit's page goes on showing
-- what an officer took away from it. Past the lock, because an outcome that is hidden must not look like one that is
-- not there.
CREATE FUNCTION ecm_sees_event(of_tenant integer, of_event uuid) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SECURITY DEFINER
  SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
  DECLARE
    counts_for bigint;
    worker text;
  BEGIN
    IF of_tenant IS DISTINCT FROM ecm_tenant() THEN
      RETURN false;
    END IF;
    SELECT o.visit_id, o.care_worker_ref INTO counts_for, worker
    FROM event_outcomes o WHERE o.tenant_id = of_tenant AND o.event_id = of_event;
    IF counts_for IS NULL THEN
      IF worker IS NULL THEN
        SELECT e.care_worker INTO worker FROM check_events e WHERE e.tenant_id = of_tenant AND e.event_id = of_event;
      END IF;
      IF EXISTS (SELECT FROM care_workers w WHERE w.tenant_id = of_tenant AND w.ref = worker
                   AND w.provider_ref = ecm_provider()
                   AND coalesce(w.ref = ecm_worker(), ecm_whole_provider() IS NOT NULL)) THEN
        RETURN true;
      END IF;
    ELSIF ecm_sees_visit(of_tenant, counts_for) THEN
      RETURN true;
    END IF;
    RETURN EXISTS (
      SELECT FROM amendments a WHERE a.tenant_id = of_tenant AND a.event_id = of_event
        AND ecm_sees_visit(of_tenant, a.visit_id));
  END $$;

CREATE FUNCTION ecm_sees_alert(of_tenant integer, of_alert bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  BEGIN
    RETURN EXISTS (SELECT FROM alerts a WHERE a.tenant_id = of_tenant AND a.alert_id = of_alert);
  END $$;

CREATE FUNCTION ecm_sees_account(of_tenant integer, of_account bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5 AS $$
  BEGIN
    RETURN EXISTS (SELECT FROM accounts a WHERE a.tenant_id = of_tenant AND a.account_id = of_account);
  END $$;

-- Who is on visits that are the reader's to see, whoever employs them: a borrowed worker has a name too.
CREATE FUNCTION ecm_workers_on(of_visits bigint[])
  RETURNS TABLE (visit_id bigint, ref text, name text, phone text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT v.visit_id, w.ref, w.name, w.phone
        FROM visits v JOIN care_workers w ON w.tenant_id = v.tenant_id AND w.ref = ANY (v.care_worker_refs
          || ARRAY(SELECT a ->> 'care_worker' FROM jsonb_array_elements(v.attendances) a))
        WHERE v.tenant_id = ecm_tenant() AND v.visit_id = ANY (of_visits)
          AND (ecm_sees_all() OR ecm_theirs(v.provider_ref, v.care_worker_refs, v.attendances,
            (SELECT ecm_whole_provider()), (SELECT ecm_own_worker()), (SELECT ecm_own_coming()))) $$;

-- Whether the phone's own provider cares for a person now. Its worker sees their own visits, and not who else comes.
CREATE FUNCTION ecm_provider_cares_for(person text, at timestamptz) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT EXISTS (SELECT FROM ecm_cares_for(ecm_tenant(), ecm_provider(), person, at)) $$;

REVOKE EXECUTE ON FUNCTION ecm_sees_all, ecm_is_bound, ecm_all_is_shown, ecm_every_provider_is_shown, ecm_provider,
  ecm_worker, ecm_whole_provider, ecm_role, ecm_who, ecm_account, ecm_among, ecm_may_change, ecm_own_worker,
  ecm_own_coming, ecm_theirs, ecm_sees_visit, ecm_sees_person, ecm_sees_event, ecm_sees_alert, ecm_sees_account,
  ecm_workers_on, ecm_provider_cares_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_sees_all, ecm_is_bound, ecm_all_is_shown, ecm_every_provider_is_shown, ecm_provider,
  ecm_worker, ecm_whole_provider, ecm_role, ecm_who, ecm_account, ecm_among, ecm_may_change, ecm_own_worker,
  ecm_own_coming, ecm_theirs, ecm_sees_visit, ecm_sees_person, ecm_sees_event, ecm_sees_alert, ecm_sees_account,
  ecm_workers_on, ecm_provider_cares_for TO ecm_web;

-- ---------------------------------------------------------------- whose rows are there

DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT * FROM (VALUES
    -- a provider's
    ('providers', 'ref = (SELECT ecm_provider())'),
    ('contracts', 'provider_ref = (SELECT ecm_whole_provider())'),
    ('visited', 'provider_ref = (SELECT ecm_whole_provider())'),
    ('actual_lines', 'provider_ref = (SELECT ecm_whole_provider())'),
    ('alert_contacts', 'provider_ref = (SELECT ecm_whole_provider())'),
    ('care_workers', 'provider_ref = (SELECT ecm_provider())
                      AND coalesce(ref = (SELECT ecm_worker()), (SELECT ecm_whole_provider()) IS NOT NULL)'),
    ('devices', 'provider_ref = (SELECT ecm_whole_provider()) OR care_worker_ref = (SELECT ecm_own_worker())'),
    ('enrolments', 'provider_ref = (SELECT ecm_whole_provider()) OR care_worker_ref = (SELECT ecm_own_worker())'),
    ('reports', 'provider_ref = (SELECT ecm_whole_provider()) OR care_worker_ref = (SELECT ecm_own_worker())
                 OR visit_id IS NOT NULL AND ecm_sees_visit(tenant_id, visit_id)'),
    -- a visit's
    ('visits', 'ecm_theirs(provider_ref, care_worker_refs, attendances,
                (SELECT ecm_whole_provider()), (SELECT ecm_own_worker()), (SELECT ecm_own_coming()))'),
    ('alerts', 'provider_ref = (SELECT ecm_whole_provider()) OR ecm_sees_visit(tenant_id, visit_id)'),
    ('transitions', 'ecm_sees_visit(tenant_id, visit_id)'),
    ('alert_queue', 'ecm_sees_visit(tenant_id, visit_id)'),
    ('alert_actions', 'ecm_sees_alert(tenant_id, alert_id)'),
    ('amendments', 'CASE WHEN visit_id IS NULL THEN ecm_sees_event(tenant_id, event_id)
                    ELSE ecm_sees_visit(tenant_id, visit_id) END
                    OR former_visit_id IS NOT NULL AND ecm_sees_visit(tenant_id, former_visit_id)'),
    ('processing_queue', 'CASE WHEN visit_id IS NULL THEN ecm_sees_event(tenant_id, event_id)
                          ELSE ecm_sees_visit(tenant_id, visit_id) END'),
    -- an event's
    ('check_events', 'ecm_sees_event(tenant_id, event_id)'),
    ('event_outcomes', 'ecm_sees_event(tenant_id, event_id)'),
    -- a person's
    ('service_users', 'ecm_sees_person(tenant_id, ref)'),
    ('places', 'ecm_sees_person(tenant_id, service_user_ref)'),
    ('service_user_phones', 'ecm_sees_person(tenant_id, service_user_ref)'),
    ('tags', 'ecm_sees_person(tenant_id, service_user_ref)'),
    ('code_cards', 'ecm_sees_person(tenant_id, service_user_ref)'),
    -- nobody's but the authority's
    ('quarantine', 'false'),
    ('deliveries', 'false'),
    ('tag_taps', 'false'),
    ('used_codes', 'false'),
    ('phone_lines', 'false'),
    ('phone_calls', 'false'),
    ('feed_records', 'false'),
    -- a phone counts its own wrong PINs
    ('pin_tries', 'came_from = (SELECT ecm_who())')
  ) AS t(name, theirs) LOOP
    EXECUTE format('CREATE POLICY of_provider ON %I AS RESTRICTIVE TO ecm_web USING ((SELECT ecm_all_is_shown()) OR (%s))',
                   one.name, one.theirs);
  END LOOP;

  -- Closed to every role but these.
  FOR one IN SELECT * FROM (VALUES
    ('quarantine', 'ALL', $q$ (SELECT ecm_among('administrator', 'auditor')) $q$),
    ('api_keys', 'ALL', $q$ (SELECT ecm_among('administrator')) $q$),
    ('payment_periods', 'SELECT', $q$ (SELECT ecm_among('coordinator', 'manager', 'duty_officer', 'finance',
      'finance_approver', 'quality', 'administrator', 'auditor', 'read')) $q$),
    ('actual_lines', 'SELECT', $q$ (SELECT ecm_among('coordinator', 'manager', 'duty_officer', 'finance',
      'finance_approver', 'quality', 'administrator', 'auditor', 'read')) $q$),
    ('audit', 'SELECT', $q$ (SELECT ecm_among('administrator', 'auditor'))
      OR actor_ref = (SELECT ecm_who()) $q$),
    ('audit_chain', 'SELECT', $q$ (SELECT ecm_among('administrator', 'auditor')) $q$),
    ('audit_heads', 'SELECT', $q$ (SELECT ecm_among('administrator', 'auditor')) $q$),
    ('audit_exports', 'SELECT', $q$ (SELECT ecm_among('administrator', 'auditor')) $q$),
    ('oidc_providers', 'ALL', $q$ (SELECT ecm_among('administrator')) $q$),
    ('oidc_roles', 'ALL', $q$ (SELECT ecm_among('administrator')) $q$),
    ('oidc_subjects', 'ALL', $q$ (SELECT ecm_among('administrator')) $q$),
    -- One's own account, or those of whom one may manage, or may let go.
    ('accounts', 'ALL', $q$ account_id = (SELECT ecm_account())
      OR (SELECT ecm_among('administrator', 'coordinator', 'manager'))
        AND ((SELECT ecm_every_provider_is_shown()) OR provider_ref = (SELECT ecm_whole_provider())) $q$),
    ('sessions', 'ALL', $q$ account_id = (SELECT ecm_account()) OR ecm_sees_account(tenant_id, account_id) $q$),
    ('passkeys', 'ALL', $q$ account_id = (SELECT ecm_account()) OR ecm_sees_account(tenant_id, account_id) $q$),
    ('second_steps', 'ALL', $q$ account_id = (SELECT ecm_account()) OR ecm_sees_account(tenant_id, account_id) $q$),
    ('recovery_codes', 'ALL', $q$ account_id = (SELECT ecm_account()) OR ecm_sees_account(tenant_id, account_id) $q$),
    ('socket_tickets', 'ALL', $q$ account_id = (SELECT ecm_account()) OR ecm_sees_account(tenant_id, account_id) $q$)
  ) AS t(name, doing, among) LOOP
    EXECUTE format('CREATE POLICY of_role ON %I AS RESTRICTIVE FOR %s TO ecm_web USING (%s)',
                   one.name, one.doing, one.among);
  END LOOP;
END $$;

-- ---------------------------------------------------------------- who changes nothing

-- Only whoever may change anything changes these tables, and whoever `unless` says.
CREATE FUNCTION ecm_lock_against_change(unless text, VARIADIC tables regclass[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
  DECLARE
    t regclass;
    those text := concat_ws(' OR ', '(SELECT ecm_may_change())', unless);
  BEGIN
    FOREACH t IN ARRAY tables LOOP
      EXECUTE format('CREATE POLICY may_add ON %s AS RESTRICTIVE FOR INSERT TO ecm_web WITH CHECK (%s)', t, those);
      EXECUTE format('CREATE POLICY may_change ON %s AS RESTRICTIVE FOR UPDATE TO ecm_web USING (%s)', t, those);
      EXECUTE format('CREATE POLICY may_take_away ON %s AS RESTRICTIVE FOR DELETE TO ecm_web USING (%s)', t, those);
    END LOOP;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_lock_against_change FROM PUBLIC;

-- Whoever is signed in may sign out, change their own ways in and leave their lines in the audit.
SELECT ecm_lock_against_change('account_id = (SELECT ecm_account())', 'passkeys', 'second_steps', 'recovery_codes');
SELECT ecm_lock_against_change(NULL, VARIADIC ARRAY(
  SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    AND c.relname NOT IN ('audit', 'sessions', 'socket_tickets', 'accounts',
                          'passkeys', 'second_steps', 'recovery_codes')));

-- A run is for the whole authority, so that no provider's own people ask for one.
CREATE POLICY may_ask_for_run ON payment_periods AS RESTRICTIVE FOR INSERT TO ecm_web
  WITH CHECK ((SELECT ecm_among('finance')));
CREATE POLICY may_run_or_lock ON payment_periods AS RESTRICTIVE FOR UPDATE TO ecm_web
  USING ((SELECT ecm_among('finance', 'finance_approver')));

-- What is asked of whoever signs in is the authority's to say.
CREATE POLICY may_set_rules ON tenants AS RESTRICTIVE FOR UPDATE TO ecm_web
  USING ((SELECT ecm_among('administrator')));
CREATE POLICY may_add ON accounts AS RESTRICTIVE FOR INSERT TO ecm_web WITH CHECK ((SELECT ecm_may_change()));
CREATE POLICY may_change ON accounts AS RESTRICTIVE FOR UPDATE TO ecm_web
  USING ((SELECT ecm_may_change()) OR account_id = (SELECT ecm_account()));

-- Nobody makes a way in for somebody else: not even whoever may end theirs.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['passkeys', 'second_steps', 'recovery_codes', 'sessions', 'socket_tickets'] LOOP
    EXECUTE format('CREATE POLICY ones_own ON %I AS RESTRICTIVE FOR INSERT TO ecm_web
                    WITH CHECK ((SELECT ecm_among(''system'')) OR account_id = (SELECT ecm_account()))', t);
  END LOOP;
END $$;

-- What an account may do, and whether and by which password it comes in, is an administrator's to say; of the last,
-- one's own too. A policy cannot tell what a row was before.
CREATE FUNCTION ecm_guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public
  AS $$
  BEGIN
    IF ecm_among('administrator') THEN
      RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.tenant_id, NEW.account_id, NEW.role, NEW.provider_ref, NEW.disabled_at)
        IS NOT DISTINCT FROM (OLD.tenant_id, OLD.account_id, OLD.role, OLD.provider_ref, OLD.disabled_at)
        AND (NEW.password_hash IS NOT DISTINCT FROM OLD.password_hash OR NEW.account_id = ecm_account()) THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an account is given its role by an administrator' USING ERRCODE = 'insufficient_privilege';
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_guard_account FROM PUBLIC;
CREATE TRIGGER guarded BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION ecm_guard_account();
