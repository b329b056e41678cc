/*
 * The keys of SEARCH as an operator types them, for messages that are in no mailbox: sets of numbers and UIDs, and when a
 * message was saved, match nothing there.  RFC 9051 section 6.4.4.
 */
#ifndef MAILBOX_SEARCH_KEYS_H
#define MAILBOX_SEARCH_KEYS_H

#include "match.h"

struct search_keys;

/* Read keys, UTF-8.  NULL: they are none.  Loop thread. */
struct search_keys *search_keys_new(struct span text);

/* Accepts NULL, leaves NULL behind.  Loop thread, while no worker has them. */
void search_keys_free(struct search_keys **keys);

/*
 * Whether a message matches.  Worker, one at a time.
 *
 *	message		flags without keywords
 *	keywords	names with a space between two, or NULL
 *
 * STORE_NOT_FOUND: its content is gone.
 */
enum store_status search_keys_match(struct search_keys *keys, struct store *store, const struct store_message *message,
    const char *keywords, bool *is_match_out);

#endif
