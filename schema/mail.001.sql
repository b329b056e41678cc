-- One user's mail: mailboxes, messages, and the octets of messages.  Times are seconds since
-- 1970-01-01 UTC, sizes are octets.  imapd-schema(7) has queries to start from.

-- Exactly one row.
CREATE TABLE account (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    next_uidvalidity INTEGER NOT NULL,  -- starts at the time of creation; rises with every mailbox made
    is_unclean       INTEGER NOT NULL   -- 1 while commits may exist that a power loss takes back
);

-- One row per mailbox.  The counters are kept with every change of its messages.
CREATE TABLE mailbox (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: MAILBOXID (RFC 8474)
    name           TEXT NOT NULL UNIQUE,    -- UTF-8 in NFC, levels separated by '/'
    special_use    TEXT,                    -- RFC 6154: such as '\Sent', or NULL
    uidvalidity    INTEGER NOT NULL UNIQUE, -- RFC 9051 section 2.3.1.1; never given twice
    uidnext        INTEGER NOT NULL CHECK (uidnext BETWEEN 1 AND 4294967296),
    recent_uid     INTEGER NOT NULL,        -- UIDs from here on no read-write session has seen: \Recent
    highest_modseq INTEGER NOT NULL,        -- RFC 7162: HIGHESTMODSEQ
    messages       INTEGER NOT NULL,        -- how many rows in message
    unseen         INTEGER NOT NULL,        -- how many of them without \Seen
    deleted        INTEGER NOT NULL,        -- how many of them with \Deleted
    size           INTEGER NOT NULL         -- sum of their sizes
);

-- Subscribed names (RFC 9051 section 6.3.7); independent of the mailboxes that exist.
CREATE TABLE subscription (
    name TEXT PRIMARY KEY NOT NULL
) WITHOUT ROWID;

-- The keywords of a mailbox: which bit of message.flags stands for which.
CREATE TABLE keyword (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),
    bit        INTEGER NOT NULL CHECK (bit BETWEEN 5 AND 62),
    name       TEXT NOT NULL COLLATE NOCASE,    -- as first spelled
    PRIMARY KEY (mailbox_id, bit)
) WITHOUT ROWID;

-- One row per message in one mailbox.  Narrow, since flag changes rewrite it; no index on modseq, which
-- would triple their price.
CREATE TABLE message (
    mailbox_id    INTEGER NOT NULL REFERENCES mailbox(id),
    uid           INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    content_id    INTEGER NOT NULL,     -- in content
    size          INTEGER NOT NULL,     -- as in content
    flags         INTEGER NOT NULL,     -- bits: 0 \Answered 1 \Flagged 2 \Deleted 3 \Seen 4 \Draft, 5-62 keywords
    modseq        INTEGER NOT NULL,     -- RFC 7162: rises with every change
    internal_date INTEGER NOT NULL,     -- RFC 9051 section 2.3.3
    save_date     INTEGER NOT NULL,     -- RFC 8514: when it came into this mailbox
    PRIMARY KEY (mailbox_id, uid)
) WITHOUT ROWID;

-- UIDs that went, kept for QRESYNC (RFC 7162 section 3.2.5): no message is left between first and last.
CREATE TABLE expunged (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),
    modseq     INTEGER NOT NULL,
    first_uid  INTEGER NOT NULL,
    last_uid   INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, modseq, first_uid)
) WITHOUT ROWID;

-- What one or more messages hold.  Never changes; the texts are ready-made answers to FETCH.
CREATE TABLE content (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: EMAILID (RFC 8474)
    size          INTEGER NOT NULL,     -- octets of the whole message
    header_length INTEGER NOT NULL,     -- octets through the empty line
    sha256        BLOB NOT NULL,        -- of the whole message
    sent          INTEGER,              -- the Date field, or NULL
    sent_day      INTEGER,              -- its day as written, zone ignored, days since 1970-01-01
    message_id    BLOB,                 -- the Message-ID field with its angle brackets, or NULL
    envelope      BLOB NOT NULL,        -- FETCH ENVELOPE
    bodystructure BLOB NOT NULL,        -- FETCH BODYSTRUCTURE
    body          BLOB NOT NULL,        -- FETCH BODY
    parts         BLOB NOT NULL         -- where each MIME part begins and ends (src/mime)
);

-- Contents that more than one message row has, and how many more.
CREATE TABLE shared (
    content_id INTEGER PRIMARY KEY,
    extra      INTEGER NOT NULL CHECK (extra > 0)
);

-- Contents that no message row has any more; their space is freed later, in bounded steps.
CREATE TABLE garbage (
    content_id INTEGER PRIMARY KEY
);

-- The octets of a content: first the header block, then the body, each cut into rows of content.chunk_octets.
-- The body therefore begins with a row of its own: row 0 is all of the header block unless that is larger.
CREATE TABLE chunk (
    id       INTEGER PRIMARY KEY,       -- content_id << 20 | position, from 0
    encoding INTEGER NOT NULL,          -- 0: as they are; 1: a zstd frame; 2: one made with the dictionary of that number
    octets   BLOB NOT NULL
);
