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
	folding->left = folding->octets;
}

void
folding_note(struct folding *folding, const struct account_job *job)
{
	folding->octets = job->wal_octets;
	folding->bound = job->wal_bound;
	if (folding->octets < folding->left)
		folding->left = 0;		/* it has begun anew */
}

/* What a foreign reader or a full disk has left is not tried again until as much has come. */
bool
folding_is_due(struct folding *folding, bool is_quiet)
{
	uint64_t bound = is_quiet ? QUIET_OCTETS : folding->bound;

	if (folding->is_under_way || folding->octets == 0 || folding->octets - folding->left < bound)
		return false;
	folding->is_under_way = true;
	folding->job.kind = ACCOUNT_FOLD;
	folding->job.done = on_folded;
	return true;
}
