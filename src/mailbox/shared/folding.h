/*
 * When the WAL of a user's store is folded into its file: in a job of its own, when the user is quiet or it has grown
 * long, so that nobody's answer waits for it.  Loop thread.
 */
#ifndef FOLDING_H
#define FOLDING_H

#include "account.h"

struct folding {
	uint64_t octets, bound;		/* that lie in the WAL, as the last job told; when they are too many */
	uint64_t left;			/* so many were left by the last time */
	bool is_under_way;
	struct account_job job;
};

/* A job has come home. */
void folding_note(struct folding *folding, const struct account_job *job);

/*
 * Whether to submit the job now; it is then ready for that.
 *
 *	is_quiet	nobody has done anything for a while
 */
bool folding_is_due(struct folding *folding, bool is_quiet);

#endif
