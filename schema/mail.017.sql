-- Messages that have left their mailboxes and are kept for a while, to be brought back (imapd.conf(5), expunge-retention).

-- Each is a user of its content, as a row of message is.  Nothing of them counts for a quota.
CREATE TABLE retained (
    id            INTEGER PRIMARY KEY,  -- rises with time
    mailbox_id    INTEGER NOT NULL,     -- where it was: in mailbox, or in deleted_mailbox
    uid           INTEGER NOT NULL,     -- that it had there
    content_id    INTEGER NOT NULL,
    size          INTEGER NOT NULL,     -- as in content
    flags         INTEGER NOT NULL,     -- bits 0 to 4 of message.flags
    keywords      TEXT,                 -- names, with a space between two; NULL: none
    internal_date INTEGER NOT NULL,
    left_at       INTEGER NOT NULL,     -- seconds since 1970-01-01 UTC
    left_how      INTEGER NOT NULL,     -- 0 expunged, 1 with its mailbox, 2 moved to another user, 3 replaced, 4 set aside as damaged
    left_by       TEXT                  -- name of the user who did it; NULL: not known
);

-- Mailboxes that are gone, and of which messages are kept.
CREATE TABLE deleted_mailbox (
    id   INTEGER PRIMARY KEY,           -- as it was in mailbox
    name TEXT NOT NULL
);
