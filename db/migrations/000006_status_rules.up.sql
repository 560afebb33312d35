-- Which statuses take seats, and which are not final: said once, for all queries.
-- PostgreSQL inlines both, so that they match the indexes and the constraint of
-- 000003, which spell the lists out. (Generated columns would do, too,
-- but they rewrite the table.)

CREATE FUNCTION takes_seats(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status IN ('held', 'offered', 'confirmed');

CREATE FUNCTION is_live(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status IN ('waitlisted', 'held', 'offered', 'confirmed');

-- An event's settings have their defaults in the code that makes events (package
-- event), and in the contract that documents them: every INSERT says them all.
ALTER TABLE events
    ALTER cancellation_closes_minutes DROP DEFAULT,
    ALTER waitlist_mode DROP DEFAULT,
    ALTER offer_minutes DROP DEFAULT,
    ALTER fit DROP DEFAULT,
    ALTER max_passes DROP DEFAULT,
    ALTER hold_minutes DROP DEFAULT;
