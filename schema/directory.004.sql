-- Groups of users, and accounts that are nobody's.

-- 1: nobody logs in; users share its mailboxes.  Its column entry holds "shared=" and the name, so that no entry in
-- LDAP gets the row.
ALTER TABLE user ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0 CHECK (is_shared IN (0, 1));

-- Who is in which group; a group is there as long as somebody is in it.
CREATE TABLE member (
    mailbox_id TEXT NOT NULL,	-- of the user
    group_name TEXT NOT NULL,	-- prepared: ASCII letters in lower case
    PRIMARY KEY (mailbox_id, group_name)
) WITHOUT ROWID;
CREATE INDEX member_group ON member (group_name);
