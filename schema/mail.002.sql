-- The first words of a message (RFC 8970).  NULL: it came before they were kept, and they are made when asked for.

ALTER TABLE content ADD COLUMN preview BLOB;	-- UTF-8; empty: the message has no text
