-- Who else may do what with a mailbox: RFC 4314.  The owner may everything, and has no row.

CREATE TABLE acl (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE,
    identifier TEXT NOT NULL,	-- a user's name, "anyone", "authenticated", or "$" and a group's name; "-" before it takes rights away
    rights     INTEGER NOT NULL CHECK (rights > 0),	-- 1 l, 2 r, 4 s, 8 w, 16 i, 32 p, 64 k, 128 x, 256 t, 512 e, 1024 a
    PRIMARY KEY (mailbox_id, identifier)
) WITHOUT ROWID;
