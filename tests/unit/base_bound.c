/*
 * Places in what stands in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bound.h"

#define COUNT_MAX 9

/* The place is that of a walk from the front, whatever is there once, twice or not at all. */
static void
place_is_first(void **state)
{
	static const unsigned rising[COUNT_MAX] = { 1, 3, 3, 3, 4, 7, 9, 9, 12 };

	(void)state;
	for (size_t count = 0; count <= COUNT_MAX; count++) {
		for (unsigned wanted = 0; wanted <= 13; wanted++) {
			size_t expected = 0;

			while (expected < count && rising[expected] < wanted)
				expected++;
			assert_int_equal(LOWER_BOUND(count, i, rising[i] < wanted), expected);
		}
	}
}

/* Only places that there are are asked about, each at most once, and few of many. */
static void
few_are_asked(void **state)
{
	size_t asked = 0;

	(void)state;
	assert_int_equal(LOWER_BOUND(1000000, i, (assert_true(i < 1000000), asked++, i < 999999)), 999999);
	assert_in_range(asked, 1, 20);
	asked = 0;
	assert_int_equal(LOWER_BOUND(0, i, (asked++, i < 1)), 0);
	assert_int_equal(asked, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_is_first),
		cmocka_unit_test(few_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
