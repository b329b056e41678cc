/*
 * Octets of contents that FETCH has sent, kept for a minute beside the state of a mailbox: contents never change, and who
 * reads a message is often followed by another client of the same user, or asks for the next range of it.  They stay in the
 * block in which a worker has put them, and leave from there without a copy and without a job, as often as they are asked for.
 * What was used longest ago goes first, of all mailboxes together (account_body_cache()).  Loop thread, but for the notes and
 * for letting go of a block.
 */
#ifndef MAILBOX_FETCH_BODIES_H
#define MAILBOX_FETCH_BODIES_H

#include "../shared/state.h"
#include "base/buffer.h"
#include "store/content.h"

struct fetch_bodies;
struct fetch_block;

/* Octets of a content that lie in a piece of a reply, or behind it. */
struct fetch_extent {
	uint64_t content_id;
	uint32_t header_length;
	uint64_t at;			/* in the content */
	size_t place, length;		/* in the piece, or in what lies beyond */
	bool is_beyond;
	struct buffer parts;		/* the content's table of parts, owned; empty: not needed for it */
};

/* What a worker notes of a piece. */
struct fetch_notes {
	struct fetch_extent *extents;
	size_t count, capacity;
	struct buffer beyond;		/* octets that nobody has asked for yet */
};

/* Takes what the extent owns. */
void fetch_notes_add(struct fetch_notes *notes, const struct fetch_extent *extent);
void fetch_notes_clear(struct fetch_notes *notes);
void fetch_notes_fini(struct fetch_notes *notes);

/* A block of the piece, which takes its memory and what the notes own, and of what lies beyond; with one holder. */
struct fetch_block *fetch_block_new(struct buffer *piece, struct fetch_notes *notes);

/* What belongs to the reply. */
struct span fetch_block_reply(const struct fetch_block *block);

/* Let go of it.  As stream_write_shared() wants it: any thread. */
void fetch_block_release(const void *octets, size_t length, void *block);

/* Keep a block beside a state, among others of the cache; it stays with its holder, too. */
void fetch_bodies_keep(struct state_cache *cache, struct state *state, struct fetch_block *block);

/*
 * What is kept beside the state of a content with this id.
 *
 *	header_length_out	how long its header is
 *	parts_out		its table of parts, borrowed; empty: not known
 *
 * False: nothing.
 */
bool fetch_bodies_know(const struct state *state, uint64_t content_id, uint32_t *header_length_out, struct span *parts_out);

/* Whether all these octets of a content are there. */
bool fetch_bodies_cover(const struct state *state, uint64_t content_id, uint64_t at, uint64_t length);

/* The octets from there on that lie together, length at most, in a block that is held with them; none: not there. */
struct span fetch_bodies_take(struct state *state, uint64_t content_id, uint64_t at, uint64_t length,
    struct fetch_block **block_out);

#endif
