-- Only successes are kept for repeated requests. The constraint is NOT VALID because what
-- violates it is deleted right after: no scan of the table is needed.

ALTER TABLE idempotency_keys
    ADD CONSTRAINT idempotency_keys_success CHECK (status BETWEEN 200 AND 299) NOT VALID;

DELETE FROM idempotency_keys WHERE status NOT BETWEEN 200 AND 299;

-- In a rolling update the previous version still writes refusals. They are skipped, not
-- refused by the constraint: that would fail a whole batch of commands.
CREATE FUNCTION skip_refusal() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;

CREATE TRIGGER idempotency_keys_skip_refusals BEFORE INSERT ON idempotency_keys
    FOR EACH ROW WHEN (NEW.status NOT BETWEEN 200 AND 299) EXECUTE FUNCTION skip_refusal();
