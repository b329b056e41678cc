/*
 * Bringing the messages of one mailbox: many with each FETCH, several FETCHes under way, and what does not come is asked
 * for alone.  What the server sends is taken as it comes, so that memory is bounded by one message.  Blocking.
 */
#ifndef IMAPCTL_PULL_TRANSFER_H
#define IMAPCTL_PULL_TRANSFER_H

#include "uids.h"
#include "work.h"

/* A mailbox here that messages go to. */
struct target {
	struct place *place;
	struct buffer encoded;		/* its name in modified UTF-7 */
	bool is_main;			/* of the mailbox itself, not of a label */
	bool is_refused;		/* it cannot be made */
	uint32_t uidnext;		/* at the beginning */
	bool is_fresh;			/* the state knows no message that was pulled before */
	bool is_checked;		/* messages may be there that the state does not know */
	uint32_t first_uid;		/* of those */
	uint32_t *paired;		/* UIDs here that the state knows, rising */
	size_t paired_count;
};

/* A message that came before others that come first. */
struct held_message {
	size_t index;
	struct message message;
};

struct verification;

struct transfer {
	struct pull *pull;
	const struct planned *box;
	uint32_t uidvalidity;		/* of the source */
	struct uids uids;
	struct target *targets;		/* without labels there is one */
	size_t target_count;
	struct message message;		/* whose memory is used again */
	bool is_single;			/* what did not come is asked for alone */
	bool has_flags, has_octets;	/* of the message that comes in pieces */
	struct held_message *held;	/* by index */
	size_t held_count, held_octets;
	size_t settled;			/* index before which no message is awaited */
	size_t set_max;			/* messages in one FETCH */
	size_t octets_wanted;		/* messages in UID_OCTETS */
	size_t unsaved;			/* messages that are here, and in no state that was saved */
	struct verification *verification;	/* what comes is compared, and not delivered; NULL: it is */
	struct buffer reason;		/* what the server said when it refused a FETCH last */
};

/*
 * Pull what is wanted of uids; the mailbox is open at the source.  False: it ended before its end, pull->code or
 * pull->is_here_lost says why.
 */
bool transfer_run(struct transfer *transfer);

void transfer_free(struct transfer *transfer);

/*
 * The mailbox here for a name in modified UTF-7: made when it is missing.  NULL: the connection here is lost, or the
 * mailbox cannot be made, which was told.
 */
struct target *transfer_target(struct transfer *transfer, struct span encoded);

/* Whether a message of the mailbox may be one that was pulled and not recorded. */
bool target_counts(const struct target *target, uint32_t uid);

/* A FETCH reply of the source: take the message if it is one that was asked for.  False: nothing more can be done. */
bool transfer_receive(struct transfer *transfer, const struct imap_fetch_reply *fetch);

/* A message that was asked for alone has come as far as it does.  False: as above. */
bool transfer_receive_end(struct transfer *transfer, size_t index);

/*
 * Deliver transfer->message, as soon as those before it have come; and those that are held and whose turn it is.
 * False: the connection here is lost.
 */
bool transfer_deliver(struct transfer *transfer, size_t index);
bool transfer_release(struct transfer *transfer);

/* Write the state of all targets.  False: the connection here is lost. */
bool transfer_save(struct transfer *transfer);

/* All of it has come: what comes to the targets from now on is no part of this. */
void transfer_settle(struct transfer *transfer);

/* For appender_events: a message is here. */
void transfer_on_stored(struct span mailbox, uint32_t number, uint32_t uid, void *pull);

/* Set flags and keywords of transfer->message, and with labels where it belongs. */
void receive_flags(struct transfer *transfer, const struct imap_fetch_reply *fetch);

/* Open the mailbox at the source anew, after the connection was lost.  False: pull->code, or the mailbox is not there. */
bool transfer_reopen(struct transfer *transfer);

#endif
