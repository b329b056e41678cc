-- When a user was changed last: made, another credential, home or permission to log in.

ALTER TABLE user ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;	-- seconds since 1970-01-01 UTC
UPDATE user SET changed = created;
