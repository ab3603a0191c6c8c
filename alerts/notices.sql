-- name: to_tell role: ecm_worker
-- What nobody was told yet and somebody can be: each notice with each address. Not held while it is sent: whoever is
-- refused a sign-in would wait for the mail server. Two workers may both tell it.
SELECT n.tenant_id, n.notice_id, n.kind, n.subject, n.first_at, n.times, c.channel, c.address, t.zone
FROM notices n
JOIN tenants t ON t.tenant_id = n.tenant_id
JOIN alert_contacts c ON c.tenant_id = n.tenant_id AND c.security
WHERE n.told_at IS NULL AND n.seen_at IS NULL AND n.times >= n.tell_from
ORDER BY n.tenant_id, n.notice_id, c.contact_id
LIMIT 100;

-- name: told role: ecm_worker
-- At least one of its addresses took it.
UPDATE notices SET told_at = $3::timestamptz WHERE tenant_id = $1::int AND notice_id = $2::bigint;
