-- A ticket belongs to the session that asked for it and dies with it: a socket opened after signing out, or kept open
-- past it, would go on showing the board. Tickets live a minute, so those on their way are simply asked for again.
DELETE FROM socket_tickets;
ALTER TABLE socket_tickets
  ADD COLUMN session_sha256 bytea NOT NULL,
  ADD FOREIGN KEY (tenant_id, session_sha256) REFERENCES sessions (tenant_id, token_sha256) ON DELETE CASCADE;

DROP FUNCTION ecm_use_ticket(bytea, timestamptz);
CREATE FUNCTION ecm_use_ticket(sought bytea, at timestamptz)
  RETURNS TABLE (tenant_id integer, account_id bigint, email text, name text, role text, provider_ref text,
                 session_sha256 bytea)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
  AS $$ WITH used AS (DELETE FROM socket_tickets WHERE token_sha256 = sought RETURNING *)
        SELECT a.tenant_id, a.account_id, a.email, a.name, a.role, a.provider_ref, u.session_sha256
        FROM used u
        JOIN sessions s ON s.tenant_id = u.tenant_id AND s.token_sha256 = u.session_sha256
        JOIN accounts a ON a.tenant_id = u.tenant_id AND a.account_id = u.account_id
        WHERE u.expires_at > at AND s.expires_at > at AND a.disabled_at IS NULL $$;
REVOKE EXECUTE ON FUNCTION ecm_use_ticket FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ecm_use_ticket TO ecm_web;
