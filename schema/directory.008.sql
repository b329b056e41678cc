-- Other names of users and shared accounts.

-- "@example.org": all of the domain that is nobody's name.
CREATE TABLE alias (
    name TEXT NOT NULL PRIMARY KEY,	-- prepared, as a user's; no user has it
    mailbox_id TEXT NOT NULL	-- of whose name it is
) WITHOUT ROWID;
CREATE INDEX alias_mailbox ON alias (mailbox_id);
