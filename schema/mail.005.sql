-- More keywords in a mailbox than message.flags has bits for.

-- As keyword was; bit goes on above 62, where it is a number that only sets have.
CREATE TABLE numbered (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),
    bit        INTEGER NOT NULL CHECK (bit BETWEEN 5 AND 4100),
    name       TEXT NOT NULL COLLATE NOCASE,    -- as first spelled
    PRIMARY KEY (mailbox_id, bit),
    UNIQUE (mailbox_id, name)
) WITHOUT ROWID;
INSERT INTO numbered (mailbox_id, bit, name) SELECT mailbox_id, bit, name FROM keyword;
DROP TABLE keyword;
ALTER TABLE numbered RENAME TO keyword;

-- The combinations of keywords that messages have, if one of them is above 62.  message.flags is then negative: bit
-- 63 is set, bits 0 to 4 are as ever, and bits 5 to 62 are the id of the set, which has all keywords of the message.
CREATE TABLE keyword_set (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),
    members    TEXT NOT NULL,       -- JSON array of keyword.bit, rising
    UNIQUE (mailbox_id, members)
);
