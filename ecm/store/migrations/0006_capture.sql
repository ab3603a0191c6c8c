-- Every way to say "I am here": phones of care workers, tags, code cards, telephone lines, and what is said with them.
--
-- Truths this schema states:
--   * what a door checked for itself is written with the event, once (check_events.proofs);
--   * a tag's count and a card's code are used once: their primary keys say so;
--   * a phone that was cut off stays known, because what it signed before still arrives.

-- The words of ecm/visit/proof.py.
ALTER TABLE check_events ADD COLUMN proofs text[] NOT NULL DEFAULT '{}';

-- How to get in, sealed (ecm/sealing.py): shown to the worker whose visit it is, while it is, and written down.
ALTER TABLE service_users ADD COLUMN sealed_key_safe bytea;

-- A care worker's phone, or a shared one (care_worker_ref NULL). Its private key never leaves it.
CREATE TABLE devices (
  tenant_id       integer NOT NULL,
  device_id       uuid NOT NULL DEFAULT gen_random_uuid(),
  provider_ref    text NOT NULL,
  care_worker_ref text,
  label           text NOT NULL,
  public_key      jsonb NOT NULL,            -- JWK, EC P-256
  enrolled_at     timestamptz NOT NULL,
  enrolled_by     text NOT NULL,             -- who made the code
  cut_off_at      timestamptz,
  cut_off_by      text,
  cut_off_reason  text,
  PRIMARY KEY (tenant_id, device_id),
  UNIQUE (device_id),
  FOREIGN KEY (tenant_id, provider_ref) REFERENCES providers,
  FOREIGN KEY (tenant_id, care_worker_ref) REFERENCES care_workers,
  CHECK ((cut_off_at IS NULL) = (cut_off_by IS NULL))
);
CREATE INDEX devices_of_worker ON devices (tenant_id, care_worker_ref);

-- A one-time code that a provider gives a worker. Only its digest is kept.
CREATE TABLE enrolments (
  tenant_id       integer NOT NULL,
  code_sha256     bytea NOT NULL,
  provider_ref    text NOT NULL,
  care_worker_ref text,                      -- NULL: a phone to share
  label           text NOT NULL DEFAULT '',
  made_by         text NOT NULL,
  made_at         timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  used_at         timestamptz,
  device_id       uuid,
  PRIMARY KEY (tenant_id, code_sha256),
  UNIQUE (code_sha256),
  FOREIGN KEY (tenant_id, provider_ref) REFERENCES providers,
  CHECK ((used_at IS NULL) = (device_id IS NULL))
);

-- What a phone says that is no check-in: at the door, no reply, a concern, a call for help. Added, never edited.
CREATE TABLE reports (
  tenant_id        integer NOT NULL,
  report_id        uuid NOT NULL,
  kind             text NOT NULL CHECK (kind IN
      ('at_the_door', 'late_reason', 'no_reply', 'concern', 'hazard', 'sos', 'note', 'tasks')),
  occurred_at      timestamptz NOT NULL,
  received_at      timestamptz NOT NULL,
  device_id        uuid,
  care_worker_ref  text,
  provider_ref     text,
  service_user_ref text,
  visit_id         bigint,
  urgency          text CHECK (urgency IN ('now', 'today', 'routine')),
  reason_code      text,
  words            text,
  tasks            jsonb NOT NULL DEFAULT '[]',
  lat              double precision,
  lon              double precision,
  accuracy_m       double precision,
  proofs           text[] NOT NULL DEFAULT '{}',
  body_sha256      bytea NOT NULL,
  body             text NOT NULL,            -- as received
  PRIMARY KEY (tenant_id, report_id)
);
CREATE INDEX reports_of_visit ON reports (tenant_id, visit_id);
CREATE INDEX reports_received ON reports (tenant_id, received_at);

-- Something fixed in a home that opens the app at its visit.
CREATE TABLE tags (
  tenant_id        integer NOT NULL,
  tag_id           text NOT NULL,            -- stands in the tag's address
  kind             text NOT NULL CHECK (kind IN ('qr', 'nfc', 'ntag424')),
  service_user_ref text NOT NULL,
  label            text NOT NULL DEFAULT 'home',
  uid              bytea,                    -- a secure tag's seven bytes, once known
  sealed_keys      bytea,                    -- a secure tag's keys, sealed (ecm/sealing.py)
  made_by          text NOT NULL,
  made_at          timestamptz NOT NULL,
  retired_at       timestamptz,
  PRIMARY KEY (tenant_id, tag_id),
  UNIQUE (tag_id),
  FOREIGN KEY (tenant_id, service_user_ref) REFERENCES service_users,
  CHECK ((kind = 'ntag424') = (sealed_keys IS NOT NULL))
);
CREATE INDEX tags_of_person ON tags (tenant_id, service_user_ref);

CREATE TABLE tag_taps (
  tenant_id  integer NOT NULL,
  tag_id     text NOT NULL,
  counter    integer NOT NULL,
  event_id   uuid NOT NULL,
  used_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, tag_id, counter)
);

-- A card or token in a home that shows another code every step.
CREATE TABLE code_cards (
  tenant_id        integer NOT NULL,
  card_id          bigint GENERATED ALWAYS AS IDENTITY,
  service_user_ref text NOT NULL,
  label            text NOT NULL DEFAULT 'home',
  sealed_secret    bytea NOT NULL,
  step_seconds     smallint NOT NULL DEFAULT 60 CHECK (step_seconds BETWEEN 15 AND 600),
  digits           smallint NOT NULL DEFAULT 6 CHECK (digits BETWEEN 6 AND 8),
  made_by          text NOT NULL,
  made_at          timestamptz NOT NULL,
  retired_at       timestamptz,
  PRIMARY KEY (tenant_id, card_id),
  FOREIGN KEY (tenant_id, service_user_ref) REFERENCES service_users
);
CREATE INDEX code_cards_of_person ON code_cards (tenant_id, service_user_ref);

CREATE TABLE used_codes (
  tenant_id  integer NOT NULL,
  card_id    bigint NOT NULL,
  step       bigint NOT NULL,
  event_id   uuid NOT NULL,
  used_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, card_id, step)
);

-- The numbers people ring and text. A worker's own number is for ringing unanswered.
CREATE TABLE phone_lines (
  tenant_id       integer NOT NULL,
  number          text NOT NULL CHECK (number ~ '^\+[0-9]{6,15}$'),
  use             text NOT NULL CHECK (use IN ('interview', 'unanswered', 'sms')),
  care_worker_ref text,
  language        text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'cy', 'pl', 'ro')),
  call_back       boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, number, use),
  UNIQUE (number, use),
  FOREIGN KEY (tenant_id, care_worker_ref) REFERENCES care_workers,
  CHECK ((use = 'unanswered') = (care_worker_ref IS NOT NULL))
);

-- Where one telephone interview stands; a gateway may ask the same step twice, so each answer is kept by its step.
CREATE TABLE phone_calls (
  tenant_id   integer NOT NULL,
  gateway     text NOT NULL,                 -- 'webhook', 'sip', 'sms'
  call_id     text NOT NULL,                 -- the gateway's own id
  began_at    timestamptz NOT NULL,
  cli         text,
  dialled     text NOT NULL,
  step        integer NOT NULL DEFAULT 0,
  interview   jsonb NOT NULL,                -- the state; never a PIN
  answers     jsonb NOT NULL DEFAULT '{}',   -- by step: what was said, to say it again
  ended_at    timestamptz,
  PRIMARY KEY (tenant_id, gateway, call_id),
  UNIQUE (gateway, call_id)
);
-- Read by whoever finishes what nobody said the end of.
CREATE INDEX phone_calls_open ON phone_calls (tenant_id, began_at) WHERE ended_at IS NULL;
CREATE INDEX care_workers_phone ON care_workers (tenant_id, phone) WHERE phone IS NOT NULL;

-- Wrong PINs, over all processes. Counted by worker and by where they came from; nobody is locked out.
CREATE TABLE pin_tries (
  tenant_id  integer NOT NULL,
  try_id     bigint GENERATED ALWAYS AS IDENTITY,
  tried_at   timestamptz NOT NULL,
  came_from  text NOT NULL,                  -- a number, a device or an address
  care_worker_ref text,
  expected   boolean NOT NULL DEFAULT false, -- from somewhere the worker is expected
  PRIMARY KEY (tenant_id, try_id)
);
CREATE INDEX pin_tries_from ON pin_tries (tenant_id, came_from, tried_at);
CREATE INDEX pin_tries_of_worker ON pin_tries (tenant_id, care_worker_ref, tried_at);

-- What another system sent in its own words, and what became of each record.
CREATE TABLE feed_records (
  tenant_id      integer NOT NULL,
  transaction_id uuid NOT NULL,
  position       integer NOT NULL,
  feed           text NOT NULL,              -- 'sandata'
  kind           text NOT NULL,              -- 'client', 'employee', 'visit'
  record_id      text NOT NULL,
  sequence_id    bigint NOT NULL,
  received_at    timestamptz NOT NULL,
  status         text NOT NULL CHECK (status IN ('accepted', 'rejected')),
  reasons        jsonb NOT NULL DEFAULT '[]',
  known_as       text[] NOT NULL DEFAULT '{}', -- every id a client or employee may be named by in a visit
  our_ref        text,                       -- whom we know them as
  body           jsonb NOT NULL,
  key_id         bigint,
  PRIMARY KEY (tenant_id, transaction_id, position)
);
CREATE INDEX feed_records_sequence ON feed_records (tenant_id, feed, kind, record_id, sequence_id DESC);
CREATE INDEX feed_records_known_as ON feed_records USING gin (known_as) WHERE our_ref IS NOT NULL;

-- ---------------------------------------------------------------- grants

GRANT SELECT ON devices, enrolments, reports, tags, tag_taps, code_cards, used_codes, phone_lines, phone_calls,
  pin_tries, feed_records TO ecm_web, ecm_worker;
GRANT INSERT ON devices, enrolments, reports, tags, code_cards, phone_lines, phone_calls, pin_tries, feed_records
  TO ecm_web;
GRANT INSERT ON alert_queue TO ecm_web;
GRANT UPDATE (cut_off_at, cut_off_by, cut_off_reason) ON devices TO ecm_web;
GRANT UPDATE (used_at, device_id) ON enrolments TO ecm_web;
GRANT UPDATE (uid, retired_at) ON tags TO ecm_web;
GRANT UPDATE (retired_at) ON code_cards TO ecm_web;
GRANT UPDATE (language, call_back), DELETE ON phone_lines TO ecm_web;
GRANT UPDATE (step, interview, answers, ended_at) ON phone_calls TO ecm_web;
GRANT DELETE ON enrolments, phone_calls, pin_tries TO ecm_worker;

GRANT SELECT ON service_user_phones, tags, tag_taps, code_cards, used_codes TO ecm_ingest;
GRANT INSERT ON tag_taps, used_codes TO ecm_ingest;

-- ---------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['devices', 'enrolments', 'reports', 'tags', 'tag_taps', 'code_cards', 'used_codes',
                           'phone_lines', 'phone_calls', 'pin_tries', 'feed_records'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY of_tenant ON %I TO ecm_web
                    USING (tenant_id = (SELECT ecm_tenant())) WITH CHECK (tenant_id = (SELECT ecm_tenant()))', t);
    EXECUTE format('CREATE POLICY of_worker ON %I TO ecm_worker USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY of_owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
  END LOOP;
  -- The ingest role proves one tenant's events at a time, in a transaction that names that tenant.
  FOREACH t IN ARRAY ARRAY['service_user_phones', 'tags', 'code_cards'] LOOP
    EXECUTE format('CREATE POLICY of_proving ON %I FOR SELECT TO ecm_ingest
                    USING (tenant_id = (SELECT ecm_tenant()))', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['tag_taps', 'used_codes'] LOOP
    EXECUTE format('CREATE POLICY of_proving ON %I TO ecm_ingest
                    USING (tenant_id = (SELECT ecm_tenant())) WITH CHECK (tenant_id = (SELECT ecm_tenant()))', t);
  END LOOP;
END $$;

-- Presenting a phone, a code, a tag or a line comes before the tenant is known. Each answers one question.
CREATE FUNCTION ecm_device(sought uuid)
  RETURNS TABLE (tenant_id integer, device_id uuid, provider_ref text, care_worker_ref text, label text,
                 public_key jsonb, cut_off_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, cut_off_at
        FROM devices WHERE device_id = sought $$;
CREATE FUNCTION ecm_enrolment(sought bytea, at timestamptz)
  RETURNS TABLE (tenant_id integer, provider_ref text, care_worker_ref text, label text, made_by text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id, provider_ref, care_worker_ref, label, made_by
        FROM enrolments WHERE code_sha256 = sought AND used_at IS NULL AND expires_at > at $$;
CREATE FUNCTION ecm_tag_tenant(sought text) RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id FROM tags WHERE tag_id = sought $$;
CREATE FUNCTION ecm_line(sought text, used_for text)
  RETURNS TABLE (tenant_id integer, use text, care_worker_ref text, language text, call_back boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id, use, care_worker_ref, language, call_back FROM phone_lines
        WHERE number = sought AND (use = used_for OR used_for IS NULL) $$;
CREATE FUNCTION ecm_phone_call(from_gateway text, sought text) RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT tenant_id FROM phone_calls WHERE gateway = from_gateway AND call_id = sought $$;
REVOKE EXECUTE ON FUNCTION ecm_device, ecm_enrolment, ecm_tag_tenant, ecm_line, ecm_phone_call FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_device TO ecm_web, ecm_ingest;
GRANT EXECUTE ON FUNCTION ecm_enrolment, ecm_tag_tenant, ecm_line, ecm_phone_call TO ecm_web;
