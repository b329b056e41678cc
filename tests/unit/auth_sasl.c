/*
 * SASL exchanges that are not SCRAM, and everything that must not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/sasl.h"
#include "base/base64.h"
#include "base/memory.h"

static const struct sasl_facts facts = { .offered = ~0u };

static enum sasl_event
respond(struct sasl *sasl, struct span message)
{
	struct buffer line = { 0 };
	enum sasl_event event;

	base64_encode(message, &line);
	event = sasl_respond(sasl, buffer_span(&line));
	buffer_free(&line);
	return event;
}

static enum sasl_event
start(struct sasl *sasl, struct span message)
{
	struct buffer line = { 0 };
	struct span span;
	enum sasl_event event;

	base64_encode(message, &line);
	span = line.length == 0 ? SPAN("=") : buffer_span(&line);
	event = sasl_start(sasl, &span);
	buffer_free(&line);
	return event;
}

static void
finds_mechanisms(void **state)
{
	unsigned permitted = 1u << SASL_PLAIN | 1u << SASL_SCRAM_SHA_256;
	enum sasl_mechanism mechanism = SASL_MECHANISM_COUNT;

	(void)state;
	assert_true(sasl_find_mechanism(SPAN("scram-sha-256"), permitted, &mechanism));
	assert_int_equal(mechanism, SASL_SCRAM_SHA_256);
	assert_false(sasl_find_mechanism(SPAN("SCRAM-SHA-256-PLUS"), permitted, &mechanism));
	assert_true(sasl_find_mechanism(SPAN("SCRAM-SHA-256-PLUS"), ~0u, &mechanism));
	assert_int_equal(mechanism, SASL_SCRAM_SHA_256_PLUS);
	assert_false(sasl_find_mechanism(SPAN("PLAI"), permitted, &mechanism));
	assert_string_equal(sasl_mechanism_name(SASL_LOGIN), "LOGIN");
}

static void
plain(void **state)
{
	static const struct {
		struct span message;
		enum sasl_event expected;
	} cases[] = {
		{ SPAN("\0tim\0tanstaaftanstaaf"), SASL_VERIFY },	/* RFC 4616 section 4 */
		{ SPAN("tim\0tim\0x"), SASL_VERIFY },
		{ SPAN("TIM\0tim\0x"), SASL_VERIFY },
		{ SPAN("root\0tim\0x"), SASL_FAILED },
		{ SPAN(""), SASL_MALFORMED },
		{ SPAN("tim"), SASL_MALFORMED },
		{ SPAN("\0tim"), SASL_MALFORMED },
		{ SPAN("\0tim\0"), SASL_MALFORMED },
		{ SPAN("\0\0x"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0y"), SASL_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);

		assert_int_equal(start(sasl, cases[i].message), cases[i].expected);
		if (cases[i].expected == SASL_VERIFY) {
			assert_true(span_equals(sasl_user(sasl), SPAN("tim")));
			assert_true(sasl_password(sasl).length > 0);
			assert_int_equal(sasl_verified(sasl, i != 0),
			    i != 0 ? SASL_DONE : SASL_FAILED);
		}
		sasl_free(&sasl);
		assert_null(sasl);
	}
}

static void
refuses_loose_base64(void **state)
{
	static const char *const lines[] = {
		"AHRpbQB4 ", " AHRpbQB4", "AHRpbQB", "AHRpbQB4=", "AHRpbQB4====", "AHRp\nbQB4", "\xff",
		"AHRpbQB4eR==", "===", "AHRpbQB4AA=A",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);

		assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
		assert_int_equal(sasl_challenge(sasl).length, 0);
		assert_int_equal(sasl_respond(sasl, span_from_string(lines[i])), SASL_MALFORMED);
		sasl_free(&sasl);
	}
}

static void
refuses_long_lines(void **state)
{
	struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);
	static char line[SASL_LINE_MAX + 4];
	struct span span = span_of(line, sizeof line);

	(void)state;
	memset(line, 'A', sizeof line);
	assert_int_equal(sasl_start(sasl, &span), SASL_MALFORMED);
	sasl_free(&sasl);
}

static void
login(void **state)
{
	struct sasl *sasl = sasl_new(SASL_LOGIN, &facts);

	(void)state;
	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	assert_true(span_equals(sasl_challenge(sasl), SPAN("VXNlcm5hbWU6")));
	assert_int_equal(respond(sasl, SPAN("tim")), SASL_CHALLENGE);
	assert_true(span_equals(sasl_challenge(sasl), SPAN("UGFzc3dvcmQ6")));
	assert_int_equal(respond(sasl, SPAN("secret")), SASL_VERIFY);
	assert_true(span_equals(sasl_user(sasl), SPAN("tim")));
	assert_true(span_equals(sasl_password(sasl), SPAN("secret")));
	assert_int_equal(sasl_verified(sasl, true), SASL_DONE);
	sasl_free(&sasl);

	sasl = sasl_new(SASL_LOGIN, &facts);
	assert_int_equal(start(sasl, SPAN("tim")), SASL_CHALLENGE);
	assert_int_equal(sasl_respond(sasl, SPAN("*")), SASL_CANCELLED);
	sasl_free(&sasl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_mechanisms),
		cmocka_unit_test(plain),
		cmocka_unit_test(refuses_loose_base64),
		cmocka_unit_test(refuses_long_lines),
		cmocka_unit_test(login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
