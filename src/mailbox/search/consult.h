/*
 * Asking the index (store/index.h) for the keys of a SEARCH that look at contents: a content that is no candidate is
 * false for a key, and no message is opened for it.  What it says is noted among what is known already.
 */
#ifndef MAILBOX_SEARCH_CONSULT_H
#define MAILBOX_SEARCH_CONSULT_H

#include "recall.h"
#include "store/index.h"

/* Zeroed: nothing is asked. */
struct search_consult {
	bool is_wanted[SEARCH_SLOTS_MAX];
	size_t slot;			/* the one under way */
	size_t place;			/* of its candidates, so many are noted */
	struct store_index_cursor cursor;
	struct store_candidates found[SEARCH_SLOTS_MAX];
};

/*
 * Choose the keys for which asking is worth while in a view: not for a few messages, and what was asked before, again
 * when there is much that is new.  False: none.  Loop.
 */
bool search_consult_begin(struct search_consult *consult, const struct search_recall *recall, const struct view *view);

/* Ask, until about then; *is_whole_out false: to be called again.  Worker. */
enum store_status search_consult_ask(struct search_consult *consult, const struct search_program *program,
    struct store *store, uint64_t until_us, bool *is_whole_out);

/* Note a slice of what was found; false: there is more.  Loop. */
bool search_consult_note(struct search_consult *consult, struct search_recall *recall);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void search_consult_fini(struct search_consult *consult);

#endif
