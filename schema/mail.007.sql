-- What SEARCH looks through (RFC 9051 section 6.4.4).  A content without a row came before these were kept, and gets one
-- when it is indexed; or its texts are longer than 65,536 octets.  A search makes what is missing from the header.

-- One row per content, narrow, since 100,000 of them are read at once.  Texts are decoded, in UTF-8, folded as
-- i;unicode-casemap has it, and whole; NULL where the message has no such field.
CREATE TABLE searchable (
    content_id INTEGER PRIMARY KEY,
    sent_day   INTEGER,     -- as in content
    subject    BLOB,        -- of the first Subject
    from_list  BLOB,        -- addresses in From: 'NAME <MAILBOX@HOST>, GROUP: <MAILBOX@HOST>;', without comments
    to_list    BLOB,        -- in To
    cc_list    BLOB,        -- in Cc
    bcc_list   BLOB,        -- in Bcc
    message_id BLOB,        -- Message-ID as it is written; between several of them octet 255
    version    INTEGER NOT NULL     -- of what decoded and folded them: texts of another version are made from the header
);
