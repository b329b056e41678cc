/*
 * FETCH lines that need the store: envelopes, structures, sections.  Rendered in pieces of bounded size; it
 * may stop anywhere, also within a literal, and goes on there with the next job.  RFC 9051 section 6.4.5,
 * RFC 3516.  Worker, one at a time; the loop prepares it and reads the outcome between jobs.
 */
#ifndef MAILBOX_FETCH_RENDER_H
#define MAILBOX_FETCH_RENDER_H

#include "bodies.h"
#include "fields.h"
#include "kept.h"
#include "line.h"
#include "octets.h"
#include "section.h"
#include "store/content.h"

struct fetch_render {
	const struct imap_fetch *program;
	struct fetch_style style;
	uint64_t mailbox_id;
	struct fetch_fields *fields;	/* one for each item */
	unsigned content_fields;	/* STORE_CONTENT_* that the items need */

	struct fetch_notes notes;	/* of the piece: what may be kept of it; the caller clears them */
	struct fetch_kept *kept;	/* or NULL; of the caller, for the time of a call */
	size_t kept_added;		/* to it, since the caller has set this to 0 */
	struct fetch_kept_item **kept_of;	/* one for each item; NULL: its texts are not kept */
	struct span *ready;		/* one for each item: what is kept of the line under way */

	struct fetch_entry *entries;	/* a batch of messages, owned */
	size_t entry_count, entry_capacity;

	/* Where it stands. */
	size_t next;			/* entry */
	size_t item;			/* of it */
	bool is_begun;			/* its line */
	size_t line_at;			/* where in the piece; SIZE_MAX: in an earlier one */
	bool is_cutting_off;		/* set by the caller: end the line behind the item under way, and begin no other */
	struct fetch_octets octets;
	bool is_measuring;		/* an item of BINARY, in octets.decoder, before its size can be told */
	bool has_nul;			/* in what is measured so far */
	struct fetch_content content;	/* of the entry whose line is begun */
	struct buffer text;		/* a cut header */

	bool has_unknown_cte;		/* NO [UNKNOWN-CTE], RFC 3516 section 4.3 */
	size_t gone;			/* so many messages could not be read any more */
};

/* The program is borrowed until fetch_render_fini(). */
void fetch_render_init(struct fetch_render *render, const struct imap_fetch *program, uint64_t mailbox_id);
void fetch_render_fini(struct fetch_render *render);

/* Begin the next batch: the entries are added behind. */
void fetch_render_restart(struct fetch_render *render);
void fetch_render_add(struct fetch_render *render, const struct fetch_entry *entry);

bool fetch_render_is_done(const struct fetch_render *render);

/* Nothing comes any more, and no line is left half. */
bool fetch_render_is_cut_off(const struct fetch_render *render);

/*
 * Another piece begins, in an empty buffer: what left before cannot be taken back, also when the store fails before
 * fetch_render() is called for it.
 */
void fetch_render_begin_piece(struct fetch_render *render);

/*
 * Append reply lines until out holds about limit octets, the batch is done, or time is up.  Anything but STORE_OK:
 * what was written may end within a line.
 *
 *	until_us	clock_monotonic_us() from which no other step, of one line's short items or one piece at most, is begun; one is in
 *			each call
 */
enum store_status fetch_render(struct fetch_render *render, struct store *store, size_t limit, uint64_t until_us,
    struct buffer *out);

/* After a failure: take the line that cannot be completed out of the piece.  False: some of it was in an earlier one. */
bool fetch_render_take_back(struct fetch_render *render, struct buffer *out);

#endif
