/*
 * What of an item of FETCH does not go out at once: octets of any number, sent in pieces of bounded size.  A piece may end
 * anywhere in them.  RFC 9051 sections 4.3 and 6.4.5, RFC 3516.  Worker, one at a time.
 */
#ifndef MAILBOX_FETCH_OCTETS_H
#define MAILBOX_FETCH_OCTETS_H

#include "base/buffer.h"
#include "section.h"

struct fetch_render;

/* Octets that belong into the reply and are still to be written. */
struct fetch_octets {
	enum { FETCH_NOTHING, FETCH_CONTENT, FETCH_TEXT, FETCH_DECODED } from;
	uint64_t at;			/* in the message, in text, or in what is decoded */
	uint64_t left;
	uint64_t behind;		/* FETCH_CONTENT: so many octets follow that were not asked for, and may be next */
	bool reads_on;			/* they are, as it seems */
	bool is_noted;
	bool is_literal8;		/* NUL is sent as it is */
	struct fetch_decoder decoder;	/* FETCH_DECODED */
};

/* Write the size, and leave the octets to fetch_octets_write().  Also where there are none: clients look for a literal. */
void fetch_octets_begin(struct fetch_render *render, const struct fetch_octets *octets, struct buffer *out);

/* What is short goes at once, as a whole: a literal without NUL. */
void fetch_octets_write_short(struct span text, struct buffer *out);

/*
 * Measure the next piece of the BINARY or BINARY.SIZE under way: its size is told before the octets, and whether they hold
 * NUL.  When all is measured the size is written, and for BINARY the octets are left to fetch_octets_write().
 */
enum store_status fetch_octets_measure(struct fetch_render *render, struct store *store, struct buffer *out);

/*
 * Go on with the octets of an item: length of them, and what is at hand with these.  STORE_CORRUPT: the store has other
 * octets than the client was told.
 */
enum store_status fetch_octets_write(struct fetch_render *render, struct store *store, size_t length, struct buffer *out);

#endif
