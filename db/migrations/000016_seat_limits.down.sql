DROP INDEX events_drafts;
DROP INDEX ledger_holds;
ALTER TABLE events
    DROP COLUMN max_seats_per_booking,
    DROP COLUMN max_seats_per_user,
    DROP COLUMN seats_limited_at;
