-- A visit is written together with its place on its tenant's board, so a tenant without a row in board_heads could not
-- have a visit assessed at all. Whoever adds a tenant may add the row too; when they commit, it is there.

INSERT INTO board_heads (tenant_id) SELECT tenant_id FROM tenants ON CONFLICT DO NOTHING;

CREATE FUNCTION ecm_add_board() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public
  AS $$
  BEGIN
    INSERT INTO board_heads (tenant_id) VALUES (NEW.tenant_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$;
REVOKE EXECUTE ON FUNCTION ecm_add_board FROM PUBLIC;

CREATE CONSTRAINT TRIGGER with_its_board AFTER INSERT ON tenants DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ecm_add_board();
