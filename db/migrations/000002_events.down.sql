DROP TABLE slots;
DROP FUNCTION slots_keep_event_span();
DROP TABLE events;
