-- Where a file stands while it is compared: tables that end with their transaction and that nobody else sees.
-- `given` names the optional columns the row has; what is not given stays as it is stored. PINs come hashed, key-safe
-- codes sealed.

CREATE TEMP TABLE import_providers (
  row_no integer NOT NULL, given text[] NOT NULL, ref text NOT NULL, name text NOT NULL, phone text, email text
) ON COMMIT DROP;

CREATE TEMP TABLE import_contracts (
  row_no integer NOT NULL, given text[] NOT NULL, ref text NOT NULL, provider_ref text NOT NULL,
  service text NOT NULL, valid_from date NOT NULL, valid_to date, rules text NOT NULL
) ON COMMIT DROP;

CREATE TEMP TABLE import_service_users (
  row_no integer NOT NULL, given text[] NOT NULL, ref text NOT NULL, name text NOT NULL, address text,
  postcode text, area text, district text, lat double precision, lon double precision, fence_m double precision,
  phones text[], carers_required smallint, risk_tier text, funder text, needs text, places text, key_safe bytea
) ON COMMIT DROP;

CREATE TEMP TABLE import_care_workers (
  row_no integer NOT NULL, given text[] NOT NULL, ref text NOT NULL, name text NOT NULL,
  provider_ref text NOT NULL, phone text, pin_hash text
) ON COMMIT DROP;

CREATE TEMP TABLE import_visits (
  row_no integer NOT NULL, given text[] NOT NULL, ref text NOT NULL, service_user_ref text NOT NULL,
  provider_ref text NOT NULL, local_date date NOT NULL, planned_start timestamptz NOT NULL,
  planned_end timestamptz NOT NULL, service text, commissioned_minutes integer, carers_required smallint,
  care_worker_refs text[], time_critical boolean, cancelled boolean
) ON COMMIT DROP;

-- The middles of the postcodes that the file needs.
CREATE TEMP TABLE import_postcodes (
  postcode text PRIMARY KEY, lat double precision NOT NULL, lon double precision NOT NULL
) ON COMMIT DROP;

-- The places these people are to have: all of them, also those that stay as they are.
CREATE TEMP TABLE import_places (
  service_user_ref text NOT NULL, label text NOT NULL, lat double precision, lon double precision,
  fence_m double precision, polygon jsonb, by_postcode boolean NOT NULL, PRIMARY KEY (service_user_ref, label)
) ON COMMIT DROP;

-- The plan around the file as it will be: each visit with its person's next one.
CREATE TEMP TABLE import_next (
  ref text PRIMARY KEY, next_planned_start timestamptz
) ON COMMIT DROP;

-- What the file changed; `assessed` where an assessment may come out differently.
CREATE TEMP TABLE import_changed (
  ref text PRIMARY KEY, is_new boolean NOT NULL, assessed boolean NOT NULL
) ON COMMIT DROP;
