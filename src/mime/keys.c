/*
 * The automaton is a tree of all beginnings of keys, its nodes numbered level by level: so the children of a node stand
 * next to each other, in the order of their octets, and those of a lower level are whole when their own links are made.
 * A key that was found is not told again, and nothing behind it on the way along the links is: so what is told costs as
 * much as there are keys, once for each text.  Any thread.
 */
#include "mime/keys.h"

#include <stdlib.h>

#include "base/memory.h"
#include "mime/fold.h"

#define FEW 8				/* so many are found faster one by one */
#define NO_KEY UINT32_MAX

struct key {
	struct span octets;
	uint32_t place;
};

struct node {
	uint32_t first_child;		/* 0: none; the root is nobody's child */
	uint32_t suffix;		/* the longest true end of it that is a node */
	uint32_t told;			/* the longest end of it, itself included, that is a key; 0: none */
	uint32_t key;			/* which of the different keys it is; NO_KEY: none */
	uint16_t child_count;
	uint8_t octet;			/* by which it is reached */
};

struct mime_keys {
	size_t count, different_count, found_count;
	uint32_t *different;		/* by place: which of the different keys it is */
	bool *found;			/* by different key */
	size_t longest;
	struct key *sorted;

	/* Of many. */
	struct node *nodes;		/* NULL: they are few */
	size_t node_count;
	uint32_t state;
	uint32_t from_root[256];
};

static int
compare(const void *left, const void *right)
{
	return span_compare(((const struct key *)left)->octets, ((const struct key *)right)->octets);
}

/* Sort, and number the different ones. */
static void
sort(struct mime_keys *keys, const struct span *list)
{
	for (size_t i = 0; i < keys->count; i++) {
		keys->sorted[i] = (struct key){ list[i], (uint32_t)i };
		if (list[i].length > keys->longest)
			keys->longest = list[i].length;
	}
	qsort(keys->sorted, keys->count, sizeof keys->sorted[0], compare);
	for (size_t i = 0; i < keys->count; i++) {
		if (i > 0 && !span_equals(keys->sorted[i].octets, keys->sorted[i - 1].octets))
			keys->different_count++;
		keys->different[keys->sorted[i].place] = (uint32_t)keys->different_count;
	}
	keys->different_count += keys->count > 0;
}

/* ---- making the automaton ------------------------------------------------------------------------------- */

/* The sorted keys that begin as a node does, and how long that is. */
struct beginning {
	uint32_t first, end, length;
};

static uint32_t
child_of(const struct mime_keys *keys, uint32_t node, uint8_t octet)
{
	uint32_t low = keys->nodes[node].first_child, high = low + keys->nodes[node].child_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (keys->nodes[middle].octet == octet)
			return middle;
		if (keys->nodes[middle].octet < octet)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static uint32_t
next_state(const struct mime_keys *keys, uint32_t state, uint8_t octet)
{
	uint32_t next;

	while (state != 0) {
		if ((next = child_of(keys, state, octet)) != 0)
			return next;
		state = keys->nodes[state].suffix;
	}
	return keys->from_root[octet];
}

/* Add the children of a node; a key that ends here stands first among those that begin so. */
static void
add_children(struct mime_keys *keys, uint32_t node, struct beginning *beginnings)
{
	struct beginning here = beginnings[node];
	uint32_t i = here.first;

	while (i < here.end && keys->sorted[i].octets.length == here.length)
		keys->nodes[node].key = keys->different[keys->sorted[i++].place];
	while (i < here.end) {
		uint8_t octet = keys->sorted[i].octets.at[here.length];
		uint32_t child = (uint32_t)keys->node_count++, first = i;

		while (i < here.end && keys->sorted[i].octets.at[here.length] == octet)
			i++;
		beginnings[child] = (struct beginning){ first, i, here.length + 1 };
		keys->nodes[child] = (struct node){ .key = NO_KEY, .octet = octet };
		if (keys->nodes[node].child_count++ == 0)
			keys->nodes[node].first_child = child;
		if (node == 0)
			keys->from_root[octet] = child;
	}
}

/* Link a node's children to where the search goes on when none of theirs fits. */
static void
link_children(struct mime_keys *keys, uint32_t node)
{
	for (uint32_t i = 0; i < keys->nodes[node].child_count; i++) {
		uint32_t number = keys->nodes[node].first_child + i;
		struct node *child = &keys->nodes[number];

		child->suffix = node == 0 ? 0 : next_state(keys, keys->nodes[node].suffix, child->octet);
		child->told = child->key != NO_KEY ? number : keys->nodes[child->suffix].told;
	}
}

static void
make_nodes(struct mime_keys *keys)
{
	struct beginning *beginnings;
	size_t most = 1;

	for (size_t i = 0; i < keys->count; i++)
		most += keys->sorted[i].octets.length;
	keys->nodes = memory_new_array(most, sizeof keys->nodes[0]);
	beginnings = memory_new_array(most, sizeof beginnings[0]);
	beginnings[0] = (struct beginning){ 0, (uint32_t)keys->count, 0 };
	keys->nodes[0].key = NO_KEY;
	keys->node_count = 1;
	for (uint32_t node = 0; node < keys->node_count; node++)
		add_children(keys, node, beginnings);
	for (uint32_t node = 0; node < keys->node_count; node++)
		link_children(keys, node);
	free(beginnings);
}

struct mime_keys *
mime_keys_new(const struct span *list, size_t count)
{
	struct mime_keys *keys = NEW(struct mime_keys);

	keys->count = count;
	keys->sorted = memory_new_array(count, sizeof keys->sorted[0]);
	keys->different = memory_new_array(count, sizeof keys->different[0]);
	keys->found = memory_new_array(count, sizeof keys->found[0]);
	sort(keys, list);
	if (keys->different_count > FEW)
		make_nodes(keys);
	return keys;
}

void
mime_keys_free(struct mime_keys **keys)
{
	if (*keys == NULL)
		return;
	free((*keys)->sorted);
	free((*keys)->different);
	free((*keys)->found);
	free((*keys)->nodes);
	free(*keys);
	*keys = NULL;
}

/* ---- looking for them ----------------------------------------------------------------------------------- */

size_t
mime_keys_overlap(const struct mime_keys *keys)
{
	return keys->nodes != NULL || keys->longest == 0 ? 0 : keys->longest - 1;
}

void
mime_keys_restart(struct mime_keys *keys)
{
	memset(keys->found, 0, keys->different_count);
	keys->found_count = 0;
	keys->state = 0;
}

static void
note(struct mime_keys *keys, uint32_t different)
{
	keys->found_count += !keys->found[different];
	keys->found[different] = true;
}

static void
look_for_few(struct mime_keys *keys, struct span piece)
{
	for (size_t i = 0; i < keys->count; i++) {
		uint32_t different = keys->different[keys->sorted[i].place];

		if (!keys->found[different] && mime_fold_contains(piece, keys->sorted[i].octets))
			note(keys, different);
	}
}

/* Tell what ends here, from the longest key down to one that was told before. */
static void
tell(struct mime_keys *keys, uint32_t node)
{
	while (node != 0 && !keys->found[keys->nodes[node].key]) {
		note(keys, keys->nodes[node].key);
		node = keys->nodes[keys->nodes[node].suffix].told;
	}
}

static void
look_for_many(struct mime_keys *keys, struct span piece)
{
	uint32_t state = keys->state;

	if (keys->nodes[0].key != NO_KEY)	/* the empty one */
		note(keys, keys->nodes[0].key);
	for (size_t i = 0; i < piece.length && keys->found_count < keys->different_count; i++) {
		state = state == 0 ? keys->from_root[piece.at[i]] : next_state(keys, state, piece.at[i]);
		if (keys->nodes[state].told != 0)
			tell(keys, keys->nodes[state].told);
	}
	keys->state = state;
}

bool
mime_keys_feed(struct mime_keys *keys, struct span piece, bool is_apart)
{
	if (is_apart)
		keys->state = 0;
	if (keys->nodes == NULL)
		look_for_few(keys, piece);
	else
		look_for_many(keys, piece);
	return keys->found_count == keys->different_count;
}

bool
mime_keys_found(const struct mime_keys *keys, size_t place)
{
	return keys->found[keys->different[place]];
}
