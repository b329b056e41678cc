/*
 * One pull: both ends, and what all parts of it share.  Private to this room.
 */
#ifndef IMAPCTL_WORK_H
#define IMAPCTL_WORK_H

#include "../ctl/order.h"
#include "../ctl/terminal.h"
#include "../import/appender.h"
#include "../import/known.h"
#include "../import/report.h"
#include "../remote/elsewhere.h"
#include "plan.h"
#include "state.h"

struct transfer;

struct pull {
	const struct order *order;
	const char *user;		/* here */
	bool is_mirror, is_dry_run, is_verify;
	size_t octets_max;		/* of a message: message-size-limit */
	struct buffer others, shared;	/* first levels of names here that are not the user's */

	struct elsewhere elsewhere;	/* the source: URL, secret, and how to log in */
	struct remote *there;		/* NULL: not connected */
	unsigned failures;		/* connections lost since a message has come */
	bool is_begun;			/* the source has let us in and told what it has: it is worth trying again */

	struct dialog *dialog;		/* of the session here */
	struct remote *here;
	struct known *known;
	struct appender *appender;
	struct state *state;
	bool is_here_lost;		/* nothing more can be written: appender_why() or the dialog says why */

	struct pull_plan plan;
	struct transfer *transfer;	/* of the mailbox that is pulled now; NULL: none */
	struct source source;		/* of which there are the notes alone */
	struct report report;
	struct progress progress;
	uint64_t done;			/* messages of the plan that were looked at */
	bool has_changed;		/* the source changed in a way that another run is needed for */
	int code;			/* why it ended before its end; 0: it did not */
};

/* A signal has come: end in order. */
bool pull_is_interrupted(void);

/* Connect to the source, or again after the connection was lost.  False: given up, or interrupted; pull->code says. */
bool pull_connect(struct pull *pull);

/* The connection to the source is lost: count that, and free it. */
void pull_lose(struct pull *pull);

/* Count what cannot be read at the source, or is refused here; both are told at once. */
void pull_unreadable(struct pull *pull, struct span origin, struct span reason);
void pull_refused(struct pull *pull, struct span origin, struct span reason);

/* Count what is told at the end. */
void pull_note(struct pull *pull, enum note_kind kind, const char *what, struct span origin);

#endif
