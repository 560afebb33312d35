ALTER TABLE users
    DROP email_key,
    DROP keyed_email;
