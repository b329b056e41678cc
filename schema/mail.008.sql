-- The index of SEARCH: which contents may have a key in their texts (imapd-schema(7), THE INDEX OF SEARCH).  All of it
-- can be made again from the messages, and is when how it is made has changed.

-- At most one row; none before anything was indexed.
CREATE TABLE index_state (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    version         INTEGER NOT NULL,   -- of decoding, folding and buckets: with another one the index is made anew
    generation      INTEGER NOT NULL,   -- rises when contents leave blocks
    indexed_through INTEGER NOT NULL    -- contents with ids up to this are in the index, or in index_again
);

-- A slot is the set of the trigrams of some 8 KiB of text of one or more contents: 16,384 bits, the buckets.  A block is
-- 1, 64 or 2,048 slots: 64 blocks become one, and 32 of these again one.
CREATE TABLE index_block (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,    -- never given twice; slots that came later have no lower id
    kind     INTEGER NOT NULL,  -- of text: 1 headers, 2 bodies
    width    INTEGER NOT NULL CHECK (width IN (1, 64, 2048)),   -- slots
    state    INTEGER NOT NULL,  -- 0: its slot takes more text, 1: in use, 2: being put together, 3: being deleted
    into_id  INTEGER,           -- the block that is being put together from it and others
    octets   INTEGER NOT NULL,  -- of text
    first_id INTEGER NOT NULL,  -- lowest content
    last_id  INTEGER NOT NULL,  -- highest content
    contents INTEGER NOT NULL,  -- how many are in its slots
    gone     INTEGER NOT NULL   -- how many of them were purged, about
);

-- The contents in the slots of a block.
CREATE TABLE index_slots (
    block_id INTEGER PRIMARY KEY,
    contents BLOB NOT NULL      -- src/store/index_list.h
);

-- The bits of a block: rows of 256 octets, each with the bits of all slots of a bucket, then of the next bucket.
CREATE TABLE index_row (
    id     INTEGER PRIMARY KEY, -- block << 14 | first bucket in it
    octets BLOB NOT NULL        -- of a bucket: slot % 8 of octet slot / 8
);

-- Contents that are to be indexed once more: the block they were in had few others left, and was deleted.
CREATE TABLE index_again (
    content_id INTEGER PRIMARY KEY
);
