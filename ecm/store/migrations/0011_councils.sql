-- Councils that sign their people in by a provider of their own (OpenID Connect).
--
-- Truths this schema states:
--   * an authority has one such provider;
--   * a group gives one role, a provider's role for one provider, and the authority's order says which counts first;
--   * somebody who comes from there is known by issuer and subject, never by an e-mail address, and is one account.

CREATE TABLE oidc_providers (
  tenant_id            integer PRIMARY KEY REFERENCES tenants,
  issuer               text NOT NULL,
  client_id            text NOT NULL,
  sealed_client_secret bytea,                                  -- NULL: none was agreed, the code's proof is enough
  scopes               text NOT NULL,
  groups_claim         text NOT NULL,                          -- where the id token names the groups
  makes_accounts       boolean NOT NULL,                       -- for whoever has a role and no account yet
  checked_at           timestamptz,                            -- when somebody last tried whether it answers,
  last_error           text                                    -- and what was wrong
);

CREATE TABLE oidc_roles (
  tenant_id    integer NOT NULL REFERENCES oidc_providers ON DELETE CASCADE,
  group_name   text NOT NULL,
  priority     smallint NOT NULL,                              -- 1 counts first
  role         text NOT NULL,
  provider_ref text,
  PRIMARY KEY (tenant_id, group_name),
  UNIQUE (tenant_id, priority),
  FOREIGN KEY (tenant_id, provider_ref) REFERENCES providers,
  CHECK ((role IN ('care_worker', 'coordinator', 'manager')) = (provider_ref IS NOT NULL))
);

CREATE TABLE oidc_subjects (
  tenant_id  integer NOT NULL,
  issuer     text NOT NULL,
  subject    text NOT NULL,
  account_id bigint NOT NULL,
  joined_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, issuer, subject),
  UNIQUE (tenant_id, account_id, issuer),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts
);

GRANT SELECT ON oidc_providers, oidc_roles, oidc_subjects TO ecm_web, ecm_worker;
GRANT INSERT, DELETE ON oidc_providers, oidc_roles, oidc_subjects TO ecm_web;
GRANT UPDATE ON oidc_providers TO ecm_web;

SELECT ecm_lock_by_tenant('oidc_providers', 'oidc_roles', 'oidc_subjects');

-- Which authorities sign their people in so, before anybody is known: the sign-in page shows a way to each.
CREATE FUNCTION ecm_councils()
  RETURNS TABLE (tenant_id integer, name text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT t.tenant_id, t.name FROM oidc_providers p JOIN tenants t USING (tenant_id) ORDER BY t.name, t.tenant_id $$;

-- How one of them does, and who somebody who came from there is here. No row: nobody.
CREATE FUNCTION ecm_oidc_provider(sought integer)
  RETURNS TABLE (tenant_id integer, issuer text, client_id text, sealed_client_secret bytea, scopes text,
                 groups_claim text, makes_accounts boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id, issuer, client_id, sealed_client_secret, scopes, groups_claim, makes_accounts
        FROM oidc_providers WHERE tenant_id = sought $$;
CREATE FUNCTION ecm_oidc_subject(of_tenant integer, from_issuer text, sought text)
  RETURNS TABLE (tenant_id integer, account_id bigint, name text, role text, provider_ref text, kept_out boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT a.tenant_id, a.account_id, a.name, a.role, a.provider_ref,
               a.disabled_at IS NOT NULL OR a.left_at IS NOT NULL
        FROM oidc_subjects s JOIN accounts a ON a.tenant_id = s.tenant_id AND a.account_id = s.account_id
        WHERE s.tenant_id = of_tenant AND s.issuer = from_issuer AND s.subject = sought $$;
REVOKE EXECUTE ON FUNCTION ecm_councils, ecm_oidc_provider, ecm_oidc_subject FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_councils, ecm_oidc_provider, ecm_oidc_subject TO ecm_web;
