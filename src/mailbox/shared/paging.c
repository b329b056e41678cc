/*
 * Giving pages back.  Loop thread.
 *
 * What a store needs again and again is small: of those that many messages come for, some thirty pages and the dictionary.
 * So they share what there is before any of them gives back all it has, since it would read that again with its next job.
 */
#include "paging.h"

#define SHARED_KIB	8192			/* of pages, for those that have some */
#define SHARE_MOST_KIB	1000
#define SHARE_LEAST_KIB 125
#define TOGETHER_OCTETS UINT64_C(25165824)	/* here those that are quiet begin to give all back */
#define MUCH_OCTETS	UINT64_C(33554432)	/* here nobody waits until others give something back */
#define LEAST_OCTETS	UINT64_C(32768)		/* what a store that does nothing may keep */
#define LOOKS		16			/* at accounts that are busy, before it is put off */

void
paging_init(struct paging *paging)
{
	list_init(&paging->accounts);
}

static void
on_given_back(struct account_job *job)
{
	(void)job;
}

void
pages_init(struct pages *pages)
{
	list_init(&pages->link);
	pages->job.kind = ACCOUNT_SHRINK;
	pages->job.done = on_given_back;
}

void
paging_note(struct paging *paging, struct pages *pages, const struct account_job *job)
{
	bool had_some = pages->octets > LEAST_OCTETS, has_some = job->page_octets > LEAST_OCTETS;

	__atomic_store_n(&paging->octets, paging->octets - pages->octets + job->page_octets, __ATOMIC_RELAXED);
	__atomic_store_n(&paging->count, paging->count + has_some - had_some, __ATOMIC_RELAXED);
	pages->octets = job->page_octets;
	list_remove(&pages->link);
	if (has_some)
		list_push_back(&paging->accounts, &pages->link);
}

/* In halves, so that not every store that comes or goes changes it. */
unsigned
paging_share_kib(const struct paging *paging)
{
	size_t count = __atomic_load_n(&paging->count, __ATOMIC_RELAXED);
	unsigned share = SHARE_MOST_KIB;

	while (share > SHARE_LEAST_KIB && share * count > SHARED_KIB)
		share /= 2;
	return share;
}

bool
paging_is_much(const struct paging *paging)
{
	return __atomic_load_n(&paging->octets, __ATOMIC_RELAXED) > MUCH_OCTETS;
}

struct pages *
paging_due(struct paging *paging, bool (*is_quiet)(const struct pages *pages))
{
	unsigned looks = LOOKS;

	if (paging->octets <= TOGETHER_OCTETS)
		return NULL;
	LIST_FOREACH(&paging->accounts, link) {
		struct pages *pages = LIST_ENTRY(link, struct pages, link);

		if (is_quiet(pages))
			return pages;
		if (--looks == 0)
			return NULL;
	}
	return NULL;
}
