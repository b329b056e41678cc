/*
 * How often programs that set themselves up may ask.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "../../src/cas/guests.h"

#define WINDOW_US (GUESTS_WINDOW_MS * UINT64_C(1000))

static unsigned
count_welcome(struct guests *guests, const char *address, unsigned times, uint64_t now_us)
{
	unsigned welcome = 0;

	for (unsigned i = 0; i < times; i++)
		welcome += guests_count(guests, address, now_us) == GUESTS_WELCOME;
	return welcome;
}

static void
test_an_address(void **state)
{
	struct guests guests = { 0 };

	(void)state;
	assert_int_equal(count_welcome(&guests, "192.0.2.1", 2 * GUESTS_ADDRESS_MAX, 7), GUESTS_ADDRESS_MAX);
	assert_int_equal(guests_count(&guests, "192.0.2.1", 8), GUESTS_TOO_OFTEN);
	assert_int_equal(guests_count(&guests, "::ffff:192.0.2.1", 8), GUESTS_TOO_OFTEN);
	assert_int_equal(guests_count(&guests, "192.0.2.2", 8), GUESTS_WELCOME);
	assert_int_equal(guests_count(&guests, "192.0.2.1", 6 + WINDOW_US), GUESTS_TOO_OFTEN);
	assert_int_equal(guests_count(&guests, "192.0.2.1", 7 + WINDOW_US), GUESTS_WELCOME);
	guests_fini(&guests);
}

/* Who has one address of IPv6 has the /64 around it. */
static void
test_a_network_of_one(void **state)
{
	struct guests guests = { 0 };

	(void)state;
	count_welcome(&guests, "2001:db8::1", GUESTS_ADDRESS_MAX, 0);
	assert_int_equal(guests_count(&guests, "2001:db8::2", 0), GUESTS_TOO_OFTEN);
	assert_int_equal(guests_count(&guests, "2001:db8:0:1::2", 0), GUESTS_WELCOME);
	guests_fini(&guests);
}

static void
test_all_together(void **state)
{
	struct guests guests = { 0 };
	unsigned welcome = 0;
	char address[32];

	(void)state;
	assert_int_equal(guests_rest_ms(&guests, 5), 0);
	for (unsigned i = 0; i < 2 * GUESTS_MAX; i++) {
		snprintf(address, sizeof address, "192.0.2.%u", i % 250);
		welcome += guests_count(&guests, address, WINDOW_US / 2) == GUESTS_WELCOME;
	}
	assert_int_equal(welcome, GUESTS_MAX);
	assert_int_equal(guests_count(&guests, "198.51.100.1", WINDOW_US), GUESTS_TOO_MANY);
	assert_int_equal(guests_rest_ms(&guests, WINDOW_US), GUESTS_WINDOW_MS / 2);
	assert_int_equal(guests_count(&guests, "198.51.100.1", WINDOW_US * 3 / 2), GUESTS_WELCOME);
	guests_fini(&guests);
}

/* A proxy brings many. */
static void
test_this_host(void **state)
{
	struct guests guests = { 0 };

	(void)state;
	assert_int_equal(count_welcome(&guests, "127.0.0.1", GUESTS_ADDRESS_MAX + 1, 0), GUESTS_ADDRESS_MAX + 1);
	assert_int_equal(count_welcome(&guests, "::1", GUESTS_ADDRESS_MAX + 1, 0), GUESTS_ADDRESS_MAX + 1);
	assert_int_equal(count_welcome(&guests, "127.0.0.1", GUESTS_MAX, 0), GUESTS_MAX - 2 * (GUESTS_ADDRESS_MAX + 1));
	guests_fini(&guests);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address),
		cmocka_unit_test(test_a_network_of_one),
		cmocka_unit_test(test_all_together),
		cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
