/*
 * What a session has with its client, as text: with it another mailbox server goes on where this one has stopped, when the
 * user moves there (src/link/README, "Moving a user").  Pure.
 */
#ifndef CARRIED_H
#define CARRIED_H

#include "view.h"

#define CARRIED_OCTETS_MAX ((size_t)47 * 1024)	/* of the text; link/link.h */

struct carried {
	struct span account;		/* id of the user's mailbox where the session goes on: of nobody else who has the name */
	bool is_rev2, has_utf8, has_condstore, has_qresync, is_uid_only;
	uint32_t message_limit, save_limit;
	uint64_t quiet_ms;		/* since the client last did something */
	struct span id;			/* values of its ID; imap/id.h */
	bool is_idling;
	struct span idle_tag;

	uint64_t mailbox_id;		/* that is selected; 0: none */
	uint32_t uidvalidity;
	struct span name;		/* as the client calls it */
	bool is_examined;
	struct view_memory view;
	struct imap_sequence saved;	/* what "$" means */

	bool is_deflated;		/* COMPRESS, with what the client may refer to, and what of its input was inflated */
	struct span window, unread;
};

/* Append the text. */
void carried_write(const struct carried *carried, struct buffer *out);

/*
 * Read it.  Spans and ranges are in the arena.
 *
 * False: it is of another version, or none.
 */
bool carried_read(struct span text, struct arena *arena, struct carried *carried_out);

#endif
