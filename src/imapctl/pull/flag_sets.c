/*
 * The key of a set is its flags and its keywords in lower case and in order.
 */
#include "flag_sets.h"

#include <stdlib.h>

#include "../import/appender.h"
#include "base/map.h"
#include "base/memory.h"

struct flag_sets {
	struct map *map;		/* struct flag_set */
};

struct flag_sets *
flag_sets_new(void)
{
	struct flag_sets *sets = NEW(struct flag_sets);

	sets->map = map_new();
	return sets;
}

void
flag_sets_free(struct flag_sets **sets)
{
	size_t position = 0;
	struct span key;
	void *value;

	if (*sets == NULL)
		return;
	while (map_next((*sets)->map, &position, &key, &value)) {
		buffer_free(&((struct flag_set *)value)->text);
		free(value);
	}
	map_free(&(*sets)->map);
	free(*sets);
	*sets = NULL;
}

static int
by_text(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* Cut words with a space between two; the caller frees the array. */
static struct span *
cut(struct span words, size_t *count_out)
{
	struct span *list = memory_new_array(words.length / 2 + 1, sizeof *list);

	*count_out = 0;
	while (words.length > 0) {
		size_t end = span_find(words, ' ');

		list[(*count_out)++] = span_slice(words, 0, end);
		words = span_from(words, end + 1);
	}
	return list;
}

static void
make_key(const struct message *message, struct buffer *key)
{
	struct buffer lower = { 0 };
	struct span *list;
	size_t count;

	for (size_t i = 0; i < message->keywords.length; i++)
		buffer_add_octet(&lower, ascii_lower(message->keywords.at[i]));
	list = cut(buffer_span(&lower), &count);
	qsort(list, count, sizeof *list, by_text);
	buffer_printf(key, "%u", message->flags);
	for (size_t i = 0; i < count; i++) {
		buffer_add_octet(key, ' ');
		buffer_add_span(key, list[i]);
	}
	free(list);
	buffer_free(&lower);
}

const struct flag_set *
flag_sets_get(struct flag_sets *sets, const struct message *message)
{
	struct buffer key = { 0 };
	struct flag_set *set;

	make_key(message, &key);
	set = map_get(sets->map, buffer_span(&key));
	if (set == NULL) {
		set = NEW(struct flag_set);
		appender_add_flags(&set->text, message->flags, buffer_span(&message->keywords));
		map_put(sets->map, buffer_span(&key), set);
	}
	buffer_free(&key);
	return set;
}
