/*
 * What is remembered of contents: truths and days by id, forgotten in time and with the account.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/mailbox/shared/insight.h"
#include "base/memory.h"

#define IDS 20000

static struct insights insights;
static struct list account;

static int
setup(void **state)
{
	(void)state;
	insights_init(&insights);
	list_init(&account);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	insights_forget(&account);
	assert_int_equal(insights.octets, 0);
	assert_true(list_is_empty(&account) && list_is_empty(&insights.used));
	return 0;
}

static struct insight *
hold(const char *question)
{
	return insight_hold(&insights, &account, span_from_string(question), INSIGHT_TRUTH);
}

/* Against an array: what is known first stays. */
static void
as_an_array(void **state)
{
	static enum insight_truth model[IDS];
	struct insight *insight = hold("a");
	uint64_t but[50];

	(void)state;
	srand(1);
	for (size_t i = 0; i < IDS; i++)
		model[i] = INSIGHT_OPEN;
	for (unsigned round = 0; round < 300; round++) {
		uint64_t first = rand() % IDS, last = first + rand() % (round % 2 ? 100 : IDS);
		size_t count = rand() % 50, kept = 0;

		if (last >= IDS)
			last = IDS - 1;
		for (uint64_t id = rand() % 100; kept < count && id < IDS; id += 1 + rand() % 400)
			but[kept++] = id;
		if (round % 10 == 0) {
			insight_note_false(insight, first, last, but, kept);
			for (uint64_t id = first, i = 0; id <= last; id++) {
				while (i < kept && but[i] < id)
					i++;
				if (model[id] == INSIGHT_OPEN && (i == kept || but[i] != id))
					model[id] = INSIGHT_FALSE;
			}
		}
		insight_note_truth(insight, first, round % 3 == 0);
		if (model[first] == INSIGHT_OPEN)
			model[first] = round % 3 == 0 ? INSIGHT_TRUE : INSIGHT_FALSE;
		for (size_t id = 0; id < IDS; id += round % 50 == 49 ? 1 : 997)
			assert_int_equal(insight_truth(insight, id), model[id]);
	}
	insight_release(&insight);
}

static void
nothing_true_takes_no_room(void **state)
{
	struct insight *insight = hold("a");

	(void)state;
	insight_note_false(insight, 1, 10000000, NULL, 0);
	assert_true(insights.octets < 100000);
	assert_int_equal(insight_truth(insight, 0), INSIGHT_OPEN);
	assert_int_equal(insight_truth(insight, 5000000), INSIGHT_FALSE);
	assert_int_equal(insight_truth(insight, 10000001), INSIGHT_OPEN);
	insight_release(&insight);
}

static void
days(void **state)
{
	struct insight *insight = insight_hold(&insights, &account, SPAN("sent"), INSIGHT_DAY);

	(void)state;
	assert_int_equal(insight_day(insight, 7), INSIGHT_NOT_KNOWN);
	insight_note_day(insight, 7, -3);
	insight_note_day(insight, 1000000, INSIGHT_NEVER_SENT);
	assert_int_equal(insight_day(insight, 7), -3);
	assert_int_equal(insight_day(insight, 8), INSIGHT_NOT_KNOWN);
	assert_int_equal(insight_day(insight, 1000000), INSIGHT_NEVER_SENT);
	insight_release(&insight);
}

static void
found_by_question(void **state)
{
	struct insight *a = hold("a"), *b = hold("b"), *again = hold("a");

	(void)state;
	assert_ptr_equal(a, again);
	assert_ptr_not_equal(a, b);
	insight_note_truth(a, 1, true);
	insight_release(&a);
	insight_release(&again);
	insight_release(&b);
	a = hold("a");
	assert_int_equal(insight_truth(a, 1), INSIGHT_TRUE);
	insights_forget(&account);
	assert_int_equal(insight_truth(a, 1), INSIGHT_TRUE);	/* who holds it may go on */
	again = hold("a");
	assert_int_equal(insight_truth(again, 1), INSIGHT_OPEN);
	insight_release(&again);
	insight_release(&a);
}

static void
fill(struct insight *insight)
{
	for (uint64_t id = 0; id < 4000000; id += 500)
		insight_note_truth(insight, id, true);
}

/* The longest unused goes first, and never what is held. */
static void
bounded(void **state)
{
	struct insight *held = hold("held"), *used;
	char name[20];

	(void)state;
	fill(held);
	used = hold("0");
	fill(used);
	insight_release(&used);
	for (unsigned i = 1; i < 60; i++) {
		snprintf(name, sizeof name, "%u", i);
		used = hold(name);
		fill(used);
		insight_release(&used);
		used = hold("0");
		insight_release(&used);
		assert_true(insights.octets <= INSIGHTS_OCTETS_MAX);
	}
	used = hold("0");
	assert_int_equal(insight_truth(used, 500), INSIGHT_TRUE);
	insight_release(&used);
	used = hold("1");
	assert_int_equal(insight_truth(used, 500), INSIGHT_OPEN);
	insight_release(&used);
	assert_int_equal(insight_truth(held, 500), INSIGHT_TRUE);
	insight_release(&held);
}

/* Small questions are not without number either: each search walks through them. */
static void
few(void **state)
{
	char name[20];
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct insight *insight;

		snprintf(name, sizeof name, "%u", i);
		insight = hold(name);
		insight_release(&insight);
	}
	LIST_FOREACH(&account, link)
		count++;
	assert_in_range(count, 1000, 2048);
}

/* What is held stays; when there is no room for more, what is asked is not noted, and never wrong. */
static void
held_bounded(void **state)
{
	struct insight *held[40], *days = insight_hold(&insights, &account, SPAN("sent"), INSIGHT_DAY);
	unsigned forgotten = 0;
	char name[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		snprintf(name, sizeof name, "%zu", i);
		held[i] = hold(name);
		fill(held[i]);
		insight_note_false(held[i], 0, 4000000, NULL, 0);
		assert_int_equal(insight_truth(held[0], 500), INSIGHT_TRUE);
		forgotten += insight_truth(held[i], 500) != INSIGHT_TRUE;
	}
	insight_note_day(days, 5, 7);
	assert_int_equal(insight_day(days, 5), INSIGHT_NOT_KNOWN);
	assert_true(forgotten > 0 && insights.octets <= INSIGHTS_OCTETS_MAX + COUNT_OF(held) * 20000);
	for (size_t i = 0; i < COUNT_OF(held); i++)
		insight_release(&held[i]);
	insight_release(&days);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_an_array, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_true_takes_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(days, setup, teardown),
		cmocka_unit_test_setup_teardown(found_by_question, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(few, setup, teardown),
		cmocka_unit_test_setup_teardown(held_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
