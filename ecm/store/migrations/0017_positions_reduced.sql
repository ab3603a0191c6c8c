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
  AS $$ SELECT sealed_key_safe IS NOT NULL FROM service_users
        WHERE tenant_id = ecm_tenant() AND ref = person AND (ecm_sees_all() OR ecm_sees_person(tenant_id, ref)) $$;

-- The same code sealed again is the same bytes (ecm/sealing.py), so a file that is read again changes nothing. For whoever
-- imports, because it looks past the second lock.
CREATE FUNCTION ecm_set_key_safes(people text[], codes bytea[]) RETURNS SETOF text
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ UPDATE service_users s SET sealed_key_safe = given.code
        FROM unnest(people, codes) AS given(ref, code)
        WHERE s.tenant_id = ecm_tenant() AND s.ref = given.ref AND s.sealed_key_safe IS DISTINCT FROM given.code
          AND string_to_array(ecm_role(), ' ') && ARRAY['administrator', 'import', 'system']
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
    AND w.left_at IS NULL  -- whoever has left is told nothing
  CROSS JOIN LATERAL (SELECT CASE
    WHEN worker = ANY (v.care_worker_refs) THEN 'on the rota'
    WHEN EXISTS (
      SELECT FROM jsonb_array_elements(v.attendances) AS stay
      JOIN check_events e ON e.tenant_id = v.tenant_id AND e.event_id = (stay ->> 'check_in_event')::uuid
      WHERE stay ->> 'care_worker' = worker AND stay ->> 'check_out_at' IS NULL
        AND 'signed' = ANY (e.proofs) AND NOT e.proofs && ARRAY['cut_off', 'left']
        AND ('unlocked' = ANY (e.proofs) OR NOT 'shared' = ANY (e.proofs))
        AND v.findings @> jsonb_build_array(jsonb_build_object('code', 'location_inside', 'event_id', e.event_id)))
    THEN 'not on the rota; checked in at the home' END AS because) AS entitled
  WHERE v.tenant_id = ecm_tenant() AND v.visit_id = of_visit AND v.provider_ref = provider
    AND ecm_role() IN ('phone', 'system')
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

-- ---------------------------------------------------------------- where a phone was

-- No less than the five weeks in which a month is worked out, looked at and paid.
ALTER TABLE tenants
  ADD COLUMN positions_kept_days integer NOT NULL DEFAULT 90 CHECK (positions_kept_days BETWEEN 35 AND 3650),
  ADD COLUMN positions_reduced_to timestamptz;  -- of what was received before this no position is left

-- What stays of a position: what was found of it while it was there, so that whatever is worked out again comes out the
-- same. The findings of the place, judged by this person's home; those of the road to this event, and from it to the next.
CREATE TABLE reduced_positions (
  tenant_id        integer NOT NULL,
  event_id         uuid NOT NULL,
  service_user_ref text,                     -- NULL: it counted for no visit
  distance_m       double precision,
  fence_m          double precision,
  findings         jsonb NOT NULL DEFAULT '[]',
  reduced_at       timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, event_id)
);
GRANT SELECT ON reduced_positions TO ecm_web, ecm_worker;
GRANT INSERT ON reduced_positions TO ecm_worker;
SELECT ecm_lock_by_tenant('reduced_positions');
CREATE POLICY of_provider ON reduced_positions AS RESTRICTIVE TO ecm_web
  USING ((SELECT ecm_all_is_shown()) OR ecm_sees_event(tenant_id, event_id));
SELECT ecm_lock_against_change(NULL, 'reduced_positions');

-- What a body said, out of its signature; NULL for one that only a salvage could read.
CREATE FUNCTION ecm_said(body text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public
  AS $$
  DECLARE
    said jsonb;
    part text;
  BEGIN
    said := body::jsonb;
    IF said ? 'jws' THEN
      part := translate(split_part(said ->> 'jws', '.', 2), '-_', '+/');
      said := convert_from(decode(rpad(part, (length(part) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb;
    END IF;
    RETURN CASE WHEN jsonb_typeof(said) = 'object' THEN said END;
  EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_said FROM PUBLIC;

-- A name that a position may come by, in a body whose columns hold none: a partner may send it in words of its own. A
-- signed body shows no names, and may hold a position that made no sense as a whole and was set aside.
CREATE FUNCTION ecm_may_hold_a_position(lat double precision, body text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT lat IS NOT NULL OR body ~* '"[^"]*(jws|fix|lat|lon|lng|gps|position|location|coord|place|postcode|address)[^"]*"' $$;
REVOKE EXECUTE ON FUNCTION ecm_may_hold_a_position FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_may_hold_a_position TO ecm_worker;

-- The one sanctioned edit of evidence. It takes away what was received in a span, once that is older than the authority
-- keeps it, and writes nothing it was told: no caller has a say in what stands there afterwards. Of an event the fix goes,
-- and of its body all but plain words whose meaning we know; the fingerprint of the whole stays, so that the same event
-- sent again is still the same. An event whose findings were not kept first is left alone. Bodies that nobody
-- understood, and other systems' records, may hold a position anywhere: they go as a whole.
CREATE FUNCTION ecm_reduce_positions(of_tenant integer, since timestamptz, until timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$
  DECLARE
    kept_from timestamptz;
    kept_days integer;
    reduced integer;
  BEGIN
    SELECT coalesce((SELECT c.starts_at + (now() - c.real_start) * c.speed FROM scaled_clock c), now())
             - make_interval(days => t.positions_kept_days), t.positions_kept_days
      INTO kept_from, kept_days FROM tenants t WHERE t.tenant_id = of_tenant;
    IF kept_from IS NULL OR until > kept_from THEN
      RAISE EXCEPTION 'positions of that time are still kept' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE check_events e SET lat = NULL, lon = NULL, body = coalesce((
        SELECT jsonb_object_agg(said.key, said.value) FROM jsonb_each(ecm_said(e.body)) AS said
        WHERE said.key IN ('id', 'kind', 'occurred_at', 'method', 'care_worker', 'service_user', 'visit', 'cli',
                           'reason_code', 'note', 'entered_by')
          AND jsonb_typeof(said.value) IN ('string', 'number', 'boolean')), '{}')::text
      FROM reduced_positions r
      WHERE e.tenant_id = of_tenant AND e.received_at >= since AND e.received_at < until
        AND r.tenant_id = e.tenant_id AND r.event_id = e.event_id;
    GET DIAGNOSTICS reduced = ROW_COUNT;
    UPDATE reports SET lat = NULL, lon = NULL, body = '{}'
      WHERE tenant_id = of_tenant AND received_at >= since AND received_at < until;
    UPDATE quarantine SET body = ''
      WHERE tenant_id = of_tenant AND received_at >= since AND received_at < until;
    UPDATE feed_records SET body = '{}'
      WHERE tenant_id = of_tenant AND received_at >= since AND received_at < until;
    UPDATE tenants SET positions_reduced_to = until WHERE tenant_id = of_tenant;
    -- The one edit of evidence there is, so it stands in the audit.
    IF reduced > 0 THEN
      INSERT INTO audit (tenant_id, at, actor, action, subject, facts)
      VALUES (of_tenant, kept_from + make_interval(days => kept_days), 'system 0 retention', 'positions_reduced',
              'positions ' || to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
              json_build_object('events', reduced));
    END IF;
    RETURN reduced;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_reduce_positions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_reduce_positions TO ecm_worker;
