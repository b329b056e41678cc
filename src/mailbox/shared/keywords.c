/*
 * Tables of keywords.  Arrays that are full are left behind in the arena when they grow, for those who read them.
 */
#include "keywords.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/map.h"
#include "base/memory.h"

#define SETS_MIN 64	/* so many sets more than messages are never shed */

struct keywords *
keywords_new(void)
{
	struct keywords *keywords = NEW(struct keywords);

	keywords->holders = 1;
	keywords->arena = arena_new();
	keywords->numbers = map_new();
	return keywords;
}

struct keywords *
keywords_hold(struct keywords *keywords)
{
	keywords->holders++;
	return keywords;
}

void
keywords_release(struct keywords **keywords)
{
	struct keywords *released = *keywords;

	*keywords = NULL;
	if (released == NULL || --released->holders > 0)
		return;
	map_free(&released->numbers);
	arena_free(&released->arena);
	free(released);
}

size_t
keywords_octets(const struct keywords *keywords)
{
	return sizeof *keywords + arena_used(keywords->arena) + map_count(keywords->numbers) * 64;
}

static struct span
small_letters(struct span name, uint8_t out[IMAP_KEYWORD_OCTETS_MAX])
{
	size_t length = name.length < IMAP_KEYWORD_OCTETS_MAX ? name.length : IMAP_KEYWORD_OCTETS_MAX;

	for (size_t i = 0; i < length; i++)
		out[i] = ascii_lower(name.at[i]);
	return span_of(out, length);
}

bool
keywords_find(const struct keywords *keywords, struct span name, size_t *number_out)
{
	uint8_t small[IMAP_KEYWORD_OCTETS_MAX];
	const void *found = map_get(keywords->numbers, small_letters(name, small));

	if (found == NULL || name.length > IMAP_KEYWORD_OCTETS_MAX)
		return false;
	*number_out = (size_t)(uintptr_t)found - 1;
	return true;
}

/* Bits of keywords that are free in between get an empty name and are never set. */
static void
add_name(struct keywords *keywords, struct span name)
{
	uint8_t small[IMAP_KEYWORD_OCTETS_MAX];
	size_t number = keywords->all.count;

	if (number == keywords->name_capacity) {
		keywords->name_capacity = number * 2 + 8;
		keywords->names = arena_alloc_array(keywords->arena, keywords->name_capacity, sizeof(struct span));
		if (number > 0)
			memcpy(keywords->names, keywords->all.names, number * sizeof(struct span));
		keywords->all.names = keywords->names;
	}
	keywords->names[number] = arena_copy(keywords->arena, name);
	keywords->all.count++;
	if (name.length > 0)
		map_put(keywords->numbers, small_letters(name, small), (void *)(uintptr_t)(number + 1));
}

/* The id is above all others. */
static void
add_set(struct keywords *keywords, uint64_t id, const uint16_t *members, size_t member_count)
{
	size_t count = keywords->all.set_count;
	uint16_t *copy = arena_alloc_array(keywords->arena, member_count + 1, sizeof *copy);

	if (count == keywords->set_capacity) {
		keywords->set_capacity = count * 2 + 8;
		keywords->sets = arena_alloc_array(keywords->arena, keywords->set_capacity, sizeof *keywords->sets);
		if (count > 0)
			memcpy(keywords->sets, keywords->all.sets, count * sizeof *keywords->sets);
		keywords->all.sets = keywords->sets;
	}
	memcpy(copy, members, member_count * sizeof *copy);
	keywords->sets[count] = (struct imap_keyword_set){ id, copy, member_count };
	keywords->all.set_count++;
}

static bool
has_set(const struct keywords *keywords, uint64_t id)
{
	size_t low = LOWER_BOUND(keywords->all.set_count, middle, keywords->all.sets[middle].id < id);

	return low < keywords->all.set_count && keywords->all.sets[low].id == id;
}

static struct keywords *
with_same_names(const struct keywords *keywords)
{
	struct keywords *copy = keywords_new();

	for (size_t i = 0; i < keywords->all.count; i++)
		add_name(copy, keywords->all.names[i]);
	return copy;
}

static void
add_known(struct keywords *keywords, const struct imap_keyword_set *set)
{
	add_set(keywords, set->id, set->members, set->count);
}

/* Sets that were shed are there again: another table has them in their places. */
static void
merge_sets(struct keywords **keywords, const struct store_keywords *news)
{
	const struct imap_keywords *all = &(*keywords)->all;
	struct keywords *merged = with_same_names(*keywords);
	size_t known = 0;

	for (size_t i = 0; i < news->set_count; i++) {
		const struct store_keyword_set *set = &news->sets[i];

		while (known < all->set_count && all->sets[known].id < set->id)
			add_known(merged, &all->sets[known++]);
		if (known == all->set_count || all->sets[known].id != set->id)
			add_set(merged, set->id, set->members.at, set->members.count);
	}
	while (known < all->set_count)
		add_known(merged, &all->sets[known++]);
	keywords_release(keywords);
	*keywords = merged;
}

/* Learn sets that are above all others; false: there is one that is not, and is not known. */
static bool
append_sets(struct keywords *keywords, const struct store_keywords *news)
{
	for (size_t i = 0; i < news->set_count; i++) {
		const struct store_keyword_set *set = &news->sets[i];
		const struct imap_keywords *all = &keywords->all;

		if (all->set_count == 0 || all->sets[all->set_count - 1].id < set->id)
			add_set(keywords, set->id, set->members.at, set->members.count);
		else if (!has_set(keywords, set->id))
			return false;
	}
	return true;
}

void
keywords_learn(struct keywords **keywords, const struct store_keywords *news)
{
	for (size_t i = 0; i < news->count; i++)
		if (news->first + i == (*keywords)->all.count)
			add_name(*keywords, news->names[i] == NULL ? SPAN("") : span_from_string(news->names[i]));
	if (!append_sets(*keywords, news))
		merge_sets(keywords, news);
}

static int
compare_ids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* The ids of the messages' sets, rising, maybe more than once; to be freed. */
static uint64_t *
collect_ids(const struct store_message *messages, size_t count, size_t *ids_out)
{
	uint64_t *ids = memory_new_array(count + 1, sizeof *ids);
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if ((messages[i].flags & STORE_FLAGS_HAS_SET) != 0)
			ids[found++] = (messages[i].flags & ~STORE_FLAGS_HAS_SET) >> STORE_KEYWORD_BIT_MIN;
	qsort(ids, found, sizeof *ids, compare_ids);
	*ids_out = found;
	return ids;
}

void
keywords_shed(struct keywords **keywords, const struct store_message *messages, size_t count)
{
	const struct imap_keywords *all = &(*keywords)->all;
	struct keywords *smaller;
	size_t ids_count, next = 0;
	uint64_t *ids;

	if (all->set_count < 2 * count + SETS_MIN)
		return;
	smaller = with_same_names(*keywords);
	ids = collect_ids(messages, count, &ids_count);
	for (size_t i = 0; i < all->set_count; i++) {
		while (next < ids_count && ids[next] < all->sets[i].id)
			next++;
		if (next < ids_count && ids[next] == all->sets[i].id)
			add_known(smaller, &all->sets[i]);
	}
	free(ids);
	keywords_release(keywords);
	*keywords = smaller;
}
