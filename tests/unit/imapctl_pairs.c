/* Pairs of UIDs as text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/pull/pairs.h"

static void
expect_text(const struct pairs *pairs, const char *text)
{
	struct buffer out = { 0 };

	pairs_write(pairs, 0, pairs->count, &out);
	assert_string_equal(buffer_string(&out), text);
	buffer_free(&out);
}

static void
test_round_trip(void **state)
{
	static const char *const texts[] = { "1 1", "1:3 4:6", "1:3,9 4:6,2", "5,7,9 1:3", "4294967295 4294967295", " " };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct pairs pairs = { 0 };

		assert_true(pairs_read(&pairs, span_from_string(texts[i])));
		expect_text(&pairs, texts[i]);
		pairs_free(&pairs);
	}
}

static void
test_what_makes_no_sense(void **state)
{
	static const char *const texts[] = { "1", "1:3 1:2", "1:2 1:3", "0 1", "1 0", "3:1 1:3", "1,,2 1:2", "1, 1", "x 1", "1:* 1",
		"1 4294967296", "1 1 1", "1:4294967295 1:2" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct pairs pairs = { 0 };

		assert_false(pairs_read(&pairs, span_from_string(texts[i])));
		pairs_free(&pairs);
	}
}

static void
test_changes(void **state)
{
	struct pairs pairs = { 0 };

	(void)state;
	assert_true(pairs_read(&pairs, SPAN("1:5 11:15")));
	pairs.changed_from = pairs.count;
	pairs_add(&pairs, 9, 20);
	assert_int_equal(pairs.changed_from, 5);
	pairs_add(&pairs, 7, 21);
	expect_text(&pairs, "1:5,7,9 11:15,21,20");
	assert_int_equal(pairs_find(&pairs, 7)->here, 21);
	assert_null(pairs_find(&pairs, 6));
	pairs.changed_from = pairs.count;
	pairs.at[2].here = 0;
	pairs_sweep(&pairs);
	assert_int_equal(pairs.changed_from, 2);
	expect_text(&pairs, "1:2,4:5,7,9 11:12,14:15,21,20");
	pairs_add(&pairs, 1, 99);
	assert_int_equal(pairs.count, 6);
	assert_int_equal(pairs.changed_from, 0);
	pairs_free(&pairs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_what_makes_no_sense),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
