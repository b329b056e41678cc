-- Dictionaries that are made of the user's own mail, and texts that are compressed with them.

-- From encoding 16 on: zstd dictionaries (RFC 8878 section 5) for this file; new rows are made with the last one.
ALTER TABLE dictionary ADD COLUMN sha256 BLOB;      -- of octets
ALTER TABLE dictionary ADD COLUMN messages INTEGER; -- how many there were when it was made, or last found to be as good as new
ALTER TABLE dictionary ADD COLUMN through INTEGER;  -- the highest content at that time

-- encoding: NULL: the texts are in their columns, as they are.  Or it is as in chunk, these columns are empty, and texts
-- has all of them in the order given here: first for each its length + 1, 0 for NULL, in groups of seven bits, the lowest
-- first, all but the last with bit 7 set; then the texts.

-- body, bodystructure, parts, message_id, preview; the envelope is in its own column, packed in the same way.
ALTER TABLE content ADD COLUMN encoding INTEGER;
ALTER TABLE content ADD COLUMN texts BLOB;

-- subject, from_list, to_list, cc_list, bcc_list, message_id
ALTER TABLE searchable ADD COLUMN encoding INTEGER;
ALTER TABLE searchable ADD COLUMN texts BLOB;
