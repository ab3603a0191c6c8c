-- What is held about one care worker ($2) of an authority ($1), or one account. Codes, hashes and keys are not told, nor
-- other people's names; of whoever is cared for, the reference alone.

-- name: care_worker role: ecm_web
-- Who they are to the service.
SELECT w.ref, w.name, w.provider_ref AS provider, w.phone, w.pin_hash IS NOT NULL AS has_pin, w.left_at, w.left_by
FROM care_workers w WHERE w.tenant_id = $1::int AND w.ref = $2::text;

-- name: phones role: ecm_web
-- Their phones, and those that were.
SELECT d.device_id, d.label, d.enrolled_at, d.enrolled_by, d.cut_off_at, d.cut_off_by, d.cut_off_reason
FROM devices d WHERE d.tenant_id = $1::int AND d.care_worker_ref = $2::text ORDER BY d.enrolled_at;

-- name: enrolments role: ecm_web
-- Codes that were made for their phones.
SELECT n.label, n.made_by, n.made_at, n.expires_at, n.used_at, n.device_id
FROM enrolments n WHERE n.tenant_id = $1::int AND n.care_worker_ref = $2::text ORDER BY n.made_at;

-- name: visits role: ecm_web
-- Visits that were planned for them or that they attended: when, what was made of their part, and how it was found.
SELECT v.visit_id, v.ref, v.local_date, v.service_user_ref AS service_user, v.planned_start, v.planned_end,
  $2::text = ANY (v.care_worker_refs) AS on_the_rota, v.state,
  (SELECT jsonb_agg(stay) FROM jsonb_array_elements(v.attendances) AS stay
   WHERE stay ->> 'care_worker' = $2::text) AS attendances,
  (SELECT jsonb_agg(found) FROM jsonb_array_elements(v.findings) AS found
   WHERE found ->> 'care_worker' = $2::text) AS findings
FROM visits v
WHERE v.tenant_id = $1::int AND ($2::text = ANY (v.care_worker_refs)
  OR v.attendances @> jsonb_build_array(jsonb_build_object('care_worker', $2::text)))
ORDER BY v.window_start, v.visit_id;

-- name: events role: ecm_web
-- What was recorded in their name: position and note as sent, for as long as the position is kept.
SELECT e.event_id, e.received_at, e.kind, e.occurred_at, e.method, o.service_user_ref AS service_user, e.visit, e.lat,
  e.lon, e.accuracy_m, e.fixed_at, r.distance_m AS reduced_to_m, r.findings AS kept_of_the_position, r.reduced_at,
  right(e.cli, 3) AS cli_ends_in, e.reason_code, e.device_id, e.wall_clock, e.proofs,
  e.body, o.status, o.reason
FROM event_outcomes o
JOIN check_events e ON e.tenant_id = o.tenant_id AND e.event_id = o.event_id
LEFT JOIN reduced_positions r ON r.tenant_id = o.tenant_id AND r.event_id = o.event_id
WHERE o.tenant_id = $1::int AND o.care_worker_ref = $2::text
ORDER BY o.occurred_at, o.event_id;

-- name: reports role: ecm_web
-- What their phone said beside check-ins.
SELECT r.report_id, r.kind, r.occurred_at, r.received_at, r.device_id, r.service_user_ref AS service_user, r.urgency,
  r.reason_code, r.words, r.tasks, r.lat, r.lon, r.accuracy_m, r.proofs
FROM reports r WHERE r.tenant_id = $1::int AND r.care_worker_ref = $2::text ORDER BY r.occurred_at, r.report_id;

-- name: amendments role: ecm_web
-- Corrections that name them, or an event of theirs.
SELECT a.amendment_id, a.visit_id, a.kind, a.event_id, a.check_in_at, a.check_out_at, a.reason_code, a.action_taken,
  a.note, a.made_by, a.made_at
FROM amendments a
WHERE a.tenant_id = $1::int AND (a.care_worker = $2::text OR EXISTS (
  SELECT FROM event_outcomes o
  WHERE o.tenant_id = a.tenant_id AND o.event_id = a.event_id AND o.care_worker_ref = $2::text))
ORDER BY a.amendment_id;

-- name: phone_lines role: ecm_web
-- Numbers that are theirs to ring unanswered.
SELECT l.number, l.use, l.language FROM phone_lines l
WHERE l.tenant_id = $1::int AND l.care_worker_ref = $2::text ORDER BY l.number;

-- name: pin_tries role: ecm_web
-- Wrong PINs under their number, of a day at most.
SELECT p.tried_at, p.came_from, p.expected FROM pin_tries p
WHERE p.tenant_id = $1::int AND p.care_worker_ref = $2::text ORDER BY p.try_id;

-- name: feed_records role: ecm_web
-- What another system said of them.
SELECT f.feed, f.record_id, f.received_at, f.status, f.reasons, f.known_as, f.body FROM feed_records f
WHERE f.tenant_id = $1::int AND f.kind = 'employee' AND f.our_ref = $2::text ORDER BY f.received_at;

-- name: audit role: ecm_web
-- Entries that name them: as the subject, or as whoever held a phone; and of their own phones. A home and what is in it
-- are somebody else's, whose reference may be the same; and a name may say anything.
SELECT a.audit_id, a.at, a.actor, a.action, a.subject, a.reason, a.origin FROM audit a
WHERE a.tenant_id = $1::int AND (
  starts_with(a.actor, 'phone ') AND right(a.actor, length($2::text) + 4) = ' of ' || $2::text
  OR a.subject = 'care worker ' || $2::text OR starts_with(a.subject, 'care worker ' || $2::text || ' ')
  OR starts_with(a.subject, 'care worker ' || $2::text || ',')
  OR right(a.subject_ref, length($2::text) + 4) = ' of ' || $2::text AND a.subject !~ '^(home|tag|code card) '
  OR EXISTS (SELECT FROM devices d WHERE d.tenant_id = a.tenant_id AND d.care_worker_ref = $2::text
             AND (position(d.device_id::text IN a.actor) > 0 OR position(d.device_id::text IN a.subject) > 0)))
ORDER BY a.audit_id;

-- name: accounts role: ecm_web
-- Accounts that are theirs, when they sit at a desk. What is held under one, it is told itself.
SELECT a.account_id, a.email, a.name, a.role, a.provider_ref AS provider, a.disabled_at, a.left_at
FROM accounts a WHERE a.tenant_id = $1::int AND a.care_worker_ref = $2::text ORDER BY a.account_id;

-- name: account role: ecm_web
-- An account, without its password.
SELECT a.account_id, a.email, a.name, a.role, a.provider_ref AS provider, a.care_worker_ref AS care_worker,
  a.disabled_at, a.left_at, a.made_by_oidc
FROM accounts a WHERE a.tenant_id = $1::int AND a.account_id = $2::bigint;

-- name: sessions role: ecm_web
-- When it signed in, for as long as that is kept.
SELECT s.session_id, s.created_at, s.seen_at, s.idle_until, s.expires_at, s.signed_in_by, s.origin, s.agent
FROM sessions s WHERE s.tenant_id = $1::int AND s.account_id = $2::bigint ORDER BY s.created_at;

-- name: passkeys role: ecm_web
-- Its passkeys, and those that were.
SELECT k.name, k.made_at, k.used_at, k.revoked_at, k.backed_up, k.aaguid
FROM passkeys k WHERE k.tenant_id = $1::int AND k.account_id = $2::bigint ORDER BY k.passkey_id;

-- name: codes role: ecm_web
-- Whether codes of an app, and recovery codes, open it.
SELECT 'second step' AS kind, s.confirmed_at AS made_at, NULL::timestamptz AS used_at
FROM second_steps s WHERE s.tenant_id = $1::int AND s.account_id = $2::bigint
UNION ALL
SELECT 'recovery code', r.made_at, r.used_at
FROM recovery_codes r WHERE r.tenant_id = $1::int AND r.account_id = $2::bigint ORDER BY 1, 2;

-- name: account_identities role: ecm_web
-- How its council's sign-in knows it.
SELECT o.issuer, o.subject FROM oidc_subjects o WHERE o.tenant_id = $1::int AND o.account_id = $2::bigint;

-- name: account_amendments role: ecm_web
-- Corrections made under this account's name ($2), which is how they are signed. A name that two have tells neither.
SELECT a.amendment_id, a.visit_id, a.kind, a.reason_code, a.action_taken, a.note, a.made_at
FROM amendments a WHERE a.tenant_id = $1::int AND a.made_by = $2::text
  AND (SELECT count(*) FROM accounts n WHERE n.tenant_id = $1::int AND n.name = $2::text) = 1
ORDER BY a.amendment_id;

-- name: account_alerts role: ecm_web
-- What was done about alarms under this account's name ($2), unless another has it too.
SELECT a.alert_id, a.kind, a.made_at, a.note
FROM alert_actions a WHERE a.tenant_id = $1::int AND a.made_by = $2::text
  AND (SELECT count(*) FROM accounts n WHERE n.tenant_id = $1::int AND n.name = $2::text) = 1
ORDER BY a.action_id;

-- name: account_audit role: ecm_web
-- What it ($2: as the audit names it) did, and what was done to it.
SELECT a.audit_id, a.at, a.actor, a.action, a.subject, a.reason, a.origin
FROM audit a WHERE a.tenant_id = $1::int AND (a.actor = $2::text OR starts_with(a.actor, $2::text || ' ')
  OR a.subject = $2::text OR starts_with(a.subject, $2::text || ' '))
ORDER BY a.audit_id;
