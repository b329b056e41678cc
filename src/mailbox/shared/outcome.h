/*
 * What a job that has come home says of a user's file, for the log and the list of faults.  Loop thread.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "account.h"

struct outcome_place {
	struct faults *faults;
	const char *id, *user, *path;	/* of the mailbox */
};

/*
 *	kinds	of faults that the mailbox had, as bits
 *
 * Returns those that it has now.
 */
unsigned outcome_note(const struct outcome_place *place, const struct account_job *job, unsigned kinds);

#endif
