DROP INDEX IF EXISTS events_by_period;
DROP FUNCTION period_of(timestamptz);
