-- E-mail addresses are compared by a key that the service computes (internal/text):
-- lower(email) depends on the database's locale, and knows neither composed and
-- decomposed characters nor punycode. Go fills the key of earlier users, in pages,
-- after the migration and at each start.
--
-- The previous version sets and changes email without its key. So a key counts only
-- while keyed_email, the address that it was made of, is still the address. A trigger
-- could not compute it. The next release may drop keyed_email and users_one_email.
ALTER TABLE users
    ADD email_key text,
    ADD keyed_email text;

-- One user per mailbox.
CREATE UNIQUE INDEX IF NOT EXISTS users_one_email_key ON users (email_key) WHERE keyed_email = email;

-- The users whose key is still to be computed, or belongs to an older user.
CREATE INDEX IF NOT EXISTS users_without_email_key ON users (id)
    WHERE deleted_at IS NULL AND keyed_email IS DISTINCT FROM email;
