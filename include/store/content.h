/*
 * The octets of messages and what was rendered from them on arrival.  Content never changes, may
 * belong to several messages, and stays readable after the last of them is expunged, until
 * store_purge().  Worker threads only; needs no transaction.
 */
#ifndef STORE_CONTENT_H
#define STORE_CONTENT_H

#include "base/digest.h"
#include "store/packed.h"
#include "store/store.h"

/* What store_content_each() is to look up beyond the numbers. */
enum store_content_fields {
	STORE_CONTENT_ENVELOPE	    = 1 << 0,
	STORE_CONTENT_BODY	    = 1 << 1,
	STORE_CONTENT_BODYSTRUCTURE = 1 << 2,
	STORE_CONTENT_PARTS	    = 1 << 3,
	STORE_CONTENT_MESSAGE_ID    = 1 << 4,
	STORE_CONTENT_PREVIEW	    = 1 << 5,
	STORE_CONTENT_DIGEST	    = 1 << 6,
};

/* What tells whether octets are still those that came in. */
struct store_digest {
	bool is_checksum;		/* else it came before there was one */
	uint64_t checksum;		/* base/checksum.h */
	uint8_t sha256[DIGEST_LENGTH];
};

struct store_content {
	uint64_t id;
	uint32_t size, header_length;	/* octets */
	struct span envelope, body, bodystructure, parts, message_id, preview;	/* empty unless asked for */
	bool has_preview;		/* asked for, and kept */
	struct store_digest digest;	/* if asked for */
	bool has_sent_date;
	int64_t sent_s;			/* as in struct store_arrival */
	int32_t sent_day;
};

/* Spans are borrowed until return.  False stops early.  Must not call the store. */
typedef bool store_content_visitor(const struct store_content *content, void *context);

/*
 * Visit contents one after the other, in the order of the list.
 *
 *	fields	 bits of enum store_content_fields; spans not asked for are not read
 *
 * STORE_NOT_FOUND: one of them is gone; those before it were visited.  STORE_OK also when stopped.
 */
enum store_status store_content_each(struct store *store, const uint64_t *content_ids, size_t count,
    unsigned fields, store_content_visitor *visitor, void *context);

/*
 * Append octets of a message to a buffer: byte for byte what came in.
 *
 *	offset, length	 cut to the message; the header block is the octets before header_length
 *	out		 as before on failure
 *
 * Reads only the chunks it needs.  The caller bounds length.  STORE_NOT_FOUND: no such content.
 */
enum store_status store_read_octets(struct store *store, uint64_t content_id, uint64_t offset,
    uint64_t length, struct buffer *out);

/*
 * The same for who reads on: what the last chunk has beyond least comes with it, up to most, so that it need not be expanded
 * again for what follows.
 */
enum store_status store_read_ahead(struct store *store, uint64_t content_id, uint64_t offset, uint64_t least,
    uint64_t most, struct buffer *out);

/*
 * Append the header block of a message: the octets before header_length, without looking up where they
 * end.  STORE_NOT_FOUND: no such content; out as before on failure.
 */
enum store_status store_read_header(struct store *store, uint64_t content_id, struct buffer *out);

#endif
