-- Annotations (RFC 5464): what clients keep beside a mailbox, or on the server.

CREATE TABLE metadata (
    owner      TEXT NOT NULL,                   -- empty: this user; else whose mailbox it is, by its mailbox id in directory.db
    mailbox_id INTEGER NOT NULL,                -- in the owner's file; 0: the server
    entry      TEXT NOT NULL COLLATE NOCASE,    -- begins with /private or /shared; as first spelled
    value      BLOB NOT NULL,
    PRIMARY KEY (owner, mailbox_id, entry)
) WITHOUT ROWID;
