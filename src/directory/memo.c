/*
 * Known users in a map, and in the order of their age.
 */
#include "memo.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"

struct known {
	struct list link;		/* oldest first */
	uint8_t *text;			/* of asked and of the spans in user */
	struct span *groups, *delegates;	/* of user */
	struct span asked;
	struct directory_user user;
	uint64_t found_us;
};

struct memo {
	uint64_t lifetime_us;
	size_t capacity;
	struct map *by_name;
	struct list by_age;
};

struct memo *
memo_new(unsigned lifetime_s, size_t capacity)
{
	struct memo *memo = NEW(struct memo);

	memo->lifetime_us = (uint64_t)lifetime_s * 1000000;
	memo->capacity = capacity;
	memo->by_name = map_new();
	list_init(&memo->by_age);
	return memo;
}

static void
drop(struct memo *memo, struct known *known)
{
	map_remove(memo->by_name, known->asked);
	list_remove(&known->link);
	free(known->groups);
	free(known->delegates);
	free(known->text);
	free(known);
}

void
memo_free(struct memo **memo)
{
	if (*memo == NULL)
		return;
	LIST_FOREACH(&(*memo)->by_age, link)
		drop(*memo, LIST_ENTRY(link, struct known, link));
	map_free(&(*memo)->by_name);
	free(*memo);
	*memo = NULL;
}

void
memo_forget(struct memo *memo, struct span asked)
{
	struct known *known = map_get(memo->by_name, asked);

	if (known != NULL)
		drop(memo, known);
}

/* Copy a span to *at, and move *at behind it. */
static struct span
place(uint8_t **at, struct span span)
{
	struct span placed = span_of(*at, span.length);

	if (span.length > 0)
		memcpy(*at, span.at, span.length);
	*at += span.length;
	return placed;
}

static size_t
length_of(const struct directory_user *user)
{
	size_t length = user->name.length + user->credential.length + user->home.length + user->entry.length;

	for (size_t i = 0; i < user->group_count; i++)
		length += user->groups[i].length;
	for (size_t i = 0; i < user->delegate_count; i++)
		length += user->delegates[i].length;
	return length;
}

static struct span *
place_all(uint8_t **at, const struct span *spans, size_t count)
{
	struct span *placed = memory_new_array(count + 1, sizeof *placed);

	for (size_t i = 0; i < count; i++)
		placed[i] = place(at, spans[i]);
	return placed;
}

static struct known *
known_new(struct span asked, const struct directory_user *user)
{
	struct known *known = NEW(struct known);
	uint8_t *at = memory_new(asked.length + length_of(user));

	known->text = at;
	known->asked = place(&at, asked);
	known->user = *user;
	known->user.name = place(&at, user->name);
	known->user.credential = place(&at, user->credential);
	known->user.home = place(&at, user->home);
	known->user.entry = place(&at, user->entry);
	known->user.groups = known->groups = place_all(&at, user->groups, user->group_count);
	known->user.delegates = known->delegates = place_all(&at, user->delegates, user->delegate_count);
	known->found_us = clock_monotonic_us();
	return known;
}

void
memo_add(struct memo *memo, struct span asked, const struct directory_user *user)
{
	struct known *known;

	memo_forget(memo, asked);
	if (memo->lifetime_us == 0)
		return;
	if (map_count(memo->by_name) >= memo->capacity)
		drop(memo, LIST_ENTRY(memo->by_age.next, struct known, link));
	known = known_new(asked, user);
	map_put(memo->by_name, known->asked, known);
	list_push_back(&memo->by_age, &known->link);
}

static const struct span *
copy_all(const struct span *spans, size_t count, struct arena *arena)
{
	struct span *copies = arena_alloc_array(arena, count + 1, sizeof *copies);

	for (size_t i = 0; i < count; i++)
		copies[i] = arena_copy(arena, spans[i]);
	return copies;
}

bool
memo_find(struct memo *memo, struct span asked, struct arena *arena, struct directory_user *user_out)
{
	struct known *known = map_get(memo->by_name, asked);

	if (known == NULL)
		return false;
	if (clock_monotonic_us() - known->found_us >= memo->lifetime_us) {
		drop(memo, known);
		return false;
	}
	*user_out = known->user;
	user_out->name = arena_copy(arena, known->user.name);
	user_out->credential = arena_copy(arena, known->user.credential);
	user_out->home = arena_copy(arena, known->user.home);
	user_out->entry = arena_copy(arena, known->user.entry);
	user_out->groups = copy_all(known->groups, known->user.group_count, arena);
	user_out->delegates = copy_all(known->delegates, known->user.delegate_count, arena);
	return true;
}
