"""What a request changed, row by row, and taking it back: so that thousands of requests find the same world.

A trigger on every table writes each row that was added, changed or taken into a table of our own, in the transaction
that did it: what was rolled back was never there. Taking back puts the rows in their former state, last first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecm.store.db import Connection

INSTALL = """
CREATE SCHEMA seen;
CREATE UNLOGGED TABLE seen.changes (
  n bigint GENERATED ALWAYS AS IDENTITY, relation text NOT NULL, before jsonb, after jsonb);

CREATE FUNCTION seen.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO seen.changes (relation, before, after)
  VALUES (TG_TABLE_NAME, CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
          CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END $$;

CREATE FUNCTION seen.take_back() RETURNS SETOF seen.changes LANGUAGE plpgsql SET search_path = public AS $$
DECLARE change seen.changes; columns text;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);  -- no trigger, no foreign key
  FOR change IN SELECT * FROM seen.changes ORDER BY n DESC LOOP
    IF change.after IS NOT NULL THEN
      EXECUTE format('DELETE FROM %1$I WHERE ctid = (SELECT t.ctid FROM %1$I t WHERE to_jsonb(t) = $1 LIMIT 1)',
                     change.relation) USING change.after;
    END IF;
    IF change.before IS NOT NULL THEN
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
      WHERE attrelid = change.relation::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
      EXECUTE format('INSERT INTO %1$I (%2$s) OVERRIDING SYSTEM VALUE
                      SELECT %2$s FROM jsonb_populate_record(NULL::%1$I, $1)',
                     change.relation, columns) USING change.before;
    END IF;
    RETURN NEXT change;
  END LOOP;
  DELETE FROM seen.changes;
END $$;

DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('CREATE TRIGGER zz_seen AFTER INSERT OR UPDATE OR DELETE ON %I
                    FOR EACH ROW EXECUTE FUNCTION seen.note()', t);
  END LOOP;
END $$;
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One row, before (None: it was added) and after (None: it was taken)."""

    table: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        return [row for row in (self.before, self.after) if row is not None]

    def __str__(self) -> str:
        what = "added to" if self.before is None else "taken from" if self.after is None else "changed in"
        return f"{what} {self.table}: {json.dumps(self.rows[-1], default=str)[:300]}"


async def taken_back(connection: Connection) -> list[Change]:
    """What was changed since it was last asked, first first; and it is as it was."""
    rows = await connection.fetch("SELECT relation, before, after FROM seen.take_back()")
    return [Change(*row) for row in reversed(rows)]
