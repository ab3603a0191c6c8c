-- name: to_tell role: ecm_worker
-- What nobody was told yet and somebody can be: each notice with each address. Of each authority a handful, so that one
-- whose mail server is away holds up no other. Not held while it is sent: whoever is refused a sign-in would wait for the
-- mail server. Two workers may both tell it.
SELECT t.tenant_id, n.notice_id, n.kind, n.subject, n.first_at, n.times, c.channel, c.address, t.zone
FROM tenants t
CROSS JOIN LATERAL (
  SELECT notice_id, kind, subject, first_at, times FROM notices
  WHERE tenant_id = t.tenant_id AND told_at IS NULL AND seen_at IS NULL AND times >= tell_from
  ORDER BY notice_id LIMIT 10) n
JOIN alert_contacts c ON c.tenant_id = t.tenant_id AND c.security
ORDER BY t.tenant_id, n.notice_id, c.contact_id;

-- name: told role: ecm_worker
-- At least one of its addresses took it.
UPDATE notices SET told_at = $3::timestamptz WHERE tenant_id = $1::int AND notice_id = $2::bigint;
