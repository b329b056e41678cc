/*
 * Mending a user's file: what can be made anew is, and what cannot is set aside, never deleted.  Worker threads; each
 * function within a transaction, STORE_DURABLE, but for those that say otherwise.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "store/message.h"

/*
 * Make counters, numbers and what is kept of who uses which content agree with the messages.  A mailbox whose row is gone
 * and that has messages gets another, "Recovered/ID"; so do contents of messages whose rows are gone.  What is left of
 * mailboxes and contents that are gone is deleted, but for octets: store_repair_stray() gives those.
 */
enum store_status store_repair_rows(struct store *store);

/* Give the first content after this one that is gone, and of which octets are left; STORE_NOT_FOUND: there is none. */
enum store_status store_repair_stray(struct store *store, uint64_t after, uint64_t *content_id_out);

/* Say whether a content is there with all its octets as its digest has them.  Needs no transaction. */
enum store_status store_repair_is_whole(struct store *store, uint64_t content_id, bool *is_whole_out);

/*
 * Append what can be read of a content's octets, also of one that is gone; where some cannot, a line that says so.  Needs
 * no transaction.
 */
enum store_status store_repair_read(struct store *store, uint64_t content_id, struct buffer *out);

/*
 * Write that to a file of its own beside the user's, durable before this returns; the same one each time.  Needs no
 * transaction.
 *
 *	path_out	appended
 */
enum store_status store_repair_write_aside(struct store *store, uint64_t content_id, struct buffer *path_out);

/* Whether a message has this content, in a mailbox or kept and not yet set aside. */
bool store_repair_is_used(struct store *store, uint64_t content_id);

/* Take the octets of a content that is gone away, when they lie elsewhere. */
enum store_status store_repair_drop_stray(struct store *store, uint64_t content_id);

/* What was rendered of a content, made anew; pieces, flags and dates of the arrival are not looked at. */
enum store_status store_repair_parse(struct store *store, uint64_t content_id, const struct store_arrival *arrival);

/* Where a content is: in its mailboxes, or kept after it has left them. */
struct store_repair_place {
	uint64_t mailbox_id;
	const char *mailbox;		/* NULL: it has left */
	uint32_t uid;
};

/* Give all places in mailboxes, from the arena.  Needs no transaction. */
enum store_status store_repair_places(struct store *store, uint64_t content_id, struct arena *arena,
    struct store_repair_place **places_out, size_t *count_out);

/* The name of a mailbox; STORE_NOT_FOUND: it is gone. */
enum store_status store_repair_mailbox_name(struct store *store, uint64_t mailbox_id, struct arena *arena,
    const char **name_out);

/* Take a content out of all mailboxes: its messages are expunged, and kept as damaged. */
enum store_status store_repair_set_aside(struct store *store, uint64_t content_id);

#endif
