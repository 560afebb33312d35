UPDATE bookings old
SET replaced_by = NULL
FROM bookings new
WHERE new.id = old.replaced_by AND new.moved_from = old.id;

ALTER TABLE slots DROP cancelled_at;

DROP FUNCTION is_final;
