/*
 * Verbs that are about one user or all of them, and that the server answers a piece at a time: each call takes about a
 * second and says where the next one goes on.
 */
#ifndef PIECES_H
#define PIECES_H

#include "../ctl/ctl.h"
#include "../ctl/order.h"
#include "../ctl/terminal.h"
#include "base/arena.h"

struct pieces {
	const struct order *order;
	struct ctl *ctl;
	struct arena *arena;		/* of the records */
	struct answer records;		/* what came back */
	struct progress progress;
	uint64_t faults, set_aside;
	int code;			/* the first that was not 0 */
};

/* All there is to do for a user.  False: it makes no sense to go on with others. */
typedef bool pieces_user(struct pieces *run, struct span user);

/*
 * Do it for the user of the order, or with --all for each, and print the records.  A signal ends the call under way, for which
 * the server then does nothing more; what is there by then is printed, and the exit code is EX_TEMPFAIL.
 *
 * The exit code.
 */
int pieces_run(struct pieces *run, const struct order *order, pieces_user *on_user);

/* Keep a record; its text lives in the arena. */
void pieces_keep(struct pieces *run, struct span line);

/* A number of a record of that kind; 0: there is none. */
uint64_t pieces_number(const struct pieces *run, struct span line, const char *kind, const char *key);

/* A call was not answered by EX_OK: complain.  Whether it makes sense to go on with others. */
bool pieces_note_failure(struct pieces *run, struct span user, const struct answer *answer);

#endif
