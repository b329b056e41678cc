-- Renames that have ended on this host.

-- Whoever ordered one may say it again, not knowing that it was done: then nothing changes.
CREATE TABLE renamed (
    rename_id TEXT NOT NULL PRIMARY KEY,	-- as in table rename
    name TEXT NOT NULL,	-- the old one
    new_name TEXT NOT NULL,
    is_alias INTEGER NOT NULL CHECK (is_alias IN (0, 1)),
    ended INTEGER NOT NULL	-- seconds since 1970-01-01 UTC
) WITHOUT ROWID;
CREATE INDEX renamed_name ON renamed (name);
