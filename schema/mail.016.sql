-- What this user has seen in mailboxes of others: \Seen is each user's own there (imapd.conf(5), shared-seen).  The
-- messages themselves, and their other flags, lie in the owner's file.

-- Before: whether \Seen of those who share the mailbox is one flag for all.
ALTER TABLE mailbox ADD COLUMN is_seen_shared INTEGER;	-- 0: each has their own, 1: all have one, NULL: as configured

-- Rises when the file may lack what clients were told of the tables below.
ALTER TABLE account ADD COLUMN seen_doubt INTEGER NOT NULL DEFAULT 0;

-- One row per mailbox of another.
CREATE TABLE seen_mailbox (
    id           INTEGER PRIMARY KEY,
    owner        TEXT NOT NULL,         -- whose it is: mailbox_id of the directory
    mailbox_id   INTEGER NOT NULL,      -- mailbox.id in the owner's file
    uidvalidity  INTEGER NOT NULL,      -- of the UIDs in seen; with another one they mean nothing
    floor_modseq INTEGER NOT NULL,      -- to this user no message has changed before
    doubt        INTEGER NOT NULL,      -- account.seen_doubt that floor_modseq has taken care of
    UNIQUE (owner, mailbox_id)
);

-- Messages that lie together and have \Seen for this user, or have it no more.  Those that are in no range never had it.
CREATE TABLE seen (
    seen_mailbox_id INTEGER NOT NULL REFERENCES seen_mailbox(id),
    first_uid       INTEGER NOT NULL,
    last_uid        INTEGER NOT NULL,
    is_seen         INTEGER NOT NULL,
    modseq          INTEGER NOT NULL,   -- of the owner's mailbox, RFC 7162; 0: higher than any that was told
    PRIMARY KEY (seen_mailbox_id, first_uid)
) WITHOUT ROWID;
