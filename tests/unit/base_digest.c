/*
 * SHA-256: vectors of FIPS 180-2 appendix B, whole and in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"

static const struct { const char *input, *expected; } cases[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void
assert_digest(const uint8_t digest[DIGEST_LENGTH], const char *expected)
{
	char text[2 * DIGEST_LENGTH + 1];

	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, expected);
}

static void
test_vectors(void **state)
{
	uint8_t digest[DIGEST_LENGTH];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		digest_sha256(span_from_string(cases[i].input), digest);
		assert_digest(digest, cases[i].expected);
	}
}

static void
test_pieces(void **state)
{
	uint8_t digest[DIGEST_LENGTH];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span input = span_from_string(cases[i].input);

		for (size_t cut = 0; cut <= input.length; cut++) {
			struct digest *pieces = digest_new();

			digest_add(pieces, span_slice(input, 0, cut));
			digest_add(pieces, span_from(input, cut));
			digest_finish(&pieces, digest);
			assert_null(pieces);
			assert_digest(digest, cases[i].expected);
		}
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
