-- How far back expunges are remembered one by one (RFC 7162 section 5.3): a year, and 10,000 ranges in a mailbox.

-- Of what was expunged with modseqs up to here not all is in the table expunged any more.
ALTER TABLE mailbox ADD COLUMN forgotten_modseq INTEGER NOT NULL DEFAULT 0;

ALTER TABLE expunged ADD COLUMN expunged_at INTEGER NOT NULL DEFAULT 0;	-- seconds since 1970-01-01 UTC
UPDATE expunged SET expunged_at = CAST(strftime('%s', 'now') AS INTEGER);
