-- What a person should know of the doors and keys, and no visit is about: guessing at an account, a passkey that was
-- copied, a recovery code used up. Alerts are about visits and are for the duty desk; these are for who administers.

CREATE TABLE notices (
  tenant_id integer NOT NULL REFERENCES tenants,
  notice_id bigint GENERATED ALWAYS AS IDENTITY,
  kind      text NOT NULL,
  subject   text NOT NULL,                  -- kind and id, such as "account 4": no name
  first_at  timestamptz NOT NULL,
  last_at   timestamptz NOT NULL,
  times     integer NOT NULL DEFAULT 1,
  tell_from integer NOT NULL CHECK (tell_from >= 1),  -- times, from which on it is worth a message
  told_at   timestamptz,
  seen_at   timestamptz,
  seen_by   text,
  PRIMARY KEY (tenant_id, notice_id),
  CHECK ((seen_at IS NULL) = (seen_by IS NULL))
);
-- What goes on is one notice that counts, until somebody has seen it.
CREATE UNIQUE INDEX notices_open ON notices (tenant_id, kind, subject) WHERE seen_at IS NULL;
CREATE INDEX notices_to_tell ON notices (tenant_id) WHERE told_at IS NULL AND seen_at IS NULL AND times >= tell_from;

-- Who hears of these, besides of alarms or instead.
ALTER TABLE alert_contacts ADD COLUMN security boolean NOT NULL DEFAULT false;

SELECT ecm_lock_by_tenant('notices');

-- The second lock (0014): whoever administers or audits sees them, and whoever may change something says "seen".
CREATE POLICY of_role ON notices AS RESTRICTIVE FOR SELECT TO ecm_web
  USING ((SELECT ecm_among('administrator', 'auditor')));
SELECT ecm_lock_against_change(NULL, 'notices');

GRANT SELECT ON notices TO ecm_web;
GRANT UPDATE (seen_at, seen_by) ON notices TO ecm_web;
GRANT SELECT, DELETE ON notices TO ecm_worker;
GRANT UPDATE (told_at) ON notices TO ecm_worker;

-- Said once, and counted until somebody has seen it. A slip a week is no guessing: a quiet day ends what was not yet worth
-- a message.
CREATE FUNCTION ecm_add_notice(of_tenant integer, said text, about text, at timestamptz, told_from integer) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ INSERT INTO notices AS n (tenant_id, kind, subject, first_at, last_at, tell_from)
        VALUES (of_tenant, said, about, at, at, told_from)
        ON CONFLICT (tenant_id, kind, subject) WHERE seen_at IS NULL
          DO UPDATE SET last_at = greatest(n.last_at, excluded.last_at),
            (times, first_at) = (SELECT CASE WHEN over THEN 1 ELSE n.times + 1 END,
                                        CASE WHEN over THEN excluded.first_at ELSE n.first_at END
              FROM (SELECT n.times < n.tell_from AND n.last_at < excluded.last_at - interval '1 day') AS quiet(over)) $$;
REVOKE EXECUTE ON FUNCTION ecm_add_notice FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_add_notice TO ecm_worker;

-- Whatever somebody was doing when it happened, and whatever they may see: it is said, for their own authority.
CREATE FUNCTION ecm_notice(said text, about text, at timestamptz, told_from integer) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT ecm_add_notice(ecm_tenant(), said, about, at, told_from) $$;
REVOKE EXECUTE ON FUNCTION ecm_notice FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_notice TO ecm_web;

-- What the audit writes down and somebody should know: whichever door wrote it, and whoever stood there.
CREATE FUNCTION ecm_notice_entry() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  BEGIN
    PERFORM ecm_add_notice(NEW.tenant_id, t.kind, NEW.subject_ref, NEW.at, t.tell_from)
    FROM (VALUES
      ('sign_in_failed',          '',                  'guessing',           20),
      ('passkey_count_went_back', '',                  'passkey_copied',      1),
      ('recovery_code_used',      '',                  'recovery_code_used',  1),
      ('account_created',         '^administrator',    'administrator_made',  1),
      ('role_changed',            ' to administrator', 'administrator_made',  1),
      -- Two people pay: neither may quietly be made by, or become, the other.
      ('account_created',         '^finance_approver',    'approver_made',        1),
      ('role_changed',            ' to finance_approver', 'approver_made',        1),
      ('password_replaced',       '',                     'approver_let_in',      1)
    ) AS t(action, reason, kind, tell_from)
    WHERE t.action = NEW.action AND coalesce(NEW.reason, '') ~ t.reason AND NEW.subject_ref LIKE 'account %'
      AND (t.kind <> 'approver_let_in' OR EXISTS (
        SELECT FROM accounts a WHERE a.tenant_id = NEW.tenant_id AND a.role = 'finance_approver'
          AND NEW.subject_ref = 'account ' || a.account_id))
      -- Whoever sets the service up, or stands at its machine, knows.
      AND NOT (t.kind IN ('administrator_made', 'approver_made') AND NEW.actor_ref IN ('command line', 'set-up'));
    RETURN NULL;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_notice_entry FROM PUBLIC;
CREATE TRIGGER noticed AFTER INSERT ON audit FOR EACH ROW
  WHEN (NEW.action IN ('sign_in_failed', 'passkey_count_went_back', 'recovery_code_used', 'account_created',
                       'role_changed', 'password_replaced'))
  EXECUTE FUNCTION ecm_notice_entry();
