/*
 * Messages from their octets in a spool to their rows in a store: what APPEND and LMTP share.  First
 * incoming_render() on a compute worker, or in the job that stores a small one, then incoming_store() in a durable job, once for each mailbox.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include "imap/arrival.h"
#include "loop/spool.h"
#include "store/message.h"

/* One message in the spool, and how it is to be kept. */
struct incoming_message {
	uint64_t offset, size_octets;
	uint64_t flags;			/* system flags */
	bool is_marked;			/* \Seen, that is kept in the viewer's file */
	struct span *keywords;
	size_t keyword_count;
	int64_t internal_date_s;
	struct span octets;		/* in the spool, or in the copy */
	struct buffer copy;		/* of a delivered message that is not kept as it came */
	struct imap_arrival rendered;
	struct store_packed packed;	/* the body, if it is compressed before it is stored */
	uint64_t checksum;		/* not of a delivered one: each recipient's is another */
};

struct incoming {
	struct arena *arena;
	struct spool *spool;		/* finished */
	struct incoming_message *messages;
	size_t count;
	bool claims_recent;		/* who brings them is told of them first: struct store_arrival */
	bool is_delivered;		/* trace fields will stand before each: lmtp/trace.h */
	enum store_compression compression;
	bool is_rendered;		/* false: the spool could not be read */
};

/* So much is rendered in a millisecond: not worth the way to another worker, when nobody waits for that. */
#define INCOMING_SMALL_OCTETS (256 * 1024)

/* Parse, render and compress all messages: some 1 ms for 100 KB.  Any worker. */
void incoming_render(struct incoming *incoming);

/*
 * Add all messages to a mailbox, within a transaction.
 *
 *	trace		header fields that stand before each message; empty for those that are not delivered
 *	results_out	count of them
 *	arena		of the job: holds the news
 *	known_keywords, news_out	as for store_keyword_news(); nothing is news unless some message has a keyword
 *
 * Storage worker.  Several stores may be filled from one incoming at the same time.
 */
enum store_status incoming_store(const struct incoming *incoming, struct span trace, struct store *store,
    uint64_t mailbox_id, struct store_message *results_out, struct arena *arena, size_t known_keywords,
    struct store_keywords *news_out);

/* Free what was rendered. */
void incoming_fini(struct incoming *incoming);

/* Where \Seen is each user's own, no message brings it: it is noted down for marking_begin(). */
void incoming_take_seen(struct incoming_message *message);

/* Whether some message has a keyword. */
bool incoming_has_keywords(const struct incoming *incoming);

#endif
