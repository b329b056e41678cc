/*
 * Giving pages back.  Loop thread.
 */
#include "paging.h"

#define TOGETHER_OCTETS UINT64_C(8388608)
#define MUCH_OCTETS	UINT64_C(20971520)	/* here nobody waits until others give something back */
#define LEAST_OCTETS	UINT64_C(32768)	/* what a store that does nothing may keep */
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
	__atomic_store_n(&paging->octets, paging->octets - pages->octets + job->page_octets, __ATOMIC_RELAXED);
	pages->octets = job->page_octets;
	list_remove(&pages->link);
	if (pages->octets > LEAST_OCTETS)
		list_push_back(&paging->accounts, &pages->link);
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
