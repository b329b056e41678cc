/*
 * When the WAL of a user's store is folded into its file: in a job of its own, when the user is quiet or it has grown
 * long, so that nobody's answer waits for it.  Loop thread.
 *
 * Users who get the same mail have WALs that grow long at the same moment: one is folded after the other, while the others go
 * on, or all of them would wait for a disk that has ten times as much to write.
 */
#ifndef FOLDING_H
#define FOLDING_H

#include "account.h"

/* Of all accounts; zeroed. */
struct folds {
	unsigned under_way;
};

struct folding {
	struct folds *folds;
	uint64_t octets, bound;		/* that lie in the WAL, as the last job told; when they are too many */
	uint64_t left;			/* so many were left by the last time */
	bool is_under_way;
	struct account_job job;
};

void folding_init(struct folding *folding, struct folds *folds);

/* A job has come home. */
void folding_note(struct folding *folding, const struct account_job *job);

/*
 * Whether to submit the job now; it is then ready for that.
 *
 *	is_quiet	nobody has done anything for a while
 */
bool folding_is_due(struct folding *folding, bool is_quiet);

#endif
