DROP FUNCTION given_back(uuid);

ALTER TABLE events DROP walk_ins;

ALTER TABLE bookings
    DROP cancellation_closes_minutes,
    DROP checked_in_by;

DROP INDEX ledger_by_time_change;

ALTER TABLE ledger
    DROP CONSTRAINT ledger_times_of_edits,
    DROP CONSTRAINT ledger_times,
    DROP old_starts_at,
    DROP old_ends_at,
    DROP new_starts_at,
    DROP new_ends_at;
