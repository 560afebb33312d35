ALTER TABLE events
    ALTER cancellation_closes_minutes SET DEFAULT 0,
    ALTER waitlist_mode SET DEFAULT 'automatic',
    ALTER offer_minutes SET DEFAULT 60,
    ALTER fit SET DEFAULT 'strict',
    ALTER max_passes SET DEFAULT 3,
    ALTER hold_minutes SET DEFAULT 10;

DROP FUNCTION takes_seats(text);
DROP FUNCTION is_live(text);
