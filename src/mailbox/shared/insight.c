/*
 * Pages of bits, and of days, by content id.  A place without a page is one on which nothing is true, so that a text
 * that is nowhere takes next to no memory, however many contents there are.  Loop thread.
 */
#include "insight.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bound.h"
#include "base/memory.h"

#define TRUTHS 4096		/* ids on a page */
#define DAYS   256
#define WORDS  (TRUTHS / 64)
#define LEAST  (16 * 1024)	/* octets that each question counts for: those of an account are found by a walk */

union page {
	struct {
		uint64_t known[WORDS], truths[WORDS];
	} truth;
	int32_t days[DAYS];
};

struct insight_place {
	uint64_t number;		/* id / ids on a page */
	union page *page;		/* NULL: all are known to be false */
};

void
insights_init(struct insights *insights)
{
	*insights = (struct insights){ .octets = 0 };
	list_init(&insights->used);
}

/* ---- questions ------------------------------------------------------------------------------------------ */

static void
insight_free(struct insight *insight)
{
	insight->insights->octets -= insight->octets;
	list_remove(&insight->link);
	list_remove(&insight->use);
	for (size_t i = 0; i < insight->count; i++)
		free(insight->places[i].page);
	free(insight->places);
	buffer_free(&insight->question);
	free(insight);
}

/* Forget what nobody holds for so many octets more.  False: there is no room. */
static bool
make_room(struct insights *insights, size_t more)
{
	while (insights->octets + more > INSIGHTS_OCTETS_MAX && !list_is_empty(&insights->used))
		insight_free(LIST_ENTRY(insights->used.next, struct insight, use));
	return insights->octets + more <= INSIGHTS_OCTETS_MAX;
}

static void
note_octets(struct insight *insight, size_t more)
{
	insight->octets += more;
	insight->insights->octets += more;
}

static struct insight *
insight_new(struct insights *insights, struct list *of_account, struct span question, enum insight_kind kind)
{
	struct insight *insight = NEW(struct insight);

	insight->insights = insights;
	insight->kind = kind;
	buffer_add_span(&insight->question, question);
	list_push_front(of_account, &insight->link);
	list_init(&insight->use);
	note_octets(insight, LEAST + insight->question.capacity);
	make_room(insights, 0);
	return insight;
}

static struct insight *
find(struct list *of_account, struct span question)
{
	LIST_FOREACH(of_account, link) {
		struct insight *insight = LIST_ENTRY(link, struct insight, link);

		if (span_equals(buffer_span(&insight->question), question))
			return insight;
	}
	return NULL;
}

struct insight *
insight_hold(struct insights *insights, struct list *of_account, struct span question, enum insight_kind kind)
{
	struct insight *insight = find(of_account, question);

	if (insight == NULL)
		insight = insight_new(insights, of_account, question, kind);
	assert(insight->kind == kind);
	insight->holders++;
	list_remove(&insight->use);
	return insight;
}

void
insight_release(struct insight **insight)
{
	struct insight *released = *insight;
	struct insights *insights;

	*insight = NULL;
	if (released == NULL)
		return;
	insights = released->insights;
	assert(released->holders > 0);
	if (--released->holders > 0)
		return;
	if (list_is_empty(&released->link))	/* its account has forgotten it */
		insight_free(released);
	else
		list_push_back(&insights->used, &released->use);
	make_room(insights, 0);
}

void
insights_forget(struct list *of_account)
{
	LIST_FOREACH(of_account, link) {
		struct insight *insight = LIST_ENTRY(link, struct insight, link);

		if (insight->holders == 0)
			insight_free(insight);
		else
			list_remove(&insight->link);
	}
}

/* ---- pages ---------------------------------------------------------------------------------------------- */

/* The first place with this number or a higher one; searches go through ids in order. */
static size_t
lower_bound(struct insight *insight, uint64_t number)
{
	if (insight->last < insight->count && insight->places[insight->last].number == number)
		return insight->last;
	return insight->last = LOWER_BOUND(insight->count, middle, insight->places[middle].number < number);
}

static struct insight_place *
find_place(struct insight *insight, uint64_t number)
{
	size_t index = lower_bound(insight, number);

	if (index == insight->count || insight->places[index].number != number)
		return NULL;
	return &insight->places[index];
}

static void
fill(union page *page, enum insight_kind kind, bool is_known)
{
	if (kind == INSIGHT_TRUTH)
		memset(page->truth.known, is_known ? 0xFF : 0, sizeof page->truth.known);
	for (size_t i = 0; kind == INSIGHT_DAY && i < DAYS; i++)
		page->days[i] = INSIGHT_NOT_KNOWN;
}

/* NULL: there is no room. */
static union page *
page_new(struct insight *insight, bool is_known)
{
	union page *page;

	if (!make_room(insight->insights, sizeof *page))
		return NULL;
	page = NEW(union page);
	fill(page, insight->kind, is_known);
	note_octets(insight, sizeof *page);
	return page;
}

/* Add the place that is not there.  False: there is no room. */
static bool
add_place(struct insight *insight, uint64_t number, union page *page)
{
	size_t index = lower_bound(insight, number), more = (insight->capacity + 8) * sizeof *insight->places;
	struct insight_place *place;

	if (insight->count == insight->capacity) {
		if (!make_room(insight->insights, more))
			return false;
		note_octets(insight, more);
		insight->capacity = insight->capacity * 2 + 8;
		insight->places = memory_resize(insight->places, insight->capacity, sizeof *insight->places);
	}
	place = &insight->places[index];
	memmove(place + 1, place, (insight->count - index) * sizeof *place);
	insight->count++;
	*place = (struct insight_place){ number, page };
	return true;
}

/* The page to write to, or NULL: there is no room. */
static union page *
page_of(struct insight *insight, uint64_t number)
{
	struct insight_place *place = find_place(insight, number);
	union page *page;

	if (place != NULL && place->page != NULL)
		return place->page;
	if ((page = page_new(insight, place != NULL)) == NULL)
		return NULL;
	if (place != NULL) {
		place->page = page;
	} else if (!add_place(insight, number, page)) {
		note_octets(insight, -sizeof *page);
		free(page);
		return NULL;
	}
	return page;
}

/* ---- truths --------------------------------------------------------------------------------------------- */

enum insight_truth
insight_truth(struct insight *insight, uint64_t content_id)
{
	const struct insight_place *place = find_place(insight, content_id / TRUTHS);
	uint64_t bit = UINT64_C(1) << content_id % 64;
	size_t word = content_id % TRUTHS / 64;

	if (place == NULL)
		return INSIGHT_OPEN;
	if (place->page == NULL)
		return INSIGHT_FALSE;
	if (!(place->page->truth.known[word] & bit))
		return INSIGHT_OPEN;
	return place->page->truth.truths[word] & bit ? INSIGHT_TRUE : INSIGHT_FALSE;
}

void
insight_note_truth(struct insight *insight, uint64_t content_id, bool truth)
{
	uint64_t bit = UINT64_C(1) << content_id % 64;
	size_t word = content_id % TRUTHS / 64;
	union page *page;

	if (insight_truth(insight, content_id) != INSIGHT_OPEN)
		return;
	if ((page = page_of(insight, content_id / TRUTHS)) == NULL)
		return;
	page->truth.known[word] |= bit;
	if (truth)
		page->truth.truths[word] |= bit;
}

/* All ids of one page from first to last are false, unless known. */
static void
note_false_on_page(struct insight *insight, uint64_t first, uint64_t last)
{
	uint64_t number = first / TRUTHS;
	union page *page;

	if (first % TRUTHS == 0 && last % TRUTHS == TRUTHS - 1 && find_place(insight, number) == NULL) {
		add_place(insight, number, NULL);
		return;
	}
	if (insight_truth(insight, first) != INSIGHT_OPEN && find_place(insight, number)->page == NULL)
		return;
	if ((page = page_of(insight, number)) == NULL)
		return;
	for (uint64_t id = first; id <= last;) {
		size_t word = id % TRUTHS / 64, end = last - id < 64 - id % 64 ? last % 64 + 1 : 64;

		page->truth.known[word] |= UINT64_MAX >> (64 - end) & UINT64_MAX << id % 64;
		id += end - id % 64;
	}
}

static void
note_all_false(struct insight *insight, uint64_t first, uint64_t last)
{
	while (first <= last) {
		uint64_t end = (first / TRUTHS + 1) * TRUTHS - 1;

		if (end > last)
			end = last;
		note_false_on_page(insight, first, end);
		first = end + 1;
	}
}

void
insight_note_false(struct insight *insight, uint64_t first, uint64_t last, const uint64_t *but, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (but[i] < first || but[i] > last)
			continue;
		if (but[i] > first)
			note_all_false(insight, first, but[i] - 1);
		first = but[i] + 1;
	}
	note_all_false(insight, first, last);
}

/* ---- days ----------------------------------------------------------------------------------------------- */

int32_t
insight_day(struct insight *insight, uint64_t content_id)
{
	const struct insight_place *place = find_place(insight, content_id / DAYS);

	return place == NULL ? INSIGHT_NOT_KNOWN : place->page->days[content_id % DAYS];
}

void
insight_note_day(struct insight *insight, uint64_t content_id, int32_t day)
{
	union page *page = page_of(insight, content_id / DAYS);

	if (page != NULL)
		page->days[content_id % DAYS] = day;
}
