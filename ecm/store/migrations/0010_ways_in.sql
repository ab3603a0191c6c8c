-- More ways in than a password: passkeys, a code from an authenticator app, recovery codes; and sessions that end when
-- nobody is there.
--
-- Truths this schema states:
--   * a code is used once (second_steps.last_step only grows; recovery_codes.used_at), and so is an opening (it is deleted);
--   * a session is refused once it is idle, ended, or its account disabled or left, whoever asks;
--   * a password that ran out is none, at every door that asks by e-mail;
--   * a limited session (somebody has not finished setting up) opens no board.

-- Whether the people of an authority must have a second way in: a passkey, or a code beside the password.
ALTER TABLE tenants ADD COLUMN second_way_required boolean NOT NULL DEFAULT false;
GRANT UPDATE (second_way_required) ON tenants TO ecm_web;

ALTER TABLE accounts
  ADD COLUMN uid                uuid NOT NULL DEFAULT gen_random_uuid(),  -- what a passkey knows the account by
  ADD COLUMN care_worker_ref    text,                                     -- who they are when they give care
  ADD COLUMN password_temporary boolean NOT NULL DEFAULT false,           -- somebody else has seen it
  ADD COLUMN password_until     timestamptz,                              -- then it opens nothing; NULL: no end
  ADD COLUMN left_at            timestamptz,
  ADD COLUMN made_by_oidc       boolean NOT NULL DEFAULT false,
  ALTER COLUMN password_hash DROP NOT NULL,                               -- NULL: no password opens it
  ADD FOREIGN KEY (tenant_id, care_worker_ref) REFERENCES care_workers,
  ADD CHECK (password_temporary OR password_until IS NULL);               -- one's own is good until one changes it
GRANT UPDATE (care_worker_ref, left_at, made_by_oidc, name, password_temporary, password_until, provider_ref, role)
  ON accounts TO ecm_web;

ALTER TABLE sessions
  ADD COLUMN session_id    uuid NOT NULL DEFAULT gen_random_uuid(),       -- as lists name it; opens nothing
  ADD COLUMN idle_until    timestamptz NOT NULL DEFAULT 'infinity',       -- its idle span is idle_until - seen_at
  ADD COLUMN signed_in_by  text NOT NULL DEFAULT 'password'
    CHECK (signed_in_by IN ('passkey', 'oidc', 'password_totp', 'password', 'recovery')),
  ADD COLUMN limited       boolean NOT NULL DEFAULT false,                -- may only finish setting up
  ADD COLUMN stepped_up_at timestamptz,
  ADD COLUMN origin        text,                                          -- an address
  ADD COLUMN agent         text;                                          -- what the browser calls itself

CREATE TABLE passkeys (
  tenant_id     integer NOT NULL,
  passkey_id    bigint GENERATED ALWAYS AS IDENTITY,
  account_id    bigint NOT NULL,
  credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
  public_key    bytea NOT NULL,                                           -- COSE
  sign_count    bigint NOT NULL CHECK (sign_count >= 0),                  -- 0 for ever where none is kept
  backed_up     boolean NOT NULL,                                         -- lives on more than one device
  aaguid        uuid NOT NULL,                                            -- the make of the authenticator
  name          text NOT NULL,
  made_at       timestamptz NOT NULL,
  used_at       timestamptz,
  revoked_at    timestamptz,
  PRIMARY KEY (tenant_id, passkey_id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts
);
CREATE INDEX passkeys_of_account ON passkeys (tenant_id, account_id) WHERE revoked_at IS NULL;

-- The secret that an authenticator app shares with us, sealed; here once its first code was right.
CREATE TABLE second_steps (
  tenant_id     integer NOT NULL,
  account_id    bigint NOT NULL,
  sealed_secret bytea NOT NULL,
  confirmed_at  timestamptz NOT NULL,
  last_step     bigint NOT NULL,                                          -- of the last code used: an older one is none
  tries         integer NOT NULL DEFAULT 0,                               -- wrong codes since the last right one
  tried_at      timestamptz,
  PRIMARY KEY (tenant_id, account_id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts
);

CREATE TABLE recovery_codes (
  tenant_id   integer NOT NULL,
  account_id  bigint NOT NULL,
  code_sha256 bytea NOT NULL,
  made_at     timestamptz NOT NULL,
  used_at     timestamptz,
  PRIMARY KEY (tenant_id, account_id, code_sha256),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts
);

-- Something begun that its sender must come back to finish, once: a challenge, a sign-in half done. Of no tenant,
-- because it may begin before anybody is known. What was kept for it is sealed.
CREATE TABLE openings (
  opening_sha256 bytea PRIMARY KEY,
  kind           text NOT NULL CHECK (kind IN
      ('passkey', 'passkey_new', 'oidc', 'second_step', 'second_step_new', 'step_up')),
  sealed         bytea NOT NULL,
  expires_at     timestamptz NOT NULL
);
CREATE INDEX openings_by_end ON openings (expires_at);

ALTER TABLE payment_periods ADD COLUMN locked_by text;
GRANT UPDATE (locked_at, locked_by) ON payment_periods TO ecm_web;

GRANT SELECT ON passkeys, second_steps, recovery_codes TO ecm_web, ecm_worker;
GRANT INSERT ON passkeys, second_steps, recovery_codes TO ecm_web;
GRANT UPDATE (backed_up, name, revoked_at, sign_count, used_at) ON passkeys TO ecm_web;
GRANT UPDATE (last_step, tried_at, tries) ON second_steps TO ecm_web;
GRANT UPDATE (used_at) ON recovery_codes TO ecm_web;
GRANT DELETE ON second_steps, recovery_codes TO ecm_web;
GRANT SELECT, INSERT, DELETE ON openings TO ecm_web;
GRANT SELECT, DELETE ON openings TO ecm_worker;

-- Locks tables as those of 0001 are: the web sees one tenant's rows, the worker everybody's, and the owner, who is no
-- exception to a lock that is forced, brings the schema up to date. For the migrations, from here on.
CREATE FUNCTION ecm_lock_by_tenant(VARIADIC tables regclass[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
  DECLARE t regclass;
  BEGIN
    FOREACH t IN ARRAY tables LOOP
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
      EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
      EXECUTE format('CREATE POLICY of_tenant ON %s TO ecm_web
                      USING (tenant_id = (SELECT ecm_tenant())) WITH CHECK (tenant_id = (SELECT ecm_tenant()))', t);
      EXECUTE format('CREATE POLICY of_worker ON %s TO ecm_worker USING (true) WITH CHECK (true)', t);
      EXECUTE format('CREATE POLICY of_owner ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', t);
    END LOOP;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_lock_by_tenant FROM PUBLIC;

SELECT ecm_lock_by_tenant('passkeys', 'second_steps', 'recovery_codes');

-- Whose session this is, while it stands. Being asked is being there: at most once a minute the idle limit moves on.
CREATE FUNCTION ecm_session(sought bytea, at timestamptz, idle interval)
  RETURNS TABLE (tenant_id integer, account_id bigint, email text, name text, role text, provider_ref text,
                 session_id uuid, signed_in_by text, limited boolean, stepped_up_at timestamptz,
                 care_worker_ref text)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ WITH standing AS (
          SELECT s.*, a.email, a.name, a.role, a.provider_ref, a.care_worker_ref
          FROM sessions s JOIN accounts a ON a.tenant_id = s.tenant_id AND a.account_id = s.account_id
          WHERE s.token_sha256 = sought AND s.expires_at > at AND s.idle_until > at
            AND a.disabled_at IS NULL AND a.left_at IS NULL),
        moved AS (
          UPDATE sessions s SET seen_at = at, idle_until = at + idle FROM standing n
          WHERE s.tenant_id = n.tenant_id AND s.token_sha256 = sought AND isfinite(n.idle_until)
            AND n.seen_at < at - interval '1 minute')
        SELECT n.tenant_id, n.account_id, n.email, n.name, n.role, n.provider_ref,
               n.session_id, n.signed_in_by, n.limited, n.stepped_up_at, n.care_worker_ref
        FROM standing n $$;
REVOKE EXECUTE ON FUNCTION ecm_session(bytea, timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_session(bytea, timestamptz, interval) TO ecm_web;

-- A process of the release before asks by this one until it is replaced. It knows no limits, so it is told of none
-- that is limited.
CREATE OR REPLACE FUNCTION ecm_session(sought bytea, at timestamptz)
  RETURNS TABLE (tenant_id integer, account_id bigint, email text, name text, role text, provider_ref text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT a.tenant_id, a.account_id, a.email, a.name, a.role, a.provider_ref
        FROM sessions s JOIN accounts a USING (tenant_id, account_id)
        WHERE s.token_sha256 = sought AND s.expires_at > at AND s.idle_until > at AND NOT s.limited
          AND a.disabled_at IS NULL AND a.left_at IS NULL $$;

CREATE OR REPLACE FUNCTION ecm_accounts_by_email(sought text)
  RETURNS TABLE (tenant_id integer, account_id bigint, name text, role text, provider_ref text, password_hash text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id, account_id, name, role, provider_ref,
               CASE WHEN password_until <= now() THEN NULL ELSE password_hash END
        FROM accounts
        WHERE email = lower(sought) AND disabled_at IS NULL AND left_at IS NULL ORDER BY tenant_id $$;

CREATE OR REPLACE FUNCTION ecm_use_ticket(sought bytea, at timestamptz)
  RETURNS TABLE (tenant_id integer, account_id bigint, email text, name text, role text, provider_ref text,
                 session_sha256 bytea)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ WITH used AS (DELETE FROM socket_tickets WHERE token_sha256 = sought RETURNING *)
        SELECT a.tenant_id, a.account_id, a.email, a.name, a.role, a.provider_ref, u.session_sha256
        FROM used u
        JOIN sessions s ON s.tenant_id = u.tenant_id AND s.token_sha256 = u.session_sha256
        JOIN accounts a ON a.tenant_id = u.tenant_id AND a.account_id = u.account_id
        WHERE u.expires_at > at AND s.expires_at > at AND s.idle_until > at AND NOT s.limited
          AND a.disabled_at IS NULL AND a.left_at IS NULL $$;

-- Whose passkey this is, before the tenant is known. `uid` is what the passkey should say of its holder.
CREATE FUNCTION ecm_passkey(sought bytea)
  RETURNS TABLE (tenant_id integer, account_id bigint, name text, role text, provider_ref text, uid uuid,
                 passkey_id bigint, public_key bytea, sign_count bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT a.tenant_id, a.account_id, a.name, a.role, a.provider_ref, a.uid, p.passkey_id, p.public_key, p.sign_count
        FROM passkeys p JOIN accounts a ON a.tenant_id = p.tenant_id AND a.account_id = p.account_id
        WHERE p.credential_id = sought AND p.revoked_at IS NULL AND a.disabled_at IS NULL AND a.left_at IS NULL $$;
REVOKE EXECUTE ON FUNCTION ecm_passkey FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_passkey TO ecm_web;
