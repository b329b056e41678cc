-- Changes of flags that many messages got at once, as they were made; they are put into the rows of message later.

-- A change holds for the messages in its range whose modseq is lower: they are (flags & keep_bits) | set_bits, with its modseq.
-- Ranges of a mailbox do not overlap.
CREATE TABLE flag_change (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),
    first_uid  INTEGER NOT NULL,
    last_uid   INTEGER NOT NULL CHECK (last_uid >= first_uid),
    modseq     INTEGER NOT NULL,
    keep_bits  INTEGER NOT NULL,
    set_bits   INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, first_uid)
) WITHOUT ROWID;

-- Messages as they are, with those changes.
CREATE VIEW message_now AS
SELECT m.mailbox_id, m.uid, m.content_id, m.size,
       CASE WHEN c.modseq > m.modseq THEN (m.flags & c.keep_bits) | c.set_bits ELSE m.flags END AS flags,
       CASE WHEN c.modseq > m.modseq THEN c.modseq ELSE m.modseq END AS modseq,
       m.internal_date, m.save_date
FROM message AS m LEFT JOIN flag_change AS c
ON c.mailbox_id = m.mailbox_id AND m.uid BETWEEN c.first_uid AND c.last_uid;
