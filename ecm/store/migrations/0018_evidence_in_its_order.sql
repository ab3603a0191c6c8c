-- Evidence is read in the order of its receipt: a page of it, the first of it, an hour of it. Block ranges found a day; a
-- page of everything read all there is and sorted it. The tenant stands second: led by the tenant it would look to whoever
-- plans without statistics as good as the primary key, and a batch would read a tenant's whole evidence to find one event.
CREATE INDEX check_events_in_order ON check_events (received_at, tenant_id);
DROP INDEX check_events_received;
