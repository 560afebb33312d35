DROP TRIGGER idempotency_keys_skip_refusals ON idempotency_keys;
DROP FUNCTION skip_refusal();
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_success;
