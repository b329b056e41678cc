/*
 * Folding the WAL of a store whose file is open.  Loop thread.
 */
#include "folding.h"

#define QUIET_OCTETS UINT64_C(1048576)	/* less can wait until the file is closed */

static void
on_folded(struct account_job *job)
{
	struct folding *folding = CONTAINER_OF(job, struct folding, job);

	folding->is_under_way = false;
	folding->folds->under_way--;
	folding->left = folding->octets;
}

void
folding_init(struct folding *folding, struct folds *folds)
{
	folding->folds = folds;
	folding->job.kind = ACCOUNT_FOLD;
	folding->job.done = on_folded;
}

void
folding_note(struct folding *folding, const struct account_job *job)
{
	folding->octets = job->wal_octets;
	folding->bound = job->wal_bound;
	if (folding->octets < folding->left)
		folding->left = 0;		/* it has begun anew */
}

/* So many octets must have come.  What a foreign reader or a full disk has left is not tried again before. */
static uint64_t
bound_of(const struct folding *folding, bool is_quiet)
{
	if (is_quiet)
		return QUIET_OCTETS;
	return folding->folds->under_way == 0 ? folding->bound : 2 * folding->bound;
}

bool
folding_is_due(struct folding *folding, bool is_quiet)
{
	if (folding->is_under_way || folding->octets == 0 || folding->octets - folding->left < bound_of(folding, is_quiet))
		return false;
	folding->is_under_way = true;
	folding->folds->under_way++;
	return true;
}
