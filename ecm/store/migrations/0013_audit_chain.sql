-- The audit as a chain: each entry of a tenant holds on to the one before, so that none can be changed, dropped or
-- slipped in without the links showing where (ecm/audit/chain.py works the same out from outside, and says so in words).
--
--   linked      the order, the time, the action, refs ("account 4", "visit 12"), facts, and a commitment to the words
--   the words   names, the reason, the address, the browser: personal. Committed to under a salt and not linked
--               themselves, so that they can be erased and every link still holds
--
-- The table keeps these rules and not its writers: whoever adds a line, by whatever statement, adds a sealed and linked
-- one. An entry is linked at the end of its transaction, in the order of commits: whoever reads up to a place has read
-- all there will ever be up to there.

ALTER TABLE audit
  ADD COLUMN actor_ref   text,                          -- kind and id; '' where the words have none
  ADD COLUMN subject_ref text,
  ADD COLUMN facts       json NOT NULL DEFAULT '{}',    -- refs and numbers. json keeps the text, and the text is linked
  ADD COLUMN agent       text,
  ADD COLUMN salt        bytea,                         -- NULL: the words were erased
  ADD COLUMN commitment  bytea;

CREATE TABLE audit_chain (
  tenant_id integer NOT NULL,
  seq       bigint NOT NULL,
  audit_id  bigint NOT NULL,
  hash      bytea NOT NULL,
  PRIMARY KEY (tenant_id, seq),
  UNIQUE (tenant_id, audit_id)
);

-- The last link of each tenant. Who adds one holds this row, and asks for it when nothing else is left to ask for.
CREATE TABLE audit_heads (
  tenant_id integer PRIMARY KEY,
  seq       bigint NOT NULL,
  hash      bytea NOT NULL
);

-- What was told to somebody outside, who can therefore prove that a chain was written anew.
CREATE TABLE audit_exports (
  tenant_id   integer NOT NULL,
  day         date NOT NULL,
  went_to     text NOT NULL CHECK (went_to IN ('file', 'url')),
  seq         bigint NOT NULL,
  hash        bytea NOT NULL,
  exported_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, day, went_to)
);

-- ---------------------------------------------------------------- what is linked, and how

-- The part of an actor or a subject that is no name. A thing is its kind and its id, and perhaps whose it is; what is
-- said after that is words. An id has a figure in it, but for kinds whose ids are given by somebody else.
CREATE FUNCTION ecm_ref_of(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT coalesce(
    (regexp_match(said, '^(?:account|key|system) [0-9]+'))[1],  -- a name follows, and it may say anything
    (regexp_match(said, '^period \S+(?:, \S+)*'))[1],
    (regexp_match(said, '^(?:(?:care worker|service user|provider|tag|code card|home of|phone|sign-in at) [^\s,]+'
                        '|[a-z][a-z-]*(?: [a-z][a-z-]*)? [^\s,]*[0-9][^\s,]*)'
                        '(?:, [a-z]+(?: [a-z]+)? [^\s,]*[0-9][^\s,]*| of (?:[a-z]+(?: [a-z]+)? )?[^\s,]+)*'))[1],
    (regexp_match(said, '^(?:nobody|command line|set-up|council sign-in|sign-in rules'
                        '|providers|contracts|service-users|care-workers|visits)$'))[1],
    '')
  $$;

-- A text and its length, so that no two rows of texts can be the same bytes; nothing at all differs from an empty text.
CREATE FUNCTION ecm_netstring(said text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT coalesce(convert_to(octet_length(convert_to(said, 'UTF8')) || ':' || said || ',', 'UTF8'), '-,') $$;

CREATE FUNCTION ecm_commitment(entry audit) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT sha256(entry.salt || ecm_netstring(entry.actor) || ecm_netstring(entry.subject)
                      || ecm_netstring(entry.reason) || ecm_netstring(entry.origin) || ecm_netstring(entry.agent)) $$;

CREATE FUNCTION ecm_link(previous bytea, seq bigint, entry audit) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT sha256(previous || ecm_netstring(entry.tenant_id::text) || ecm_netstring(seq::text)
                      || ecm_netstring(entry.audit_id::text)
                      || ecm_netstring(((extract(epoch FROM entry.at) * 1000000)::bigint)::text)
                      || ecm_netstring(entry.actor_ref) || ecm_netstring(entry.action)
                      || ecm_netstring(entry.subject_ref) || ecm_netstring(entry.facts::text)
                      || ecm_netstring(encode(entry.commitment, 'hex'))) $$;

CREATE FUNCTION ecm_seal_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public
  AS $$
  BEGIN
    NEW.actor_ref := coalesce(NEW.actor_ref, ecm_ref_of(NEW.actor));
    NEW.subject_ref := coalesce(NEW.subject_ref, ecm_ref_of(NEW.subject));
    NEW.salt := uuid_send(gen_random_uuid());
    NEW.commitment := ecm_commitment(NEW);
    RETURN NEW;
  END $$;

CREATE FUNCTION ecm_chain_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$
  DECLARE
    head audit_heads;
    linked bytea;
  BEGIN
    SELECT * INTO head FROM audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO audit_heads VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
      SELECT * INTO head FROM audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    END IF;
    linked := ecm_link(head.hash, head.seq + 1, NEW);
    INSERT INTO audit_chain (tenant_id, seq, audit_id, hash) VALUES (NEW.tenant_id, head.seq + 1, NEW.audit_id, linked);
    UPDATE audit_heads SET seq = head.seq + 1, hash = linked WHERE tenant_id = NEW.tenant_id;
    RETURN NULL;
  END $$;

-- ---------------------------------------------------------------- what is there already

UPDATE audit SET actor_ref = ecm_ref_of(actor), subject_ref = ecm_ref_of(subject), salt = uuid_send(gen_random_uuid());
UPDATE audit a SET commitment = ecm_commitment(a);

DO $$
DECLARE
  entry audit;
  head audit_heads;
BEGIN
  FOR entry IN SELECT * FROM audit ORDER BY tenant_id, audit_id LOOP
    IF head.tenant_id IS DISTINCT FROM entry.tenant_id THEN
      INSERT INTO audit_heads SELECT (head).* WHERE head.tenant_id IS NOT NULL;
      head := (entry.tenant_id, 0, decode(repeat('00', 32), 'hex'));
    END IF;
    head := (entry.tenant_id, head.seq + 1, ecm_link(head.hash, head.seq + 1, entry));
    INSERT INTO audit_chain (tenant_id, seq, audit_id, hash) VALUES (head.tenant_id, head.seq, entry.audit_id, head.hash);
  END LOOP;
  INSERT INTO audit_heads SELECT (head).* WHERE head.tenant_id IS NOT NULL;
END $$;

ALTER TABLE audit
  ALTER COLUMN actor_ref SET NOT NULL, ALTER COLUMN subject_ref SET NOT NULL, ALTER COLUMN commitment SET NOT NULL;

CREATE TRIGGER sealed BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION ecm_seal_entry();
-- At the end of the transaction, when it holds every other lock it will ever want: two that write down cannot each wait
-- for the other.
CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ecm_chain_entry();

-- Read by a search between two times (ecm/api/audit.sql).
CREATE INDEX audit_at ON audit (tenant_id, at);

-- ---------------------------------------------------------------- erasing

-- Takes the words out of these entries of the session's tenant, and writes down that it did: the one way to change an
-- entry, and never without an entry of its own. For whoever administers, or the command line: nobody else erases a thing.
-- Returns the places erased; what was erased before is not among them.
CREATE FUNCTION ecm_erase_words(seqs bigint[], by_actor text, about text, why text, came_from text, now timestamptz)
  RETURNS bigint[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$
  DECLARE erased bigint[];
  BEGIN
    PERFORM FROM audit_heads WHERE tenant_id = ecm_tenant() FOR UPDATE;  -- one at a time
    WITH gone AS (
      UPDATE audit a SET actor = a.actor_ref, subject = a.subject_ref, reason = NULL, origin = NULL, agent = NULL,
                         salt = NULL
      FROM audit_chain c
      WHERE c.tenant_id = ecm_tenant() AND c.seq = ANY (seqs) AND a.tenant_id = c.tenant_id AND a.audit_id = c.audit_id
        AND a.salt IS NOT NULL
        AND current_setting('ecm.role', true) IN ('administrator', 'system')
      RETURNING c.seq)
    SELECT array_agg(seq ORDER BY seq) INTO erased FROM gone;
    IF erased IS NOT NULL THEN
      INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin, facts)
      VALUES (ecm_tenant(), now, by_actor, 'words_erased', about, why, came_from,
              format('{"erased":[%s]}', array_to_string(erased, ','))::json);
    END IF;
    RETURN coalesce(erased, '{}');
  END $$;

-- ---------------------------------------------------------------- grants

REVOKE EXECUTE ON FUNCTION ecm_ref_of, ecm_netstring, ecm_commitment, ecm_link, ecm_seal_entry, ecm_chain_entry,
  ecm_erase_words FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_ref_of, ecm_netstring, ecm_commitment TO ecm_web, ecm_worker;
GRANT EXECUTE ON FUNCTION ecm_erase_words TO ecm_web;

GRANT INSERT ON audit, audit_exports TO ecm_worker;
GRANT SELECT ON audit_chain, audit_heads, audit_exports TO ecm_web, ecm_worker;

SELECT ecm_lock_by_tenant('audit_chain', 'audit_heads', 'audit_exports');
