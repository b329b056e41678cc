/*
 * Pages of places of texts, by content id; the texts lie one behind the other in blocks.
 */
#include "kept.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/memory.h"

#define PAGE_IDS	256
#define TEXT_MAX	(4 * 1024)		/* longer ones are rendered each time */
#define BLOCK_OCTETS	(64 * 1024)
#define OCTETS_MAX	(96 * 1024 * 1024)	/* of one mailbox: less than all may take, or it would drive out itself */

struct page {
	uint64_t number;		/* id / PAGE_IDS */
	const uint8_t *at[PAGE_IDS];
	uint16_t length[PAGE_IDS];	/* 0: no text */
};

struct fetch_kept_item {
	struct fetch_kept *kept;
	struct buffer name;
	struct page **pages;		/* by rising numbers */
	size_t count, capacity;
	size_t last;			/* page looked at: most go from id to id */
};

struct fetch_kept {
	struct state_extra extra;	/* state: NULL when that has gone, or has been told to forget */
	struct state_cache *cache;
	struct state_place place;	/* in it */
	unsigned holders;

	struct fetch_kept_item items[FETCH_KEPT_ITEMS];
	size_t count;
	uint8_t **blocks;
	size_t block_count, block_capacity;
	size_t block_used;		/* octets of the last one */
	size_t octets;			/* that all of it takes */
};

static void
item_fini(struct fetch_kept_item *item)
{
	for (size_t i = 0; i < item->count; i++)
		free(item->pages[i]);
	free(item->pages);
	buffer_free(&item->name);
}

struct fetch_kept *
fetch_kept_new(void)
{
	return NEW(struct fetch_kept);
}

void
fetch_kept_free(struct fetch_kept *kept)
{
	for (size_t i = 0; i < kept->count; i++)
		item_fini(&kept->items[i]);
	for (size_t i = 0; i < kept->block_count; i++)
		free(kept->blocks[i]);
	free(kept->blocks);
	free(kept);
}

/* Nobody finds it any more; it goes with the job that uses it, if there is one. */
static void
forget(struct fetch_kept *kept)
{
	kept->extra.state->extras[STATE_FETCH] = NULL;
	kept->extra.state = NULL;
	if (kept->holders == 0)
		fetch_kept_free(kept);
}

static void
on_drop(struct state_place *place)
{
	forget(CONTAINER_OF(place, struct fetch_kept, place));
}

static void
on_state_gone(struct state_extra *extra)
{
	struct fetch_kept *kept = CONTAINER_OF(extra, struct fetch_kept, extra);

	state_cache_remove(kept->cache, &kept->place);
	forget(kept);
}

static struct fetch_kept *
begin_to_keep(struct account *account, struct state *state)
{
	struct fetch_kept *kept = fetch_kept_new();

	kept->extra = (struct state_extra){ .state = state, .on_gone = on_state_gone };
	kept->cache = account_extra_cache(account);
	state_place_init(&kept->place, on_drop);
	state->extras[STATE_FETCH] = &kept->extra;
	return kept;
}

struct fetch_kept *
fetch_kept_hold(struct account *account, struct state *state)
{
	struct state_extra *extra = state->extras[STATE_FETCH];
	struct fetch_kept *kept = extra != NULL ? CONTAINER_OF(extra, struct fetch_kept, extra) : begin_to_keep(account, state);
	size_t octets = kept->place.octets;

	/* Used last, goes last. */
	state_cache_remove(kept->cache, &kept->place);
	kept->holders++;
	state_cache_add(kept->cache, &kept->place, octets);
	return kept;
}

void
fetch_kept_release(struct fetch_kept **kept_at, size_t added)
{
	struct fetch_kept *kept = *kept_at;

	*kept_at = NULL;
	if (kept == NULL)
		return;
	kept->holders--;
	if (kept->extra.state != NULL)
		state_cache_resize(kept->cache, &kept->place, kept->place.octets + added);
	else if (kept->holders == 0)
		fetch_kept_free(kept);
}

struct fetch_kept_item *
fetch_kept_item(struct fetch_kept *kept, struct span name)
{
	for (size_t i = 0; i < kept->count; i++)
		if (span_equals(buffer_span(&kept->items[i].name), name))
			return &kept->items[i];
	if (kept->count == FETCH_KEPT_ITEMS)
		return NULL;
	kept->items[kept->count].kept = kept;
	buffer_add_span(&kept->items[kept->count].name, name);
	return &kept->items[kept->count++];
}

/* The first page with this number or a higher one. */
static size_t
lower_bound(struct fetch_kept_item *item, uint64_t number)
{
	if (item->last < item->count && item->pages[item->last]->number == number)
		return item->last;
	return item->last = LOWER_BOUND(item->count, middle, item->pages[middle]->number < number);
}

static struct page *
find_page(struct fetch_kept_item *item, uint64_t number)
{
	size_t index = lower_bound(item, number);

	return index < item->count && item->pages[index]->number == number ? item->pages[index] : NULL;
}

static struct page *
add_page(struct fetch_kept_item *item, uint64_t number)
{
	size_t index = lower_bound(item, number);
	struct page *page = NEW(struct page);

	if (item->count == item->capacity) {
		item->capacity = item->capacity * 2 + 8;
		item->pages = memory_resize(item->pages, item->capacity, sizeof *item->pages);
	}
	memmove(&item->pages[index + 1], &item->pages[index], (item->count - index) * sizeof *item->pages);
	item->count++;
	page->number = number;
	return item->pages[index] = page;
}

bool
fetch_kept_find(struct fetch_kept_item *item, uint64_t content_id, struct span *text_out)
{
	const struct page *page = find_page(item, content_id / PAGE_IDS);
	size_t index = content_id % PAGE_IDS;

	if (page == NULL || page->length[index] == 0)
		return false;
	*text_out = span_of(page->at[index], page->length[index]);
	return true;
}

/* Copy a text to where it stays. */
static const uint8_t *
copy(struct fetch_kept *kept, struct span text)
{
	uint8_t *at;

	if (kept->block_count == 0 || kept->block_used + text.length > BLOCK_OCTETS) {
		if (kept->block_count == kept->block_capacity) {
			kept->block_capacity = kept->block_capacity * 2 + 8;
			kept->blocks = memory_resize(kept->blocks, kept->block_capacity, sizeof *kept->blocks);
		}
		kept->blocks[kept->block_count++] = memory_resize(NULL, BLOCK_OCTETS, 1);
		kept->block_used = 0;
		kept->octets += BLOCK_OCTETS;
	}
	at = kept->blocks[kept->block_count - 1] + kept->block_used;
	memcpy(at, text.at, text.length);
	kept->block_used += text.length;
	return at;
}

size_t
fetch_kept_note(struct fetch_kept_item *item, uint64_t content_id, struct span text)
{
	struct page *page = find_page(item, content_id / PAGE_IDS);
	size_t index = content_id % PAGE_IDS, before = item->kept->octets;

	if (text.length == 0 || text.length > TEXT_MAX || before >= OCTETS_MAX)
		return 0;
	if (page == NULL) {
		page = add_page(item, content_id / PAGE_IDS);
		item->kept->octets += sizeof *page;
	}
	page->at[index] = copy(item->kept, text);
	page->length[index] = (uint16_t)text.length;
	return item->kept->octets - before;
}
