-- Setting the service up: the first administrator is made at a page, by whoever holds a code that the machine showed.
--
-- Truths this schema states: a code is known by its digest alone; it is used once (used_at is set where it is NULL), and
-- no code opens anything once somebody administers.

-- Of no tenant: it comes before anybody is known.
CREATE TABLE setup_codes (
  code_sha256 bytea PRIMARY KEY,
  made_at     timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz
);
GRANT SELECT, INSERT, UPDATE (used_at) ON setup_codes TO ecm_web;
GRANT SELECT, DELETE ON setup_codes TO ecm_worker;

-- Whoever sets the service up says what the authority is called.
GRANT UPDATE (name) ON tenants TO ecm_web;

-- The authority that waits for its first administrator; NULL while any account is an administrator's, kept out or not: a
-- service whose one administrator is away is not set up anew.
CREATE FUNCTION ecm_awaits_setup() RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT min(tenant_id) FROM tenants
        WHERE NOT EXISTS (SELECT FROM accounts WHERE role = 'administrator') $$;
REVOKE EXECUTE ON FUNCTION ecm_awaits_setup FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_awaits_setup TO ecm_web;
