/*
 * What was pulled so far: kept in the annotations (RFC 5464) of the mailboxes that it was pulled into, so that it goes
 * with them when they are renamed or deleted, and is written by the session that writes the mail.  It saves work and
 * remembers what was deleted here; without it the pull compares contents.  Blocking.
 *
 *	/private/vendor/imapd/import/<account>/<mailbox>/state	of one mailbox at the source
 *	/private/vendor/imapd/import/<account>/<mailbox>/0, /1	which messages, some thousand pairs of UIDs in each
 *	/private/vendor/imapd/import/<account>			of the server: which mailboxes were pulled at all
 */
#ifndef IMAPCTL_STATE_H
#define IMAPCTL_STATE_H

#include "../remote/remote.h"
#include "base/map.h"
#include "pairs.h"

#define STATE_KEY_LENGTH 16	/* hexadecimal digits that stand for an account or the name of a mailbox */

/* A mailbox here with mail of one at the source. */
struct place {
	struct buffer mailbox;		/* UTF-8 */
	char key[STATE_KEY_LENGTH + 1];	/* of the mailbox at the source */
	uint32_t uidvalidity;		/* of that; 0: nothing is known */
	uint64_t modseq;		/* of that: flags are here as they were there at this HIGHESTMODSEQ; 0: not known */
	uint32_t here_uidvalidity;
	uint32_t here_uidnext;		/* what is above was appended by others, or not recorded; 0: not known */
	uint64_t here_modseq;		/* HIGHESTMODSEQ here at the same time; 0: not known */
	struct pairs pairs;
	size_t stored;			/* annotations with pairs that are there */
	bool is_new;			/* was not there when the state was loaded */
};

struct state;

/*
 * Read what there is.
 *
 *	here	borrowed as long as the state
 *	account	whose mail it is at the source: "alice@old.example.org"
 *
 * NULL: the connection is lost.
 */
struct state *state_load(struct remote *here, struct span account);

/* Accepts NULL, leaves NULL behind. */
void state_free(struct state **state);

/* The n-th place of a mailbox at the source, by its name there, from 0 on; NULL: there are no more. */
struct place *state_place(struct state *state, struct span sent, size_t n);

/* The place in this mailbox; made if there is none. */
struct place *state_place_in(struct state *state, struct span sent, struct span mailbox);

/*
 * A place whose mailbox at the source is none of these, from the n-th on; NULL: there are no more.
 *
 *	listed	the names of all mailboxes that the source has
 */
struct place *state_gone(struct state *state, const struct map *listed, size_t *n);

/* Forget that a mailbox was pulled, before it is deleted.  False: the connection is lost. */
bool state_forget(struct state *state, const struct place *place);

/* Whether mail of a mailbox at the source was pulled before, wherever it is now. */
bool state_has_met(const struct state *state, struct span sent);

/* Whether a mailbox of this name is here. */
bool state_has_mailbox(const struct state *state, struct span name);

/* Its special uses (RFC 6154), of enum imap_reply_attribute; what they are from now on. */
unsigned state_uses(const struct state *state, struct span name);
void state_note_uses(struct state *state, struct span name, unsigned uses);

/* A mailbox of this use, or one behind the last that was given; empty: there are no more. */
struct span state_mailbox_of_use(const struct state *state, unsigned use, size_t *position);

/* Write what has changed of a place; the answer is waited for later.  False: the connection is lost. */
bool state_save(struct state *state, struct place *place);

/* Wait for the answers.  *is_refused_out: the server does not keep it, and contents are compared next time. */
bool state_finish(struct state *state, bool *is_refused_out);

#endif
