-- Which of two users a version is the password of, where a rotation gives its new password to a second one.
ALTER TABLE secrets ADD COLUMN login smallint NOT NULL DEFAULT 1 CHECK (login IN (1, 2));
