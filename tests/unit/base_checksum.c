/*
 * UMAC-64: vectors of the appendix of RFC 4418, whole and in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/memory.h"

static const struct { const char *text; size_t times; uint64_t expected; } cases[] = {
	{ "", 1, 0x6e155fad26900be1 },
	{ "a", 3, 0x44b5cb542f220104 },
	{ "a", 1 << 10, 0x26bf2f5d60118bd9 },
	{ "a", 1 << 15, 0x27f8ef643b0d118d },
	{ "a", 1 << 20, 0xa4477e87e9f55853 },
	{ "abc", 1, 0xd4d7b9f6bd4fbfcf },
	{ "abc", 500, 0xd4cf26ddefd5c01a },
};

static void
write_case(size_t number, struct buffer *out)
{
	for (size_t i = 0; i < cases[number].times; i++)
		buffer_add_string(out, cases[number].text);
}

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer input = { 0 };

		write_case(i, &input);
		assert_int_equal(checksum_of(buffer_span(&input)), cases[i].expected);
		buffer_free(&input);
	}
}

static void
assert_in_pieces(struct span input, size_t cut, uint64_t expected)
{
	struct checksum *sum = checksum_new();

	checksum_add(sum, span_slice(input, 0, cut));
	checksum_add(sum, span_slice(input, cut, 7));
	checksum_add(sum, span_from(input, cut + 7));
	assert_int_equal(checksum_finish(&sum), expected);
	assert_null(sum);
}

static void
test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer input = { 0 };

		write_case(i, &input);
		for (size_t cut = 0; cut <= input.length && cut < 2100; cut += cut < 70 ? 1 : 509)
			assert_in_pieces(buffer_span(&input), cut, cases[i].expected);
		buffer_free(&input);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
