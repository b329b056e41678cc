/*
 * What FETCH has rendered out of contents, kept beside the state of a mailbox: contents never change, so who asks for
 * the same again gets the same text.  Clients list mailboxes again and again, and a row to look up and a header
 * block to expand for each message cost several times what the answer does.  It counts among what SORT and THREAD keep:
 * what was used longest ago goes first.
 *
 * Held for the time of a job.  Within the job all is the worker's, since an account's jobs come one after the other;
 * all else is the loop's.
 */
#ifndef MAILBOX_FETCH_KEPT_H
#define MAILBOX_FETCH_KEPT_H

#include "../shared/state.h"
#include "base/buffer.h"

struct fetch_kept;
struct fetch_kept_item;

#define FETCH_KEPT_ITEMS 16	/* of which texts are kept, for one mailbox */

/* What is kept beside a state, made when there is nothing; held.  Loop thread. */
struct fetch_kept *fetch_kept_hold(struct account *account, struct state *state);

/* The job has come home and has added so many octets.  Accepts NULL, leaves NULL behind.  Loop thread. */
void fetch_kept_release(struct fetch_kept **kept, size_t added);

/* Beside nothing: for a unit test. */
struct fetch_kept *fetch_kept_new(void);
void fetch_kept_free(struct fetch_kept *kept);

/* What is kept of an item of this name, from its first to its last octet in the reply; worker.  NULL: of too many already. */
struct fetch_kept_item *fetch_kept_item(struct fetch_kept *kept, struct span name);

/* The text of a content, borrowed as long as the item is; worker.  False: none is kept. */
bool fetch_kept_find(struct fetch_kept_item *item, uint64_t content_id, struct span *text_out);

/* A text that was not found has been rendered: copied, if it is short.  How many octets more that takes; worker. */
size_t fetch_kept_note(struct fetch_kept_item *item, uint64_t content_id, struct span text);

#endif
