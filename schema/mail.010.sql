-- Rows of chunk of another size, and compressed ones.

-- Before: the size of a row of chunk that is full, without compression.
ALTER TABLE content ADD COLUMN chunk_octets INTEGER NOT NULL DEFAULT 262144;

-- What rows of chunk with such an encoding were compressed with, for programs that read the file without imapd.
CREATE TABLE dictionary (
    encoding INTEGER PRIMARY KEY,       -- as in chunk
    octets   BLOB NOT NULL
);
