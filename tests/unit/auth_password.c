/*
 * Credentials, the cache of successes, and the delays after failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/cache.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "base/memory.h"

#define SECOND_US UINT64_C(1000000)

static void
verifies(void **state)
{
	static const struct {
		struct span password, credential;
		bool expected;
	} cases[] = {
		/* RFC 7677's user, password "pencil". */
		{ SPAN("pencil"), SPAN("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
		    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
		    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), true },
		{ SPAN("Pencil"), SPAN("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
		    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
		    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), false },
		/* Damaged ones. */
		{ SPAN("pencil"), SPAN("SCRAM-SHA-256$1:W22ZaJ0SNY7soEsUEjb6gQ==$"
		    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
		    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), false },
		{ SPAN("pencil"), SPAN("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d"), false },
		{ SPAN("pencil"), SPAN("pencil"), false },
		{ SPAN("pencil"), SPAN("$x"), false },
		{ SPAN("pencil"), SPAN("$unknown$salt$hash"), false },
		{ SPAN("pencil"), SPAN(""), false },
		/* Ulrich Drepper's test vector of sha512crypt. */
		{ SPAN("Hello world!"), SPAN("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
		    "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"), true },
		{ SPAN("Hello world"), SPAN("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
		    "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"), false },
		{ SPAN(""), SPAN(""), false },
		{ SPAN("pen\0cil"), SPAN(""), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(password_verify(cases[i].password, cases[i].credential),
		    cases[i].expected);
}

static void
derives(void **state)
{
	struct buffer one = { 0 }, two = { 0 };
	static const char long_one[PASSWORD_MAX + 1] = { 'a' };

	(void)state;
	/* U+2168 ROMAN NUMERAL NINE, a soft hyphen and a no-break space: RFC 4013 section 3. */
	assert_true(password_derive(SPAN("I\xc2\xadX\xc2\xa0\xe2\x85\xa8"), false, &one));
	assert_true(span_starts_with(buffer_span(&one), SPAN("SCRAM-SHA-256$15000:")));
	assert_true(password_is_credential(buffer_span(&one)));
	assert_true(password_verify(SPAN("IX IX"), buffer_span(&one)));
	assert_false(password_verify(SPAN("ix ix"), buffer_span(&one)));
	assert_true(password_derive(SPAN("I\xc2\xadX\xc2\xa0\xe2\x85\xa8"), false, &two));
	assert_false(span_equals(buffer_span(&one), buffer_span(&two)));	/* another salt */
	buffer_clear(&two);
	assert_false(password_derive(SPAN(""), false, &two));
	assert_false(password_derive(SPAN("a\0b"), false, &two));
	assert_false(password_derive(span_of(long_one, sizeof long_one), false, &two));
	assert_int_equal(two.length, 0);
	assert_true(password_derive(SPAN("secret"), true, &two));
	assert_true(span_starts_with(buffer_span(&two), SPAN("SCRAM-SHA-256$15000:")));
	assert_non_null(strstr(buffer_string(&two), " SCRAM-SHA-1$15000:"));
	assert_true(password_is_credential(buffer_span(&two)));
	assert_true(password_verify(SPAN("secret"), buffer_span(&two)));
	assert_false(password_verify(SPAN("secrets"), buffer_span(&two)));
	/* Of a user who was imported with keys for SHA-1 alone. */
	assert_true(password_verify(SPAN("secret"), span_from_string(strchr(buffer_string(&two), ' ') + 1)));
	buffer_add_string(&two, " ");
	assert_false(password_is_credential(buffer_span(&two)));
	buffer_clear(&two);
	assert_true(password_derive(SPAN("\xff\xfe"), false, &two));
	assert_true(password_verify(SPAN("\xff\xfe"), buffer_span(&two)));
	buffer_free(&one);
	buffer_free(&two);
}

static void
remembers_successes(void **state)
{
	struct auth_cache *cache = auth_cache_new(60, 2);
	struct auth_proof tim = { SPAN("tim"), 1, SASL_PLAIN, SPAN("secret") };
	struct auth_proof ann = { SPAN("ann"), 1, SASL_PLAIN, SPAN("secret") };
	struct auth_proof bob = { SPAN("bob"), 1, SASL_PLAIN, SPAN("secret") };
	struct auth_proof other;

	(void)state;
	assert_false(auth_cache_has(cache, &tim, 0));
	auth_cache_add(cache, &tim, 0);
	assert_true(auth_cache_has(cache, &tim, 59 * SECOND_US));
	other = tim, other.password = SPAN("Secret");
	assert_false(auth_cache_has(cache, &other, 0));
	other = tim, other.credential_version = 2;
	assert_false(auth_cache_has(cache, &other, 0));
	other = tim, other.mechanism = SASL_LOGIN;
	assert_false(auth_cache_has(cache, &other, 0));
	other = tim, other.user = SPAN("tims"), other.password = SPAN("ecret");
	assert_false(auth_cache_has(cache, &other, 0));
	assert_true(auth_cache_has(cache, &tim, 0));

	auth_cache_add(cache, &ann, 1);
	auth_cache_add(cache, &bob, 2);		/* no room for three */
	assert_false(auth_cache_has(cache, &tim, 3));
	assert_true(auth_cache_has(cache, &ann, 3));
	assert_false(auth_cache_has(cache, &bob, 60 * SECOND_US + 2));
	auth_cache_clear(cache);
	assert_false(auth_cache_has(cache, &ann, 3));
	auth_cache_free(&cache);
	assert_null(cache);

	cache = auth_cache_new(0, 10);
	auth_cache_add(cache, &tim, 0);
	assert_false(auth_cache_has(cache, &tim, 0));
	auth_cache_free(&cache);
}

static void
places(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_one;
	} pairs[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "2001:db8:1:2::3", "2001:db8:1:2:ffff::", true },
		{ "2001:db8:1:2::3", "2001:db8:1:3::3", false },
		{ "unix", "unix", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		uint8_t a[16], b[16];

		assert_int_equal(span_equals(throttle_place(pairs[i].a, a), throttle_place(pairs[i].b, b)),
		    pairs[i].is_one);
	}
}

static void
delays_failures(void **state)
{
	static const struct {
		const char *address;
		struct span user;
		uint64_t now_s;
		uint32_t expected_ms;
	} cases[] = {
		{ "192.0.2.1", SPAN("a"), 0, 2000 },
		{ "192.0.2.2", SPAN("b"), 0, 2000 },
		{ "192.0.2.2", SPAN("c"), 1, 4000 },		/* by address */
		{ "::ffff:192.0.2.2", SPAN("d"), 1, 8000 },
		{ "192.0.2.3", SPAN("A"), 2, 4000 },		/* by user */
		{ "2001:db8::1", SPAN(""), 2, 2000 },
		{ "2001:db8::ffff", SPAN(""), 2, 4000 },	/* the same /64 */
		{ "2001:db8:0:1::1", SPAN(""), 2, 2000 },
		{ "192.0.2.2", SPAN("e"), 3, 15000 },
		{ "192.0.2.2", SPAN("f"), 4, 15000 },
		{ "192.0.2.2", SPAN("g"), 4 + THROTTLE_MEMORY_S, 2000 },
		{ "@", SPAN("h"), 5 + THROTTLE_MEMORY_S, 2000 },
	};
	struct throttle *throttle = throttle_new(100);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(throttle_failed(throttle, cases[i].address, cases[i].user,
		    cases[i].now_s * SECOND_US), cases[i].expected_ms);
	throttle_succeeded(throttle, SPAN("H"));
	throttle_succeeded(throttle, SPAN("nobody"));
	assert_int_equal(throttle_failed(throttle, "192.0.2.77", SPAN("h"),
	    (6 + THROTTLE_MEMORY_S) * SECOND_US), 2000);
	throttle_free(&throttle);
	assert_null(throttle);

	throttle = throttle_new(1);
	assert_int_equal(throttle_failed(throttle, "192.0.2.1", SPAN("a"), 0), 2000);
	assert_int_equal(throttle_failed(throttle, "192.0.2.2", SPAN("b"), 0), 2000);
	assert_int_equal(throttle_failed(throttle, "192.0.2.1", SPAN("a"), 0), 2000);
	throttle_free(&throttle);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies),
		cmocka_unit_test(derives),
		cmocka_unit_test(remembers_successes),
		cmocka_unit_test(places),
		cmocka_unit_test(delays_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
