/*
 * Compares an index with the messages it was made from, in slices: each block must be whole, and what stands in a
 * message must be found.  Of each piece of text 256 octets are looked for at its begin, at its end and each 4 KiB.
 * Worker, one at a time.
 */
#ifndef INDEX_CHECK_H
#define INDEX_CHECK_H

#include "message_text.h"
#include "store/index.h"

/* Zeroed at first but for where to go on. */
struct index_check {
	struct store_index_place place;	/* of blocks; its block_id is UINT64_MAX: all were looked at */
	uint64_t content_id;		/* the last message that was compared */
	uint64_t checked, faults;	/* messages that were compared; what was found */
	struct buffer findings;		/* a line of text for each; not all if there are many */
	bool is_ending;			/* set by the caller: what has been begun is done, and no more */
	/* Private. */
	struct message_text message;
	uint64_t current_id;		/* 0: none is being compared */
	bool is_faulty;
};

/*
 * Check until about then, or until nothing is begun if it is_ending; one step is always made.  *is_more_out false: all was
 * checked.
 */
enum store_status index_check_run(struct index_check *check, struct store *store, uint64_t until_us, bool *is_more_out);

/* Whether it is within a block or a message, which a check that goes on somewhere else must begin again. */
bool index_check_has_begun(const struct index_check *check);

void index_check_fini(struct index_check *check);

#endif
