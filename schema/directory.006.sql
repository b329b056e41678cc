-- Who may find something with whom: derived from the rights in users' files, which decide.

-- Some mailbox of one user gives an identifier rights.  A row is there before the right is, and goes after the last one.
CREATE TABLE share (
    mailbox_id TEXT NOT NULL,	-- whose mailboxes
    identifier TEXT NOT NULL,	-- a user's name, "anyone", "authenticated", or "$" and a group's name
    PRIMARY KEY (mailbox_id, identifier)
) WITHOUT ROWID;
CREATE INDEX share_identifier ON share (identifier);
