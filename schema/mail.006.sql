-- What SORT and THREAD compare (RFC 5256, RFC 5957).  A content without a row came before these were kept, and gets
-- one when somebody sorts it.

-- One row per content, narrow, since 100,000 of them are read at once.  Texts are folded as i;unicode-casemap has it
-- and at most 1,024 octets long: sort them as they are.
CREATE TABLE ordering (
    content_id   INTEGER PRIMARY KEY,
    sent         INTEGER,           -- as in content
    is_reply     INTEGER NOT NULL,  -- 1: or forwarded, as the subject says
    subject      BLOB NOT NULL,     -- base subject (RFC 5256 section 2.1)
    from_mailbox BLOB NOT NULL,     -- of the first address in From
    to_mailbox   BLOB NOT NULL,     -- in To
    cc_mailbox   BLOB NOT NULL,     -- in Cc
    from_name    BLOB NOT NULL,     -- display name in From, or the address
    to_name      BLOB NOT NULL,     -- in To
    links        BLOB NOT NULL      -- 16 octets for the message, zero if it has no identifier, and for each it refers to
);
