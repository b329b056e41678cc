/*
 * Where in a message the octets of a section are, and their form without transfer encoding.  RFC 9051
 * section 6.4.5.1, RFC 3516.  Worker, one at a time.
 */
#ifndef MAILBOX_FETCH_SECTION_H
#define MAILBOX_FETCH_SECTION_H

#include "imap/fetch.h"
#include "mime/decode.h"
#include "store/content.h"

/* What the store has ready of one message. */
struct fetch_content {
	uint32_t size, header_length;	/* octets */
	struct buffer envelope, body, bodystructure, parts, preview, header;	/* empty unless asked for */
	bool has_preview;
};

#define FETCH_CONTENT_HEADER (1u << 16)	/* beside STORE_CONTENT_*: the header block */
#define FETCH_CONTENT_ROW    (1u << 17)	/* the lengths; implied by STORE_CONTENT_* */

/*
 * Read it; fields as for store_content_each() and FETCH_CONTENT_*.  Without FETCH_CONTENT_ROW the header
 * alone is enough to know that the message is there.  STORE_NOT_FOUND: it is gone.
 */
enum store_status fetch_content_load(struct fetch_content *content, struct store *store, uint64_t content_id,
    unsigned fields);
void fetch_content_fini(struct fetch_content *content);

struct fetch_range {
	uint64_t at, length;		/* octets of the message */
	enum mime_encoding encoding;	/* MIME_BINARY: as they are */
};

/*
 * Find what an item names; for HEADER.FIELDS the whole header.  The content must have its parts when the item
 * has a part number.  False: there is no such part.
 */
bool fetch_section_find(const struct fetch_content *content, const struct imap_fetch_item *item,
    struct fetch_range *range_out);

/* Reads a range without its transfer encoding, from front to back, in pieces.  A zeroed one is an empty one. */
struct fetch_decoder {
	struct fetch_range range;
	struct mime_decoder decoder;
	uint64_t raw_at;		/* that many octets of the range are decoded */
	uint64_t decoded_at;		/* where pending begins in what is decoded */
	struct buffer pending;
};

void fetch_decoder_init(struct fetch_decoder *decoder, const struct fetch_range *range);
void fetch_decoder_fini(struct fetch_decoder *decoder);

/*
 * Append decoded octets; never goes back.
 *
 *	at, length	in what is decoded; fewer are appended where it ends
 */
enum store_status fetch_decoder_read(struct fetch_decoder *decoder, struct store *store, uint64_t content_id,
    uint64_t at, size_t length, struct buffer *out);

/* Whether what stands before a place in what is decoded is still to be passed over. */
bool fetch_decoder_is_behind(const struct fetch_decoder *decoder, uint64_t at);

/* Decode the next piece, in the place of the one before: some 0.1 ms of work. */
enum store_status fetch_decoder_next(struct fetch_decoder *decoder, struct store *store, uint64_t content_id);

/* All is decoded: how much that was. */
bool fetch_decoder_is_at_end(const struct fetch_decoder *decoder);
uint64_t fetch_decoder_size(const struct fetch_decoder *decoder);

#endif
