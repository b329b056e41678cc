/*
 * A radix sort for each criterion.  Any thread.
 */
#include "sorter.h"

#include <stdlib.h>

#include "base/memory.h"

#define DIGIT_BITS 11
#define DIGITS	   (1u << DIGIT_BITS)
#define RANK_STEPS 100000

/* The texts that a key compares; KEYS_TEXT_COUNT: none. */
static enum keys_text
text_of(enum imap_sort_key key)
{
	switch (key) {
	case IMAP_SORT_CC:
		return KEYS_CC;
	case IMAP_SORT_DISPLAYFROM:
		return KEYS_FROM_NAME;
	case IMAP_SORT_DISPLAYTO:
		return KEYS_TO_NAME;
	case IMAP_SORT_FROM:
		return KEYS_FROM;
	case IMAP_SORT_TO:
		return KEYS_TO;
	case IMAP_SORT_SUBJECT:
		return KEYS_SUBJECT;
	default:
		return KEYS_TEXT_COUNT;
	}
}

bool
sorter_needs_keys(const struct imap_sort *criteria, unsigned *fields_out)
{
	bool has_date = false;

	*fields_out = 0;
	for (size_t i = 0; i < criteria->count; i++) {
		enum imap_sort_key key = criteria->criteria[i].key;

		*fields_out |= text_of(key) == KEYS_TEXT_COUNT ? 0 : 1u << text_of(key);
		has_date |= key == IMAP_SORT_DATE;
	}
	return has_date || *fields_out != 0;
}

void
sorter_init(struct sorter *sorter, const struct imap_sort *criteria, struct keys *keys,
    const struct sort_message *messages, size_t count)
{
	*sorter = (struct sorter){ .criteria = criteria, .keys = keys, .messages = messages, .count = count,
		.left = criteria->count };
	sorter->values = memory_new_array(count, sizeof *sorter->values);
	sorter->order = memory_new_array(count, sizeof *sorter->order);
	sorter->spare = memory_new_array(count, sizeof *sorter->spare);
	for (size_t i = 0; i < count; i++)
		sorter->order[i] = (uint32_t)i;
}

void
sorter_fini(struct sorter *sorter)
{
	free(sorter->values);
	free(sorter->order);
	free(sorter->spare);
}

/* Times before 1970 are less than those after. */
static uint64_t
value_of_time(int64_t time_s)
{
	return (uint64_t)time_s ^ UINT64_C(1) << 63;
}

static uint64_t
value_of(const struct sorter *sorter, enum imap_sort_key key, const struct sort_message *message)
{
	const struct keys *keys = sorter->keys;
	enum keys_text text;

	switch (key) {
	case IMAP_SORT_ARRIVAL:
		return value_of_time(message->internal_date_s);
	case IMAP_SORT_DATE:
		return value_of_time(sort_sent_s(keys, message));
	case IMAP_SORT_SIZE:
		return message->size;
	default:
		text = text_of(key);
		return keys->texts[text].ranks[keys->numbers[text][message->slot]];
	}
}

/* The least value is 0 then, or the greatest if the criterion is reversed. */
static void
make_values(struct sorter *sorter, const struct imap_sort_criterion *criterion)
{
	uint64_t least = UINT64_MAX, greatest = 0, all = 0;

	for (size_t i = 0; i < sorter->count; i++) {
		uint64_t value = value_of(sorter, criterion->key, &sorter->messages[i]);

		sorter->values[i] = value;
		least = value < least ? value : least;
		greatest = value > greatest ? value : greatest;
	}
	for (size_t i = 0; i < sorter->count; i++) {
		uint64_t value = sorter->values[i];

		sorter->values[i] = criterion->is_reverse ? greatest - value : value - least;
		all |= sorter->values[i];
	}
	for (sorter->bits = 0; sorter->bits < 64 && all >> sorter->bits != 0;)
		sorter->bits++;
	sorter->shift = 0;
}

static uint64_t
digit(const struct sorter *sorter, uint32_t place)
{
	return sorter->values[place] >> sorter->shift & (DIGITS - 1);
}

/* Put all in order by one digit; what has the same stays in the order in which it was. */
static void
sort_by_digit(struct sorter *sorter)
{
	uint32_t starts[DIGITS] = { 0 }, sum = 0, *order = sorter->order;

	for (size_t i = 0; i < sorter->count; i++)
		starts[digit(sorter, order[i])]++;
	for (size_t i = 0; i < DIGITS; i++) {
		uint32_t count = starts[i];

		starts[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < sorter->count; i++)
		sorter->spare[starts[digit(sorter, order[i])]++] = order[i];
	sorter->order = sorter->spare;
	sorter->spare = order;
	sorter->shift += DIGIT_BITS;
}

/* Take the next criterion, once its texts are ranked. */
static void
begin_criterion(struct sorter *sorter)
{
	const struct imap_sort_criterion *criterion = &sorter->criteria->criteria[sorter->left - 1];
	enum keys_text text = text_of(criterion->key);

	if (text != KEYS_TEXT_COUNT && !texts_rank(&sorter->keys->texts[text], RANK_STEPS))
		return;
	make_values(sorter, criterion);
	sorter->left--;
}

bool
sorter_advance(struct sorter *sorter)
{
	if (sorter->shift < sorter->bits)
		sort_by_digit(sorter);
	else if (sorter->left > 0 && sorter->count > 0)
		begin_criterion(sorter);
	else
		return true;
	return false;
}

uint64_t
sorter_steps(const struct sorter *sorter, uint64_t *total)
{
	size_t criteria = sorter->count > 0 ? sorter->criteria->count : 0, begun = criteria - sorter->left;
	unsigned shift = sorter->shift < sorter->bits ? sorter->shift : sorter->bits;

	*total += criteria * sorter->count;
	if (begun == 0 || sorter->count == 0)
		return 0;
	return (begun - 1) * sorter->count + (sorter->bits == 0 ? sorter->count : sorter->count * shift / sorter->bits);
}
