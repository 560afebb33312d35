-- In a file of its own, because each is one transaction: this lets others write.
ALTER TABLE events
    VALIDATE CONSTRAINT events_max_seats_per_booking,
    VALIDATE CONSTRAINT events_max_seats_per_user;
