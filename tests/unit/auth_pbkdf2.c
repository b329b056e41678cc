/*
 * Our PBKDF2 against a published vector, and against nettle's for keys and salts of all lengths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/pbkdf2.h>

#include "../../src/auth/pbkdf2.h"

/* RFC 7914 section 11: the first 32 octets for c = 1. */
static void
published_vector(void **state)
{
	static const uint8_t expected[PBKDF2_SHA256_LENGTH] = {
		0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f, 0xec, 0x16, 0x91, 0xc2, 0x25, 0x44, 0xb6, 0x05,
		0xf9, 0x41, 0x85, 0x21, 0x6d, 0xde, 0x04, 0x65, 0xe6, 0x8b, 0x9d, 0x57, 0xc2, 0x0d, 0xac, 0xbc,
	};
	uint8_t out[PBKDF2_SHA256_LENGTH];

	(void)state;
	pbkdf2_sha256(6, (const uint8_t *)"passwd", 1, 4, (const uint8_t *)"salt", sizeof out, out);
	assert_memory_equal(out, expected, sizeof out);
}

static void
as_nettle_has_it(void **state)
{
	uint8_t octets[256], ours[PBKDF2_SHA256_LENGTH], theirs[PBKDF2_SHA256_LENGTH];

	(void)state;
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i * 167 + 13);
	for (size_t length = 0; length <= 200; length++)
		for (unsigned iterations = 1; iterations <= 4; iterations++) {
			pbkdf2_sha256(length, octets, iterations, 200 - length, octets + 50, sizeof ours, ours);
			pbkdf2_hmac_sha256(length, octets, iterations, 200 - length, octets + 50, sizeof theirs, theirs);
			assert_memory_equal(ours, theirs, sizeof ours);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vector),
		cmocka_unit_test(as_nettle_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
