-- Who may log in as somebody else.

-- 1: as any user who has none of it.
ALTER TABLE user ADD COLUMN is_master INTEGER NOT NULL DEFAULT 0 CHECK (is_master IN (0, 1));

-- Who may log in as one user or shared account.
CREATE TABLE delegate (
    mailbox_id TEXT NOT NULL,	-- whose mail it is
    delegate_id TEXT NOT NULL,	-- mailbox_id of who may
    PRIMARY KEY (mailbox_id, delegate_id)
) WITHOUT ROWID;
CREATE INDEX delegate_delegate ON delegate (delegate_id);
