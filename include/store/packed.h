/*
 * Compression of messages at rest.  What is the same for all recipients, and need not hold up other jobs of a user, is
 * compressed before the transaction.  Worker threads only.
 */
#ifndef STORE_PACKED_H
#define STORE_PACKED_H

#include "base/buffer.h"

#define STORE_CHUNK_OCTETS (32 * 1024)	/* new contents are cut into rows of this size, before compression */

enum store_compression { STORE_COMPRESSION_NONE, STORE_COMPRESSION_ZSTD };

/* A row of a body: where it lies in the packed octets; length 0: it is kept as it came. */
struct store_packed_row {
	uint8_t encoding;
	size_t at, length;
};

/*
 * A body up to so many octets is left to store_append(): a dictionary of the user's own file makes it shorter.  What is
 * longer says by itself what comes again in it.
 */
#define STORE_PACK_LEAST 4096

/* The rows of a body that has been looked at; zeroed: it has not. */
struct store_packed {
	struct store_packed_row *rows;
	size_t count;
	struct buffer octets;
};

/* Compress a body row by row.  Gives what store_packed_fini() frees; some 2 us for a KiB of text, 1 of base64. */
void store_pack(struct span body, struct store_packed *packed_out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void store_packed_fini(struct store_packed *packed);

#endif
