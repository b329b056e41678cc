/*
 * What SORT compares, kept and put in order: against comparing texts one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/mailbox/sort/sorter.h"
#include "base/memory.h"

static uint32_t seed = 1;

static uint32_t
draw(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % limit;
}

/* Few letters, so that texts begin alike, are alike, and are empty. */
static struct span
any_text(uint8_t text[8])
{
	size_t length = draw(8);

	for (size_t i = 0; i < length; i++)
		text[i] = (uint8_t)(draw(3) * 127);
	return span_of(text, length);
}

/* Whatever comes in between: all have ranks in the end, and they are as the texts are. */
static void
ranks_are_as_texts(void **state)
{
	struct { uint8_t octets[8]; struct span span; uint32_t number; } all[4000];
	size_t count = 0;
	struct texts texts;

	(void)state;
	texts_init(&texts);
	for (size_t round = 1; round <= 12; round++) {
		for (size_t more = draw(2) ? 1 : 600; more > 0 && count < COUNT_OF(all); more--, count++) {
			all[count].span = any_text(all[count].octets);
			all[count].number = texts_number(&texts, all[count].span);
		}
		if (round % 4 == 1)
			texts_rank(&texts, 7);		/* what comes now is ranked after those */
	}
	while (!texts_rank(&texts, 1 + draw(20)))
		continue;
	assert_true(texts.count < count);
	for (size_t i = 0; i + 1 < count; i++) {
		uint32_t a = texts.ranks[all[i].number], b = texts.ranks[all[i + 1].number];
		int order = span_compare(all[i].span, all[i + 1].span);

		assert_int_equal(order < 0 ? -1 : order > 0, a < b ? -1 : a > b);
	}
	texts_fini(&texts);
}

static struct keys *keys;
static struct sort_message messages[3000];
static uint8_t octets[COUNT_OF(messages)][8];
static struct store_ordering orderings[COUNT_OF(messages)];
static const struct imap_sort *criteria;

static int
compare_by(enum imap_sort_key key, uint32_t a, uint32_t b)
{
	int64_t left = messages[a].size, right = messages[b].size;

	if (key == IMAP_SORT_SUBJECT)
		return span_compare(orderings[a].subject, orderings[b].subject);
	if (key == IMAP_SORT_ARRIVAL) {
		left = messages[a].internal_date_s;
		right = messages[b].internal_date_s;
	} else if (key == IMAP_SORT_DATE) {
		left = orderings[a].has_sent_date ? orderings[a].sent_s : messages[a].internal_date_s;
		right = orderings[b].has_sent_date ? orderings[b].sent_s : messages[b].internal_date_s;
	}
	return left < right ? -1 : left > right;
}

static int
compare(const void *at, const void *other)
{
	uint32_t a = *(const uint32_t *)at, b = *(const uint32_t *)other;

	for (size_t i = 0; i < criteria->count; i++) {
		int order = compare_by(criteria->criteria[i].key, a, b);

		if (order != 0)
			return criteria->criteria[i].is_reverse ? -order : order;
	}
	return a < b ? -1 : a > b;
}

static void
make_messages(void)
{
	static const int64_t times_s[] = { INT64_MIN, -62135596800, -1, 0, 1, 1700000000, INT64_MAX };

	keys = keys_new();
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		orderings[i] = (struct store_ordering){ .subject = any_text(octets[i]), .has_sent_date = draw(4) > 0,
			.sent_s = times_s[draw(COUNT_OF(times_s))] };
		messages[i] = (struct sort_message){ .content_id = draw(2) ? i * 3 : (uint64_t)i << 40 | 1,
			.internal_date_s = times_s[draw(COUNT_OF(times_s))], .size = draw(2) ? draw(5) : UINT32_MAX - draw(5) };
		keys_add(keys, messages[i].content_id, STORE_ORDERING_SUBJECT, &orderings[i]);
	}
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		messages[i].slot = keys_find(keys, messages[i].content_id, STORE_ORDERING_SUBJECT, (uint32_t)draw(4000));
		assert_int_not_equal(messages[i].slot, KEYS_NO_SLOT);
	}
}

static void
order_is_as_compared(void **state)
{
	static const enum imap_sort_key fields[] = { IMAP_SORT_ARRIVAL, IMAP_SORT_DATE, IMAP_SORT_SIZE, IMAP_SORT_SUBJECT };
	static uint32_t expected[COUNT_OF(messages)];

	(void)state;
	make_messages();
	for (unsigned choice = 0; choice < 64; choice++) {
		struct imap_sort sort = { .criteria = { { fields[choice % 4], choice & 4 }, { fields[choice / 8 % 4], choice & 32 } },
			.count = 2 };
		struct sorter sorter;

		criteria = &sort;
		for (uint32_t i = 0; i < COUNT_OF(messages); i++)
			expected[i] = i;
		qsort(expected, COUNT_OF(expected), sizeof expected[0], compare);
		sorter_init(&sorter, &sort, keys, messages, COUNT_OF(messages));
		while (!sorter_advance(&sorter))
			continue;
		assert_memory_equal(sorter.order, expected, sizeof expected);
		sorter_fini(&sorter);
	}
	keys_free(keys);
}

/* What is not known yet is not taken for known, and a field that comes later leaves the others. */
static void
fields_come_one_by_one(void **state)
{
	struct store_ordering ordering = { .subject = SPAN("about"), .from = SPAN("ada") };
	struct keys *few = keys_new();
	uint32_t slot;

	(void)state;
	assert_int_equal(keys_find(few, 7, 0, 0), KEYS_NO_SLOT);
	keys_add(few, 7, STORE_ORDERING_SUBJECT, &ordering);
	slot = keys_find(few, 7, STORE_ORDERING_SUBJECT, KEYS_NO_SLOT);
	assert_int_not_equal(slot, KEYS_NO_SLOT);
	assert_int_equal(keys_find(few, 7, STORE_ORDERING_SUBJECT | STORE_ORDERING_FROM, slot), KEYS_NO_SLOT);
	ordering.subject = SPAN("never read again");
	keys_add(few, 7, STORE_ORDERING_SUBJECT | STORE_ORDERING_FROM, &ordering);
	assert_int_equal(keys_find(few, 7, STORE_ORDERING_SUBJECT | STORE_ORDERING_FROM, 0), slot);
	assert_int_equal(few->numbers[KEYS_SUBJECT][slot], texts_number(&few->texts[KEYS_SUBJECT], SPAN("about")));
	assert_int_equal(few->numbers[KEYS_FROM][slot], texts_number(&few->texts[KEYS_FROM], SPAN("ada")));
	keys_free(few);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_are_as_texts),
		cmocka_unit_test(order_is_as_compared),
		cmocka_unit_test(fields_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
