-- An outcome is written by processing alone, for an event it has just read under the same key; and evidence is never
-- deleted, for nobody is granted it. So the foreign key could not fail, and looking the event up again and locking
-- its row cost 15 to 20 µs of each check-in, a sixth of what processing asks of the database.
ALTER TABLE event_outcomes DROP CONSTRAINT event_outcomes_tenant_id_event_id_fkey;
