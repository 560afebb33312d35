DROP TABLE login_secret;
DROP TABLE login_delays;
ALTER TABLE tokens DROP parent_id;
