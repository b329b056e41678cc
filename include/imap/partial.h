/*
 * Ranges of results: "1:500" counts from the first on, "-1:-100" from the last back.  RFC 9394 section 4,
 * "partial-range".  Pure.
 */
#ifndef IMAP_PARTIAL_H
#define IMAP_PARTIAL_H

#include "base/buffer.h"

struct imap_partial {
	uint32_t first, last;	/* at least 1, in any order */
	bool is_from_end;
};

/* How many results it asks for. */
uint64_t imap_partial_size(const struct imap_partial *partial);

/* Find the places, from 1 on, that it has among count results; 1 and 0 when it has none. */
void imap_partial_places(const struct imap_partial *partial, uint32_t count, uint32_t *first_out, uint32_t *last_out);

bool imap_partial_contains(const struct imap_partial *partial, uint32_t count, uint32_t place);

/* Append it as the client wrote it. */
void imap_partial_write(struct buffer *out, const struct imap_partial *partial);

#endif
