/*
 * What lies over the state of another's mailbox: the messages and all other flags are the owner's, but \Seen is the
 * viewer's, kept in the viewer's file (store/seen.h).  A message's modseq is the higher one of both, and both come from
 * the owner's mailbox: so FETCH, SEARCH, STATUS and views see a state like any other.  Loop thread, except where said.
 */
#ifndef OVERLAY_H
#define OVERLAY_H

#include "state.h"
#include "store/seen.h"

struct overlay {
	struct list link;		/* in account_overlays() of the viewer */
	struct state *state;
	struct account *viewer;		/* held */
	struct list changes;		/* struct seen_change; the first is under way */
};

struct overlay *overlay_new(struct state *state, struct account *viewer);

/* Accepts NULL, leaves NULL behind. */
void overlay_free(struct overlay **overlay);

/* NULL: \Seen is that of the file. */
static inline struct account *
overlay_viewer(const struct state *state)
{
	return state->overlay == NULL ? NULL : state->overlay->viewer;
}

/* The flags of a message in a state, when the file has these, and in the state it had those before. */
static inline uint64_t
overlay_flags(const struct state *state, uint64_t flags, uint64_t before)
{
	return state->overlay == NULL ? flags : (flags & ~STORE_FLAG_SEEN) | (before & STORE_FLAG_SEEN);
}

/* The mailbox as the viewer's file calls it; borrowed from the state. */
struct store_seen_mailbox overlay_mailbox(const struct state *state);

/*
 * Loading, from the viewer's file first, then from the owner's, in the transaction that gives the messages.
 */
struct overlay_load *overlay_load_new(const struct state *state);
void overlay_load_free(struct overlay_load **load);		/* accepts NULL, leaves NULL behind */

/* Worker threads. */
enum store_status overlay_load_viewers(struct overlay_load *load, struct store *store);
enum store_status overlay_load_owners(struct overlay_load *load, struct store *store);

/* Whether the second one writes: it needs a transaction then. */
bool overlay_load_takes_modseq(const struct overlay_load *load);

/* Lay it over the messages that a state has from the owner's file.  What is to be tidied up in the viewer's file is. */
void overlay_apply(struct state *state, struct overlay_load *load);

#endif
