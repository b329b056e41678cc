/*
 * What the stores that are open hold of their files in memory: each a share of what there is for all, 1 MB at most, and
 * together no more than a bound, beyond which those that were used least recently give theirs back.  Loop thread.
 */
#ifndef PAGING_H
#define PAGING_H

#include "account.h"

/* Of all accounts. */
struct paging {
	struct list accounts;		/* that have something to give back, the least recently used first */
	uint64_t octets;		/* written by the loop, read by workers: atomic */
	size_t count;			/* of them; the same */
};

/* Of an account. */
struct pages {
	struct list link;		/* in paging.accounts, or alone */
	uint64_t octets;		/* as the last job told */
	struct account_job job;
};

void paging_init(struct paging *paging);
void pages_init(struct pages *pages);

/* A job has come home. */
void paging_note(struct paging *paging, struct pages *pages, const struct account_job *job);

/* How much a store may hold while so many have something, in KiB.  Any thread. */
unsigned paging_share_kib(const struct paging *paging);

/* Whether there is so much that a job gives back what its own store has.  Any thread. */
bool paging_is_much(const struct paging *paging);

/*
 * Whose pages are to go, or NULL: its job is then ready to be submitted.  Called after each job, so that one at a time is
 * enough.
 *
 *	is_quiet	whether an account may be asked now
 */
struct pages *paging_due(struct paging *paging, bool (*is_quiet)(const struct pages *pages));

#endif
