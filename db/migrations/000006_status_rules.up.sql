-- Which statuses take seats, and which are live: defined once, for all queries.
-- PostgreSQL inlines both functions, so that they match the indexes and the constraint
-- of 000003, which list the statuses. (Generated columns would work too, but adding
-- them rewrites the table.)

CREATE FUNCTION takes_seats(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status IN ('held', 'offered', 'confirmed');

CREATE FUNCTION is_live(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status IN ('waitlisted', 'held', 'offered', 'confirmed');

-- The defaults of an event's settings are in package event, and the contract documents
-- them: every INSERT has all values.
ALTER TABLE events
    ALTER cancellation_closes_minutes DROP DEFAULT,
    ALTER waitlist_mode DROP DEFAULT,
    ALTER offer_minutes DROP DEFAULT,
    ALTER fit DROP DEFAULT,
    ALTER max_passes DROP DEFAULT,
    ALTER hold_minutes DROP DEFAULT;
