-- Users who move from one mailbox server to another.

-- At the host that orders the move, and whose directory says where a user lives.  A row that is not switched means, once
-- nobody works on it any more, that the move did not happen; a switched one, that it did.  It goes when both servers know.
CREATE TABLE move (
    name TEXT NOT NULL PRIMARY KEY,	-- of the user
    move_id TEXT NOT NULL,	-- random, the same on all hosts
    source TEXT NOT NULL,	-- home before
    target TEXT NOT NULL,	-- home afterwards
    is_switched INTEGER NOT NULL DEFAULT 0 CHECK (is_switched IN (0, 1)),	-- 1: set together with user.home
    source_knows INTEGER NOT NULL DEFAULT 0 CHECK (source_knows IN (0, 1)),	-- 1: it was told how the move has ended
    target_knows INTEGER NOT NULL DEFAULT 0 CHECK (target_knows IN (0, 1))
) WITHOUT ROWID;

-- At the mailbox server that a user leaves: nothing is served from here.
CREATE TABLE departure (
    name TEXT NOT NULL PRIMARY KEY,
    move_id TEXT NOT NULL,
    target TEXT NOT NULL,	-- as the host that ordered the move calls it
    is_gone INTEGER NOT NULL DEFAULT 0 CHECK (is_gone IN (0, 1))	-- 0: whoever ordered the move has still to say how it ended
) WITHOUT ROWID;

-- At the mailbox server that a user comes to: nothing is served from here yet.
CREATE TABLE arrival (
    name TEXT NOT NULL PRIMARY KEY,
    move_id TEXT NOT NULL,
    mailbox_id TEXT NOT NULL UNIQUE CHECK (length(mailbox_id) = 32),	-- names the data folder that the copy goes to
    is_whole INTEGER NOT NULL DEFAULT 0 CHECK (is_whole IN (0, 1)),	-- 1: the copy is complete and on the disk
    facts TEXT NOT NULL DEFAULT ''	-- what the server before says of the user, when it is whole
) WITHOUT ROWID;
