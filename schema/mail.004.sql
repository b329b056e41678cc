-- How far a file has come, in numbers that rise: what is told of it outside (src/store/README, "An older
-- file").  A deleted mailbox leaves its number to the account.

ALTER TABLE mailbox ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;	-- the account's when its messages changed last
ALTER TABLE account ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;	-- rises with each UID and modseq given
