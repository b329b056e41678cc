-- directory.db: who exists, what proves it, where the mail lives.

-- One row per user.
CREATE TABLE user (
    name TEXT NOT NULL PRIMARY KEY,	-- prepared: ASCII letters in lower case
    mailbox_id TEXT NOT NULL UNIQUE	-- names the data folder; random, so that a name is never a path
        CHECK (length(mailbox_id) = 32),
    credential TEXT NOT NULL,	-- RFC 5803 SCRAM keys, for SHA-256 and SHA-1, or a crypt(3) hash; empty: no login
    credential_version INTEGER NOT NULL,	-- never the same for two credentials of a name
    home TEXT NOT NULL DEFAULT '',	-- name of the mailbox server; empty: this host
    is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),	-- 0: gets mail, no login
    created INTEGER NOT NULL	-- seconds since 1970-01-01 UTC
) WITHOUT ROWID;

-- Mailbox ids of deleted users, whose folders may still be there: never given again.
CREATE TABLE retired_mailbox (
    mailbox_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,	-- whose it was
    deleted INTEGER NOT NULL	-- seconds since 1970-01-01 UTC
) WITHOUT ROWID;
