-- What is kept of people, and for how long: how to get into a home, whose key sealed it, and where a phone was.
--
-- Truths this schema states:
--   * the services write a key-safe code and cannot read it back: one function tells it, and asks for itself who and when;
--   * one key seals for the whole installation;
--   * a position is kept as long as its authority says; then its distance stays. Nobody may change evidence in any
--     other way, and this way takes away and writes nothing it was told.

-- ---------------------------------------------------------------- how to get in

-- Column by column, as they are today: without the code itself.
DO $$
DECLARE readable text;
BEGIN
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO readable FROM pg_attribute
  WHERE attrelid = 'service_users'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'sealed_key_safe'
    AND has_column_privilege('ecm_web', attrelid, attnum, 'SELECT');
  REVOKE SELECT ON service_users FROM ecm_web, ecm_worker;
  EXECUTE format('GRANT SELECT (%s) ON service_users TO ecm_web, ecm_worker', readable);
END $$;

CREATE FUNCTION ecm_has_key_safe(person text) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ SELECT sealed_key_safe IS NOT NULL FROM service_users WHERE tenant_id = ecm_tenant() AND ref = person $$;

-- The same code sealed again is the same bytes (ecm/sealing.py), so a file that is read again changes nothing.
CREATE FUNCTION ecm_set_key_safes(people text[], codes bytea[]) RETURNS SETOF text
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ UPDATE service_users s SET sealed_key_safe = given.code
        FROM unnest(people, codes) AS given(ref, code)
        WHERE s.tenant_id = ecm_tenant() AND s.ref = given.ref AND s.sealed_key_safe IS DISTINCT FROM given.code
        RETURNING s.ref $$;

-- How to get in, sealed, for a visit that is still to be and a worker of its provider, from half an hour before it to
-- half an hour after it (NULL outside of that). Whoever calls a visit off adds an amendment; until processing has
-- folded that in, the state does not say so yet.
--
-- Whose visit it is, the plan says. Somebody may stand in at short notice before the plan is mended: they are told too,
-- if they are there now and it is strong: checked in on this visit, not out again, signed by the phone that is theirs
-- (or that their PIN opened), and found at the home. Why they were told goes into the audit.
CREATE FUNCTION ecm_key_safe(of_visit bigint, worker text, provider text, at timestamptz)
  RETURNS TABLE (service_user_ref text, because text, sealed bytea)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$
  SELECT v.service_user_ref, entitled.because,
    CASE WHEN at BETWEEN v.planned_start - interval '30 minutes' AND v.planned_end + interval '30 minutes'
         THEN s.sealed_key_safe END
  FROM visits v
  JOIN service_users s ON s.tenant_id = v.tenant_id AND s.ref = v.service_user_ref
  JOIN care_workers w ON w.tenant_id = v.tenant_id AND w.ref = worker AND w.provider_ref = v.provider_ref
  CROSS JOIN LATERAL (SELECT CASE
    WHEN worker = ANY (v.care_worker_refs) THEN 'on the rota'
    WHEN EXISTS (
      SELECT FROM jsonb_array_elements(v.attendances) AS stay
      JOIN check_events e ON e.tenant_id = v.tenant_id AND e.event_id = (stay ->> 'check_in_event')::uuid
      WHERE stay ->> 'care_worker' = worker AND stay ->> 'check_out_at' IS NULL
        AND 'signed' = ANY (e.proofs) AND NOT 'cut_off' = ANY (e.proofs)
        AND ('unlocked' = ANY (e.proofs) OR NOT 'shared' = ANY (e.proofs))
        AND v.findings @> jsonb_build_array(jsonb_build_object('code', 'location_inside', 'event_id', e.event_id)))
    THEN 'not on the rota; checked in at the home' END AS because) AS entitled
  WHERE v.tenant_id = ecm_tenant() AND v.visit_id = of_visit AND v.provider_ref = provider
    AND current_setting('ecm.provider', true) IN ('*', '=' || provider)
    AND current_setting('ecm.worker', true) IN ('*', '=' || worker)
    AND NOT v.cancelled AND v.planned_start IS NOT NULL AND v.state <> 'cancelled'
    AND NOT EXISTS (SELECT FROM amendments a
      WHERE a.tenant_id = v.tenant_id AND a.visit_id = v.visit_id AND a.kind = 'cancelled')
    AND s.sealed_key_safe IS NOT NULL AND entitled.because IS NOT NULL $$;
REVOKE EXECUTE ON FUNCTION ecm_has_key_safe, ecm_set_key_safes, ecm_key_safe FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_has_key_safe, ecm_set_key_safes, ecm_key_safe TO ecm_web;

-- ---------------------------------------------------------------- whose key

-- One row at most: which key seals. No secret: a digest of one that has 256 random bits.
CREATE TABLE sealing_key (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  fingerprint bytea NOT NULL,
  since       timestamptz NOT NULL           -- real time, also under a scaled clock
);
GRANT SELECT ON sealing_key TO ecm_web, ecm_worker;
GRANT INSERT ON sealing_key TO ecm_web;
