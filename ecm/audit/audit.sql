-- name: insert_entry role: ecm_web
-- One line of who did what. Added, never edited; the table seals and links it.
INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin, agent, actor_ref, subject_ref, facts)
VALUES ($1::int, $2::timestamptz, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text,
        $11::text::json)

-- name: one_moment role: ecm_web
-- What is read next is all of one moment: no entry and no erasure comes in between.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: linked role: ecm_worker
-- The chain from a place on, each place with its entry.
SELECT c.seq, c.audit_id, c.hash, a.audit_id AS entry_id, a.at, a.actor_ref, a.action, a.subject_ref,
  a.facts::text AS facts, a.commitment, a.salt, a.actor, a.subject, a.reason, a.origin, a.agent
FROM audit_chain c LEFT JOIN audit a ON a.tenant_id = c.tenant_id AND a.audit_id = c.audit_id
WHERE c.tenant_id = $1::int AND c.seq > $2::bigint
ORDER BY c.seq
LIMIT $3::int

-- name: unlinked role: ecm_worker
-- An entry that has no place in the chain.
SELECT a.audit_id FROM audit a
WHERE a.tenant_id = $1::int
  AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.tenant_id = a.tenant_id AND c.audit_id = a.audit_id)
ORDER BY a.audit_id
LIMIT 1

-- name: head role: ecm_worker
-- The last link, as its writers keep it.
SELECT seq, hash FROM audit_heads WHERE tenant_id = $1::int

-- name: heads role: ecm_worker
-- The authorities whose last link was not told to this place today.
SELECT h.tenant_id FROM audit_heads h
WHERE NOT EXISTS (SELECT FROM audit_exports e
                  WHERE e.tenant_id = h.tenant_id AND e.day = $1::date AND e.went_to = $2::text)
ORDER BY h.tenant_id

-- name: told role: ecm_worker
-- Whoever adds this row tells it: a second worker waits here, and then need not.
INSERT INTO audit_exports (tenant_id, day, went_to, seq, hash, exported_at)
VALUES ($1::int, $2::date, $3::text, $4::bigint, $5::bytea, $6::timestamptz)
ON CONFLICT DO NOTHING
RETURNING seq

-- name: untold role: ecm_worker
-- For how long nothing was told to this place: since the last telling, as of the real $3; else since the first entry, as
-- of the service's $4.
SELECT coalesce(
  $3::timestamptz - (SELECT max(exported_at) FROM audit_exports WHERE tenant_id = $1::int AND went_to = $2::text),
  $4::timestamptz - (SELECT min(at) FROM audit WHERE tenant_id = $1::int))

-- name: all_told role: ecm_worker
-- When every head was last told everywhere it should go: part of a process's own row, as its beats are.
INSERT INTO heartbeats (process, beat_at, details)
VALUES ($1::text, $2::timestamptz, jsonb_build_object('heads_told_at', $2::timestamptz))
ON CONFLICT (process) DO UPDATE SET beat_at = EXCLUDED.beat_at, details = heartbeats.details || EXCLUDED.details

-- name: chains role: ecm_worker
-- Whose chains there are.
SELECT tenant_id FROM tenants

-- name: proved role: ecm_worker
-- When every chain was last proved, and how many were broken: part of a process's own row, as its beats are.
INSERT INTO heartbeats (process, beat_at, details)
VALUES ($1::text, $2::timestamptz, jsonb_build_object('audit_proved_at', $2::timestamptz, 'audit_broken', $3::int))
ON CONFLICT (process) DO UPDATE SET beat_at = EXCLUDED.beat_at, details = heartbeats.details || EXCLUDED.details

-- name: about role: ecm_web
-- The places of entries by or about somebody or something ($2), or one place ($3), with words that can be erased. Of
-- what says that words were erased, only a place.
SELECT c.seq FROM audit_chain c JOIN audit a ON a.tenant_id = c.tenant_id AND a.audit_id = c.audit_id
WHERE c.tenant_id = $1::int AND a.salt IS NOT NULL
  AND (c.seq = $3::bigint
       OR a.action <> 'words_erased'
          AND (a.actor_ref = $2::text OR a.subject_ref = $2::text
               OR starts_with(a.subject_ref, $2::text || ',') OR starts_with(a.subject_ref, $2::text || ' of ')
               OR right(a.actor_ref, length($4::text) + 4) = ' of ' || $4::text
               OR right(a.subject_ref, length($4::text) + 4) = ' of ' || $4::text))
ORDER BY c.seq

-- name: erase role: ecm_web
-- Takes their words out, and writes that down.
SELECT ecm_erase_words($1::bigint[], $2::text, $3::text, $4::text, $5::text, $6::timestamptz)
