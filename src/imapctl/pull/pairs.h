/*
 * Which message here came from which at the source: pairs of UIDs, rising by the source's.  As text they are two sets
 * of the same size, as in COPYUID (RFC 9051 section 7.1): ranges make it short.  Pure.
 */
#ifndef IMAPCTL_PAIRS_H
#define IMAPCTL_PAIRS_H

#include "../import/uid_walk.h"
#include "base/buffer.h"

struct pair {
	uint32_t source, here;
};

struct pairs {
	struct pair *at;
	size_t count, capacity;
	size_t changed_from;	/* index of the first that was changed since the caller set this to count */
};

void pairs_free(struct pairs *pairs);

/* Forget all of them. */
void pairs_clear(struct pairs *pairs);

/* Put a pair in its place; another of the same source UID is replaced. */
void pairs_add(struct pairs *pairs, uint32_t source, uint32_t here);

/* NULL: there is none. */
const struct pair *pairs_find(const struct pairs *pairs, uint32_t source);

/* Take out all whose here is 0. */
void pairs_sweep(struct pairs *pairs);

/* Append "1:3,9 4:6,2" of count pairs from first on. */
void pairs_write(const struct pairs *pairs, size_t first, size_t count, struct buffer *out);

/* Add what such a text says.  False: it makes no sense, and some pairs may have been added. */
bool pairs_read(struct pairs *pairs, struct span text);

#endif
