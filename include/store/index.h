/*
 * An index that says which contents may have a key in their texts: a content that is no candidate has not.  It is
 * made from the messages by who can decode them, after they have come, and always behind: contents that are not in it
 * yet are all candidates.  DESIGN section 8; imapd-schema(7) has the tables.
 *
 * This room knows texts as sets of buckets (mime/signature.h), and never looks into a message.  Worker threads.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/store.h"

#define STORE_INDEX_BUCKETS	(1 << 14)
#define STORE_INDEX_SLOT_OCTETS (STORE_INDEX_BUCKETS / 8)

/* Texts; may be joined to ask for contents that have a key in either. */
enum store_index_text {
	STORE_INDEX_HEADER = 1 << 0,
	STORE_INDEX_BODY   = 1 << 1,
};
#define STORE_INDEX_TEXTS 2

/*
 * Finding.
 */

/* To be zeroed but for the version before the first call. */
struct store_index_cursor {
	uint64_t version;		/* in: with which the index must have been made; with another one it is not used */
	/* Private. */
	bool is_begun;
	uint64_t generation, block_id;
};

/* Zeroed before the first call; store_candidates_fini() frees. */
struct store_candidates {
	uint64_t *ids;			/* of contents; rising, each once, as soon as is_whole_out was true */
	size_t count, capacity;
	uint64_t indexed_through;	/* contents with ids above it are candidates, too, and not among the ids */
};

void store_candidates_fini(struct store_candidates *candidates);

/*
 * Find the contents whose texts may have a key.
 *
 *	texts		 bits of enum store_index_text
 *	buckets, count	 of the key, rising; none: everything is a candidate
 *	until_us	 about when to stop, by clock_monotonic_us(); one step is always made
 *	is_whole_out	 false: call again with the same cursor and out, whatever happens to the store in between
 *
 * Contents that are gone may be among the ids.
 */
enum store_status store_index_find(struct store *store, unsigned texts, const uint16_t *buckets, size_t count,
    uint64_t until_us, struct store_index_cursor *cursor, struct store_candidates *out, bool *is_whole_out);

/*
 * Making.  In each transaction: store_indexing_begin(), then for each content that store_indexing_next() gives, its
 * text into the open slots, then store_indexing_done(); at the end store_indexing_end().  The text of a content may be
 * added in several transactions: it counts as indexed from store_indexing_done() on.
 */

/* Some text that belongs together: 16,384 bits and the contents that have set them. */
struct store_index_slot {
	uint8_t bits[STORE_INDEX_SLOT_OCTETS];	/* the caller sets them, and says by octets how much text that was */
	uint32_t octets;
	/* Private. */
	uint64_t block_id;		/* 0: it is not in the file */
	uint64_t *ids;
	size_t count, capacity;
	bool is_changed;
};

struct store_indexing {
	uint64_t opening, generation;	/* when one has changed, text that was added of a content that is not done is lost */
	uint64_t indexed_through;
	struct store_index_slot open[STORE_INDEX_TEXTS];	/* [0] headers, [1] bodies */
	/* Private. */
	bool is_changed;
};

/*
 * Begin, within a transaction.
 *
 *	version		 positive; an index that was made with another one is dropped
 *	indexing_out	 store_indexing_fini() frees, also on failure
 */
enum store_status store_indexing_begin(struct store *store, uint64_t version, struct store_indexing *indexing_out);

/* Give the next content to index; STORE_NOT_FOUND: all are. */
enum store_status store_indexing_next(struct store *store, struct store_indexing *indexing, uint64_t *content_id_out);

/* Say that a content has set bits of an open slot, or will have, before store_indexing_end(). */
void store_indexing_note(struct store_indexing *indexing, unsigned place, uint64_t content_id);

/* An open slot is full: it is written, and an empty one takes its place. */
enum store_status store_indexing_close(struct store *store, struct store_indexing *indexing, unsigned place);

/* All of a content's text is in slots. */
enum store_status store_indexing_done(struct store *store, struct store_indexing *indexing, uint64_t content_id);

/* Write what is open. */
enum store_status store_indexing_end(struct store *store, struct store_indexing *indexing);
void store_indexing_fini(struct store_indexing *indexing);

/*
 * One step of what there is to do in the index itself, within a transaction, some milliseconds at most: blocks are put
 * together, what is no longer used is deleted, and contents of a block of which most are gone are indexed again.
 */
enum store_status store_index_tend(struct store *store, bool *is_more_out);

/* Drop the index, within a transaction: nothing is indexed then, and store_index_tend() deletes what there was. */
enum store_status store_index_drop(struct store *store);

/* Whether the disk has room for more than messages: those come first. */
bool store_index_has_room(struct store *store);

/* About how many contents are not in the index, and whether there is other work.  Costs nothing. */
uint64_t store_index_backlog(const struct store *store);

/*
 * Looking at it.
 */

struct store_index_figures {
	uint64_t version;		/* 0: there is no index */
	uint64_t contents, indexed;	/* in the file; in the index, about */
	uint64_t text_octets, index_octets;	/* of text in the index, and of its tables, without what SQLite adds */
	uint64_t blocks, slots;
};

enum store_status store_index_measure(struct store *store, struct store_index_figures *figures_out);

/* Give the first content after this one of which all text must be in the index; STORE_NOT_FOUND: there is none. */
enum store_status store_index_next_content(struct store *store, uint64_t after_id, uint64_t *content_id_out);

/* Whether a slot that has this content has all of these buckets. */
enum store_status store_index_holds(struct store *store, enum store_index_text text, uint64_t content_id,
    const uint16_t *buckets, size_t count, bool *holds_out);

/* Where somebody is who looks at all blocks; zeroed at first. */
struct store_index_place {
	uint64_t block_id;		/* the last that was looked at */
	uint64_t begun_id;		/* the one behind it, as far as it was begun; else 0 */
	/* Private. */
	unsigned bucket;
	uint64_t rows;
};

/*
 * Look at the next block, or the next part of one, some milliseconds at most, for damage of the index in itself;
 * STORE_NOT_FOUND: there is none left.
 *
 *	findings_out	appended: one line of text for each
 */
enum store_status store_index_verify(struct store *store, struct store_index_place *place, struct buffer *findings_out);

#endif
