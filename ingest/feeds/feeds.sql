-- name: may_record role: ecm_web
-- Whether the database lets this sender change anything: what it sends is written by the role that takes evidence from
-- anybody.
SELECT ecm_may_change();

-- name: people_known role: ecm_web
-- Which of these are our own references of people.
SELECT ref FROM service_users WHERE tenant_id = $1::int AND ref = ANY ($2::text[]);

-- name: workers_known role: ecm_web
-- Which of these are our own references of care workers.
SELECT ref FROM care_workers WHERE tenant_id = $1::int AND ref = ANY ($2::text[]);

-- name: visits_known role: ecm_web
-- Which of these are our own references of visits.
SELECT ref FROM visits WHERE tenant_id = $1::int AND ref = ANY ($2::text[]);

-- name: names_told role: ecm_web
-- Whom the feed's own ids mean, by the clients or employees that provider sent before, else that were sent without a
-- provider: two providers number theirs alike. The newest word counts.
SELECT DISTINCT ON (asked.provider, asked.said) asked.provider, asked.said, f.our_ref
FROM unnest($4::text[], $5::text[]) AS asked(provider, said)
JOIN feed_records f ON f.known_as @> ARRAY[asked.said] AND f.our_ref IS NOT NULL
  AND f.tenant_id = $1::int AND f.feed = $2::text AND f.kind = $3::text AND f.status = 'accepted'
CROSS JOIN LATERAL (SELECT coalesce(nullif(btrim(f.body #>> '{ProviderIdentification,ProviderID}'), ''),
                                    btrim(f.body #>> '{ProviderIdentification,ProviderId}'), '') AS provider) AS its
WHERE its.provider IN ('', asked.provider)
ORDER BY asked.provider, asked.said, its.provider DESC, f.received_at DESC, f.position DESC;

-- name: phones_of role: ecm_web
-- The telephones of these people.
SELECT service_user_ref, phone FROM service_user_phones WHERE tenant_id = $1::int AND service_user_ref = ANY ($2::text[]);

-- name: sequences role: ecm_web
-- The highest SequenceID accepted of each record so far.
SELECT record_id, max(sequence_id) AS sequence_id FROM feed_records
WHERE tenant_id = $1::int AND feed = $2::text AND kind = $3::text AND record_id = ANY ($4::text[])
  AND status = 'accepted'
GROUP BY record_id;

-- name: events_before role: ecm_web
-- What was recorded under these ids before.
SELECT event_id, body FROM check_events WHERE tenant_id = $1::int AND event_id = ANY ($2::uuid[]);

-- name: one_at_a_time role: ecm_web
-- Two transactions of one feed never judge the same SequenceID at once.
SELECT pg_advisory_xact_lock(hashtext('ecm feed ' || $2::text), $1::int);

-- name: keep role: ecm_web
-- A transaction's records and what became of each.
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id, received_at, status,
  reasons, known_as, our_ref, body, key_id)
SELECT $1::int, $2::uuid, s.position, $3::text, $4::text, s.record_id, s.sequence_id, $5::timestamptz, s.status,
  s.reasons::jsonb, ARRAY(SELECT jsonb_array_elements_text(s.known_as::jsonb)), s.our_ref,
  s.body::jsonb, $6::bigint
FROM unnest($7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
  WITH ORDINALITY AS s (record_id, sequence_id, status, reasons, known_as, our_ref, body, position);

-- name: records role: ecm_web
-- A transaction's records, in the order they were sent.
SELECT record_id, sequence_id, status, reasons, received_at FROM feed_records
WHERE tenant_id = $1::int AND transaction_id = $2::uuid AND feed = $3::text AND kind = $4::text
ORDER BY position;
