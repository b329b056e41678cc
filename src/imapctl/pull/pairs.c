/*
 * An array in order; nearly all that is added goes to its end.
 */
#include "pairs.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/memory.h"
#include "imap/sequence.h"

#define PAIRS_MAX ((size_t)1 << 24)

void
pairs_free(struct pairs *pairs)
{
	free(pairs->at);
	*pairs = (struct pairs){ 0 };
}

void
pairs_clear(struct pairs *pairs)
{
	pairs->count = 0;
	pairs->changed_from = 0;
}

/* The first pair of this source UID or one behind it. */
static size_t
find(const struct pairs *pairs, uint32_t source)
{
	if (pairs->count > 0 && pairs->at[pairs->count - 1].source < source)
		return pairs->count;
	return LOWER_BOUND(pairs->count, middle, pairs->at[middle].source < source);
}

static void
make_room(struct pairs *pairs, size_t at)
{
	if (pairs->count == pairs->capacity) {
		pairs->capacity = pairs->capacity == 0 ? 64 : 2 * pairs->capacity;
		pairs->at = memory_resize(pairs->at, pairs->capacity, sizeof *pairs->at);
	}
	memmove(&pairs->at[at + 1], &pairs->at[at], (pairs->count - at) * sizeof *pairs->at);
	pairs->count++;
}

static void
note_change(struct pairs *pairs, size_t at)
{
	if (pairs->changed_from > at)
		pairs->changed_from = at;
}

void
pairs_add(struct pairs *pairs, uint32_t source, uint32_t here)
{
	size_t at = find(pairs, source);

	if (at == pairs->count || pairs->at[at].source != source)
		make_room(pairs, at);
	pairs->at[at] = (struct pair){ source, here };
	note_change(pairs, at);
}

const struct pair *
pairs_find(const struct pairs *pairs, uint32_t source)
{
	size_t at = find(pairs, source);

	return at < pairs->count && pairs->at[at].source == source ? &pairs->at[at] : NULL;
}

void
pairs_sweep(struct pairs *pairs)
{
	size_t kept = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		if (pairs->at[i].here == 0)
			note_change(pairs, kept);
		else
			pairs->at[kept++] = pairs->at[i];
	}
	pairs->count = kept;
}

void
pairs_write(const struct pairs *pairs, size_t first, size_t count, struct buffer *out)
{
	struct imap_set_writer source = { .out = out }, here = { .out = out };

	for (size_t i = first; i < first + count; i++)
		imap_set_writer_add(&source, pairs->at[i].source);
	imap_set_writer_end(&source);
	buffer_add_octet(out, ' ');
	for (size_t i = first; i < first + count; i++)
		imap_set_writer_add(&here, pairs->at[i].here);
	imap_set_writer_end(&here);
}

bool
pairs_read(struct pairs *pairs, struct span text)
{
	size_t space = span_find(text, ' ');
	struct uid_walk source = { .rest = span_slice(text, 0, space) }, here = { .rest = span_from(text, space + 1) };
	uint32_t from, to;

	while (uid_walk_next(&source, &from)) {
		if (!uid_walk_next(&here, &to) || pairs->count >= PAIRS_MAX)
			return false;
		pairs_add(pairs, from, to);
	}
	return !source.is_broken && !uid_walk_next(&here, &to) && !here.is_broken;
}
