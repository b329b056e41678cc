-- Users who get another name, until all that knew the old one know the new one.

-- The row is there before anything changes.  As long as it is there, both names are this user's alone, so that what still
-- says the old one means nobody else.  It goes when every mailbox server has been told and every user's file was looked at.
CREATE TABLE rename (
    name TEXT NOT NULL PRIMARY KEY,	-- the old one
    new_name TEXT NOT NULL UNIQUE,
    rename_id TEXT NOT NULL,	-- random, the same on all hosts
    is_alias INTEGER NOT NULL CHECK (is_alias IN (0, 1)),	-- 1: the old name becomes an alias
    is_switched INTEGER NOT NULL DEFAULT 0 CHECK (is_switched IN (0, 1)),	-- 1: set together with user.name
    is_told INTEGER NOT NULL CHECK (is_told IN (0, 1)),	-- 0: by this host the mailbox servers are still to be told how it ended
    is_walked INTEGER NOT NULL CHECK (is_walked IN (0, 1))	-- 0: users' files of this host may say the old name
) WITHOUT ROWID;
