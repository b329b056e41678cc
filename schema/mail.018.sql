-- To find out whether octets are still those that came in needs no cryptography.

-- UMAC-64 (RFC 4418) of the whole message, as a signed number; content.sha256 is then empty.  NULL: it came before there was one.
ALTER TABLE content ADD COLUMN checksum INTEGER;
