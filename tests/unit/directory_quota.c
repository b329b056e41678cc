/*
 * Limits as operators and LDAP schemas write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "directory/directory.h"

#define NONE   DIRECTORY_NO_LIMIT
#define M      (INT64_C(1) << 20)
#define G      (INT64_C(1) << 30)
#define KEPT   7	/* what was there before */
#define REFUSED { -7, -7 }

static void
reads_attributes(void **state)
{
	static const struct {
		struct span value;
		uint64_t unit;
		int64_t expected[2];	/* octets, messages */
	} cases[] = {
		{ SPAN("1073741824"), 1, { G, KEPT } },
		{ SPAN("1048576"), 1024, { G, KEPT } },		/* mDBStorageQuota */
		{ SPAN("1G"), 1, { G, KEPT } },
		{ SPAN("1G"), 1024, { G, KEPT } },
		{ SPAN(" 500 MB "), 1, { 500 * M, KEPT } },
		{ SPAN("2tib"), 1, { 2048 * G, KEPT } },
		{ SPAN("10b"), 1024, { 10, KEPT } },
		{ SPAN("100000000S"), 1024, { 100000000, KEPT } },
		{ SPAN("100000000S,1000C"), 1, { 100000000, 1000 } },
		{ SPAN("1000C, 5S"), 1, { 5, 1000 } },
		{ SPAN("0S,0C"), 1, { NONE, NONE } },
		{ SPAN("0"), 1, { NONE, KEPT } },
		{ SPAN("-1"), 1, { NONE, KEPT } },
		{ SPAN("NOQUOTA"), 1, { NONE, KEPT } },		/* vpopmail */
		{ SPAN("-2"), 1, { 0, KEPT } },			/* iPlanet: as configured */
		{ SPAN("*:storage=1G"), 1, { G, KEPT } },
		{ SPAN("*:storage=1048576"), 1, { G, KEPT } },
		{ SPAN("*:storage=1G:messages=1000"), 1, { G, 1000 } },
		{ SPAN("*:bytes=1000"), 1, { 1000, KEPT } },
		{ SPAN("*:bytes=10M"), 1024, { 10 * M, KEPT } },
		{ SPAN("?:messages=5"), 1, { KEPT, 5 } },
		{ SPAN("storage=2G"), 1, { 2 * G, KEPT } },
		{ SPAN("*:storage=0"), 1, { NONE, KEPT } },
		{ SPAN("*:ignore"), 1, { NONE, NONE } },
		{ SPAN("Trash:storage=+10%"), 1, { KEPT, KEPT } },
		{ SPAN("Trash:ignore"), 1, { KEPT, KEPT } },
		{ SPAN("*:storage=+10%"), 1, REFUSED },
		{ SPAN("*:storage=1G:what=1"), 1, REFUSED },
		{ SPAN("*:storage="), 1, REFUSED },
		{ SPAN("*:messages=1G"), 1, REFUSED },
		{ SPAN(""), 1, REFUSED },
		{ SPAN("much"), 1, REFUSED },
		{ SPAN("-3"), 1, REFUSED },
		{ SPAN("1X"), 1, REFUSED },
		{ SPAN("1 G x"), 1, REFUSED },
		{ SPAN("1S,"), 1, REFUSED },
		{ SPAN("9223372036854775807"), 1, { INT64_MAX, KEPT } },
		{ SPAN("9223372036854775807"), 1024, REFUSED },
		{ SPAN("9223372036854775808"), 1, REFUSED },
		{ SPAN("8388608T"), 1, REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct directory_quota quota = { { KEPT, KEPT, KEPT } };
		bool is_good = directory_read_quota(cases[i].value, cases[i].unit, &quota);
		bool is_expected = cases[i].expected[0] != -7;

		assert_int_equal(is_good, is_expected);
		assert_true(quota.of[DIRECTORY_STORAGE] == (is_expected ? cases[i].expected[0] : KEPT));
		assert_true(quota.of[DIRECTORY_MESSAGES] == (is_expected ? cases[i].expected[1] : KEPT));
		assert_int_equal(quota.of[DIRECTORY_MAILBOXES], KEPT);
	}
}

static void
reads_limits(void **state)
{
	static const struct {
		struct span text;
		enum directory_resource resource;
		int64_t expected;	/* -7: none is read */
	} cases[] = {
		{ SPAN("2G"), DIRECTORY_STORAGE, 2 * G },
		{ SPAN("100"), DIRECTORY_STORAGE, 100 },
		{ SPAN("none"), DIRECTORY_STORAGE, NONE },
		{ SPAN("0"), DIRECTORY_STORAGE, NONE },
		{ SPAN("default"), DIRECTORY_STORAGE, 0 },
		{ SPAN("1024T"), DIRECTORY_STORAGE, 1024 * 1024 * G },
		{ SPAN("1025T"), DIRECTORY_STORAGE, -7 },
		{ SPAN("1k"), DIRECTORY_MESSAGES, -7 },
		{ SPAN("4294967295"), DIRECTORY_MESSAGES, UINT32_MAX },
		{ SPAN("4294967296"), DIRECTORY_MESSAGES, -7 },
		{ SPAN("10000"), DIRECTORY_MAILBOXES, 10000 },
		{ SPAN("10001"), DIRECTORY_MAILBOXES, -7 },
		{ SPAN("-1"), DIRECTORY_MESSAGES, -7 },
		{ SPAN(""), DIRECTORY_STORAGE, -7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t limit = -7;

		assert_int_equal(directory_read_limit(cases[i].text, cases[i].resource, &limit), cases[i].expected != -7);
		assert_true(limit == cases[i].expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_attributes),
		cmocka_unit_test(reads_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
