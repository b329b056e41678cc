/*
 * Comparing and merging.  Any thread.
 */
#include "sorter.h"

#include <stdlib.h>

#include "base/memory.h"

void
sorter_init(struct sorter *sorter, const struct imap_sort *criteria)
{
	*sorter = (struct sorter){ .criteria = criteria, .width = 1 };
}

void
sorter_fini(struct sorter *sorter)
{
	free(sorter->values);
	free(sorter->order);
	free(sorter->spare);
	buffer_free(&sorter->texts);
}

bool
sorter_needs_orderings(const struct imap_sort *criteria, unsigned *fields_out)
{
	static const unsigned fields[IMAP_SORT_KEY_COUNT] = {
		[IMAP_SORT_CC] = STORE_ORDERING_CC,
		[IMAP_SORT_DISPLAYFROM] = STORE_ORDERING_FROM_NAME,
		[IMAP_SORT_DISPLAYTO] = STORE_ORDERING_TO_NAME,
		[IMAP_SORT_FROM] = STORE_ORDERING_FROM,
		[IMAP_SORT_SUBJECT] = STORE_ORDERING_SUBJECT,
		[IMAP_SORT_TO] = STORE_ORDERING_TO,
	};
	bool has_date = false;

	*fields_out = 0;
	for (size_t i = 0; i < criteria->count; i++) {
		*fields_out |= fields[criteria->criteria[i].key];
		has_date |= criteria->criteria[i].key == IMAP_SORT_DATE;
	}
	return has_date || *fields_out != 0;
}

static struct sort_value
value_of_time(int64_t time_s)
{
	return (struct sort_value){ .head = (uint64_t)time_s ^ UINT64_C(1) << 63 };
}

static struct sort_value
value_of_text(struct sorter *sorter, struct span text)
{
	struct sort_value value = { .offset = (uint32_t)sorter->texts.length, .length = (uint32_t)text.length };

	for (size_t i = 0; i < sizeof value.head; i++)
		value.head = value.head << 8 | (i < text.length ? text.at[i] : 0);
	buffer_add_span(&sorter->texts, text);
	return value;
}

static struct sort_value
value_of(struct sorter *sorter, enum imap_sort_key key, const struct sort_message *message,
    const struct store_ordering *ordering)
{
	switch (key) {
	case IMAP_SORT_ARRIVAL:
		return value_of_time(message->internal_date_s);
	case IMAP_SORT_DATE:
		return value_of_time(sort_sent_s(message, ordering));
	case IMAP_SORT_SIZE:
		return (struct sort_value){ .head = message->size };
	case IMAP_SORT_CC:
		return value_of_text(sorter, ordering->cc);
	case IMAP_SORT_DISPLAYFROM:
		return value_of_text(sorter, ordering->from_name);
	case IMAP_SORT_DISPLAYTO:
		return value_of_text(sorter, ordering->to_name);
	case IMAP_SORT_FROM:
		return value_of_text(sorter, ordering->from);
	case IMAP_SORT_TO:
		return value_of_text(sorter, ordering->to);
	default:
		return value_of_text(sorter, ordering->subject);
	}
}

static void
grow(struct sorter *sorter)
{
	sorter->capacity = sorter->capacity * 2 + 64;
	sorter->values = memory_resize(sorter->values, sorter->capacity * sorter->criteria->count,
	    sizeof *sorter->values);
}

size_t
sorter_octets(const struct sorter *sorter)
{
	size_t arrays = sorter->order == NULL ? 0 : 2 * sorter->count * sizeof *sorter->order;

	return sorter->capacity * sorter->criteria->count * sizeof *sorter->values + sorter->texts.capacity + arrays;
}

bool
sorter_add(struct sorter *sorter, const struct sort_message *message, const struct store_ordering *ordering)
{
	size_t width = sorter->criteria->count;

	if (sorter->texts.length > SORTER_TEXT_OCTETS_MAX)
		return false;
	if (sorter->count == sorter->capacity)
		grow(sorter);
	for (size_t i = 0; i < width; i++)
		sorter->values[sorter->count * width + i] =
		    value_of(sorter, sorter->criteria->criteria[i].key, message, ordering);
	sorter->count++;
	return true;
}

static int
compare_values(const struct sorter *sorter, const struct sort_value *a, const struct sort_value *b)
{
	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	return span_compare(span_slice(buffer_span(&sorter->texts), a->offset, a->length),
	    span_slice(buffer_span(&sorter->texts), b->offset, b->length));
}

static int
compare(const struct sorter *sorter, uint32_t a, uint32_t b)
{
	size_t width = sorter->criteria->count;

	for (size_t i = 0; i < width; i++) {
		int order = compare_values(sorter, &sorter->values[a * width + i], &sorter->values[b * width + i]);

		if (order != 0)
			return sorter->criteria->criteria[i].is_reverse ? -order : order;
	}
	return 0;
}

static size_t
at_most(const struct sorter *sorter, size_t place)
{
	return place < sorter->count ? place : sorter->count;
}

static void
begin_runs(struct sorter *sorter, size_t low)
{
	sorter->low = sorter->left = low;
	sorter->right = at_most(sorter, low + sorter->width);
}

static void
begin(struct sorter *sorter)
{
	sorter->order = memory_new_array(sorter->count + 1, sizeof *sorter->order);
	sorter->spare = memory_new_array(sorter->count + 1, sizeof *sorter->spare);
	for (size_t i = 0; i < sorter->count; i++)
		sorter->order[i] = (uint32_t)i;
	begin_runs(sorter, 0);
}

/* All runs are merged in pairs: what came out is what goes in. */
static void
begin_round(struct sorter *sorter)
{
	uint32_t *order = sorter->order;

	sorter->order = sorter->spare;
	sorter->spare = order;
	sorter->width *= 2;
	sorter->out = 0;
	begin_runs(sorter, 0);
}

bool
sorter_advance(struct sorter *sorter, size_t steps)
{
	if (sorter->order == NULL)
		begin(sorter);
	for (; sorter->width < sorter->count && steps > 0; steps--) {
		size_t middle = at_most(sorter, sorter->low + sorter->width);
		size_t end = at_most(sorter, sorter->low + 2 * sorter->width);

		if (sorter->out == sorter->count)
			begin_round(sorter);
		else if (sorter->left == middle && sorter->right == end)
			begin_runs(sorter, end);
		else if (sorter->left == middle || (sorter->right < end &&
		    compare(sorter, sorter->order[sorter->right], sorter->order[sorter->left]) < 0))
			sorter->spare[sorter->out++] = sorter->order[sorter->right++];
		else
			sorter->spare[sorter->out++] = sorter->order[sorter->left++];
	}
	return sorter->width >= sorter->count;
}

uint64_t
sorter_steps(const struct sorter *sorter, uint64_t *total)
{
	uint64_t done = sorter->out;

	for (size_t width = 1; width < sorter->count; width *= 2) {
		*total += sorter->count;
		if (width < sorter->width)
			done += sorter->count;
	}
	return done;
}
