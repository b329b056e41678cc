/*
 * Answers that are remembered: found by their questions, forgotten in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/mailbox/shared/answers.h"
#include "base/memory.h"

static void
expect(const struct answers *answers, const char *question, const char *answer)
{
	struct span found = answers_find(answers, span_from_string(question));

	if (answer == NULL)
		assert_null(found.at);
	else
		assert_true(span_equals(found, span_from_string(answer)));
}

static void
found_by_question(void **state)
{
	struct answers answers = { 0 };

	(void)state;
	expect(&answers, "a", NULL);
	answers_add(&answers, SPAN("a"), SPAN("1"));
	answers_add(&answers, SPAN("ab"), SPAN("2"));
	answers_add(&answers, SPAN("a"), SPAN("other"));
	expect(&answers, "a", "1");
	expect(&answers, "ab", "2");
	expect(&answers, "b", NULL);
	answers_fini(&answers);
	expect(&answers, "a", NULL);
	assert_int_equal(answers.octets, 0);
}

static void
the_oldest_goes(void **state)
{
	struct answers answers = { 0 };
	char question[16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(question, sizeof question, "%d", i);
		answers_add(&answers, span_from_string(question), SPAN("x"));
	}
	expect(&answers, "11", NULL);
	expect(&answers, "12", "x");
	expect(&answers, "19", "x");
	answers_fini(&answers);
}

static void
memory_is_bounded(void **state)
{
	struct answers answers = { 0 };
	struct buffer large = { 0 };

	(void)state;
	while (large.length < ANSWERS_OCTETS_MAX / 2)
		buffer_add_octet(&large, 'x');
	answers_add(&answers, SPAN("a"), buffer_span(&large));
	answers_add(&answers, SPAN("b"), SPAN("2"));
	expect(&answers, "b", "2");
	answers_add(&answers, SPAN("c"), buffer_span(&large));
	expect(&answers, "a", NULL);
	expect(&answers, "b", "2");
	assert_true(answers.octets <= ANSWERS_OCTETS_MAX);
	while (large.length < ANSWERS_OCTETS_MAX)
		buffer_add_octet(&large, 'x');
	answers_add(&answers, SPAN("d"), buffer_span(&large));
	expect(&answers, "d", NULL);
	expect(&answers, "b", "2");
	answers_fini(&answers);
	buffer_free(&large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_question),
		cmocka_unit_test(the_oldest_goes),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
