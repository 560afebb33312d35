DROP INDEX slots_held_up;
DROP TRIGGER slots_note_held_up ON slots;
DROP FUNCTION slots_note_held_up();
ALTER TABLE slots DROP is_held_up;

DROP FUNCTION is_busy(uuid, tstzrange, uuid);
DROP INDEX IF EXISTS slots_by_time;

DROP INDEX IF EXISTS events_by_period;
DROP FUNCTION period_of(timestamptz);
