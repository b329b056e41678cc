/*
 * Reading what is kept of many messages in one go: a page of the file has that of twenty.  Worker.
 */
#ifndef MAILBOX_SEARCH_PREFETCH_H
#define MAILBOX_SEARCH_PREFETCH_H

#include "program.h"
#include "store/store.h"

/*
 * Find the sent days and decide the keys that look for a text in what is kept, where that is not known.
 *
 *	messages   with room for truths; those of which nothing is kept stay as they are
 *	until_us   clock_monotonic_us() at which to stop
 *	done	   how many are done, 0 at first; count at the end, and never less than before
 */
enum store_status search_prefetch(const struct search_program *program, struct store *store,
    struct search_message *messages, size_t count, uint64_t until_us, size_t *done);

#endif
