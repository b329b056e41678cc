-- Rows of chunk may have the encodings 3 and 4, base64 as the bits of it and a frame of that (imapd-schema(7)); rows of
-- index_row whose length is not 256 are zstd frames (RFC 8878).  No table is another; who does not know this must not read
-- the file.
UPDATE account SET is_unclean = is_unclean;
