/*
 * Texts one behind the other, a hash table of their numbers, and an order that new ones are merged into.
 */
#include "texts.h"

#include <stdlib.h>

#include "base/memory.h"

#define TABLE_BITS_MIN 6

void
texts_init(struct texts *texts)
{
	*texts = (struct texts){ .table_bits = TABLE_BITS_MIN };
	hash_secret_init(&texts->secret);
	texts->table = memory_new_array((size_t)1 << texts->table_bits, sizeof *texts->table);
	texts_number(texts, (struct span){ NULL, 0 });
}

void
texts_fini(struct texts *texts)
{
	buffer_free(&texts->octets);
	free(texts->ends);
	free(texts->table);
	free(texts->order);
	free(texts->ranks);
	merge_fini(&texts->merge);
}

size_t
texts_octets(const struct texts *texts)
{
	size_t arrays = texts->capacity + ((size_t)1 << texts->table_bits) + 2 * (size_t)texts->ranked + 2 * texts->merge.count;

	return texts->octets.capacity + arrays * sizeof(uint32_t);
}

static struct span
text_at(const struct texts *texts, uint32_t number)
{
	uint32_t begin = number == 0 ? 0 : texts->ends[number - 1];

	return span_slice(buffer_span(&texts->octets), begin, texts->ends[number] - begin);
}

/* The place of a text in the table: its own, or the empty one where it belongs. */
static uint32_t *
find_place(const struct texts *texts, struct span text)
{
	size_t mask = ((size_t)1 << texts->table_bits) - 1;
	size_t place = hash_octets(&texts->secret, text) & mask;

	while (texts->table[place] != 0 && !span_equals(text_at(texts, texts->table[place] - 1), text))
		place = (place + 1) & mask;
	return &texts->table[place];
}

static void
grow_table(struct texts *texts)
{
	free(texts->table);
	texts->table_bits++;
	texts->table = memory_new_array((size_t)1 << texts->table_bits, sizeof *texts->table);
	for (uint32_t i = 0; i < texts->count; i++)
		*find_place(texts, text_at(texts, i)) = i + 1;
}

uint32_t
texts_number(struct texts *texts, struct span text)
{
	uint32_t *place = find_place(texts, text);

	if (*place != 0)
		return *place - 1;
	if ((size_t)texts->count * 2 >= (size_t)1 << texts->table_bits) {
		grow_table(texts);
		place = find_place(texts, text);
	}
	if (texts->count == texts->capacity) {
		texts->capacity = texts->capacity * 2 + 16;
		texts->ends = memory_resize(texts->ends, texts->capacity, sizeof *texts->ends);
	}
	buffer_add_span(&texts->octets, text);
	texts->ends[texts->count++] = (uint32_t)texts->octets.length;
	*place = texts->count;
	return texts->count - 1;
}

static int
compare(const void *context, uint32_t a, uint32_t b)
{
	const struct texts *texts = context;

	return span_compare(text_at(texts, a), text_at(texts, b));
}

/* Sort those that are new. */
static void
begin_sorting(struct texts *texts)
{
	uint32_t count = texts->count - texts->ranked;
	uint32_t *order = memory_new_array(count, sizeof *order);

	for (uint32_t i = 0; i < count; i++)
		order[i] = texts->ranked + i;
	texts->goal = texts->count;
	texts->is_joining = false;
	merge_begin(&texts->merge, order, count, 1);
}

/* Merge them with the others.  The longer run stands first: then there are two. */
static void
begin_joining(struct texts *texts)
{
	uint32_t old = texts->ranked, new = texts->goal - old;
	uint32_t *order = memory_new_array(texts->goal, sizeof *order), *sorted = merge_take(&texts->merge);

	memcpy(order + (old < new ? new : 0), texts->order, old * sizeof *order);
	memcpy(order + (old < new ? 0 : old), sorted, new * sizeof *order);
	free(sorted);
	texts->is_joining = true;
	merge_begin(&texts->merge, order, texts->goal, old < new ? new : old);
}

static void
end_ranking(struct texts *texts)
{
	free(texts->order);
	texts->order = merge_take(&texts->merge);
	texts->ranked = texts->goal;
	texts->ranks = memory_resize(texts->ranks, texts->ranked, sizeof *texts->ranks);
	for (uint32_t i = 0; i < texts->ranked; i++)
		texts->ranks[texts->order[i]] = i;
}

bool
texts_rank(struct texts *texts, size_t steps)
{
	if (texts->ranked == texts->count)
		return true;
	if (texts->goal == texts->ranked)
		begin_sorting(texts);
	if (!merge_advance(&texts->merge, steps, compare, texts))
		return false;
	if (!texts->is_joining && texts->ranked > 0)
		begin_joining(texts);
	else
		end_ranking(texts);
	return texts->ranked == texts->count;
}
