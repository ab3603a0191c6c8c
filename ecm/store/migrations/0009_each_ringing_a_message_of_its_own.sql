-- A delivery is used again when its alert comes back. Its messages carried the same id each time, and a receiver that
-- drops what it has seen before, as we ask it to, dropped an alarm. Counted from 0; the same for each try of a round.
ALTER TABLE deliveries ADD COLUMN round integer NOT NULL DEFAULT 0;
