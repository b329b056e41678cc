/*
 * Sets of numbers: what is read, what "*" becomes, what is written.  RFC 9051 section 9.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/sequence.h"

static const struct {
	const char *input;
	uint32_t largest;
	const char *expected;	/* NULL: refused */
} cases[] = {
	{ "1", 9, "1" },
	{ "4:2", 9, "2:4" },		/* the ends may stand in either order */
	{ "2,4:7,9,12:*", 15, "2,4:7,9,12:15" },
	{ "*:4,5:7", 10, "4:10" },	/* RFC 9051 section 9, "sequence-set" */
	{ "1,1,1,2,3", 9, "1:3" },
	{ "5,3,1", 9, "1,3,5" },
	{ "*", 7, "7" },
	{ "*:*", 7, "7" },
	{ "9:*", 5, "5" },		/* always holds the last message */
	{ "3,9:*", 5, "3,5" },
	{ "*", 0, "" },
	{ "1:*", 0, "" },
	{ "4294967295", 9, "4294967295" },
	{ "4294967294:4294967295,1", 9, "1,4294967294:4294967295" },
	{ "0", 9, NULL },		/* no message has number zero */
	{ "01", 9, NULL },
	{ "1:0", 9, NULL },
	{ "4294967296", 9, NULL },
	{ "", 9, NULL },
	{ ",", 9, NULL },
	{ "1,", 9, NULL },
	{ "1:", 9, NULL },
	{ ":1", 9, NULL },
	{ "1:2:3", 9, NULL },
	{ "1 2", 9, NULL },
	{ "$,1", 9, NULL },
	{ "-1", 9, NULL },
	{ "**", 9, NULL },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		struct buffer out = { 0 };
		struct imap_sequence sequence;
		bool is_good = imap_sequence_parse(arena, span_from_string(cases[i].input), &sequence);

		assert_int_equal(is_good, cases[i].expected != NULL);
		if (is_good) {
			imap_sequence_resolve(&sequence, cases[i].largest);
			imap_sequence_write(&out, &sequence);
			assert_string_equal(buffer_string(&out), cases[i].expected);
		}
		buffer_free(&out);
		arena_free(&arena);
	}
}

static void
test_saved(void **state)
{
	struct arena *arena = arena_new();
	struct imap_sequence sequence;

	(void)state;
	assert_true(imap_sequence_parse(arena, SPAN("$"), &sequence));
	assert_true(sequence.is_saved);
	assert_int_equal(sequence.count, 0);
	arena_free(&arena);
}

static void
test_questions(void **state)
{
	struct arena *arena = arena_new();
	struct imap_sequence sequence;
	uint32_t number = 0, sum = 0;

	(void)state;
	assert_true(imap_sequence_parse(arena, SPAN("2:3,7,10:11"), &sequence));
	assert_false(imap_sequence_contains(&sequence, 1));
	assert_true(imap_sequence_contains(&sequence, 3));
	assert_false(imap_sequence_contains(&sequence, 4));
	assert_true(imap_sequence_contains(&sequence, 11));
	assert_false(imap_sequence_contains(&sequence, 12));
	assert_int_equal(imap_sequence_highest(&sequence), 11);
	while (imap_sequence_next(&sequence, &number))
		sum += number;
	assert_int_equal(sum, 2 + 3 + 7 + 10 + 11);
	arena_free(&arena);
}

static void
test_many_ranges(void **state)
{
	struct arena *arena = arena_new();
	struct buffer text = { 0 };
	struct imap_sequence sequence;

	(void)state;
	for (uint32_t i = 100000; i > 0; i--)
		buffer_printf(&text, "%u%s", i * 2, i == 1 ? "" : ",");
	assert_true(imap_sequence_parse(arena, buffer_span(&text), &sequence));
	assert_int_equal(sequence.count, 100000);
	assert_true(imap_sequence_contains(&sequence, 199998));
	assert_false(imap_sequence_contains(&sequence, 199999));
	buffer_free(&text);
	arena_free(&arena);
}

static void
test_set_writer(void **state)
{
	struct buffer out = { 0 };
	struct imap_set_writer writer = { .out = &out };
	static const uint32_t numbers[] = { 1, 2, 3, 7, 9, 10, 4, 4294967295, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		imap_set_writer_add(&writer, numbers[i]);
	imap_set_writer_end(&writer);
	assert_string_equal(buffer_string(&out), "1:3,7,9:10,4,4294967295,1");
	buffer_free(&out);
}

/* Sets of the numbers 1 to 64 as bits. */

static struct imap_sequence
of_bits(struct arena *arena, uint64_t bits, uint32_t seed)
{
	struct imap_range *ranges = arena_alloc_array(arena, 64, sizeof *ranges);
	size_t count = 0;

	/* In some order, in pieces that may touch. */
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t number = (i * 37 + seed) % 64;

		if (bits >> number & 1)
			ranges[count++] = (struct imap_range){ number + 1, number + 1 };
	}
	return imap_sequence_of(ranges, count);
}

static void
assert_bits(const struct imap_sequence *sequence, uint64_t bits)
{
	uint64_t size = 0;

	for (uint32_t number = 1; number <= 64; number++) {
		bool is_in = (bits >> (number - 1) & 1) != 0;

		assert_int_equal(imap_sequence_contains(sequence, number), is_in);
		if (is_in)
			assert_int_equal(imap_sequence_at(sequence, size++), number);
	}
	assert_int_equal(imap_sequence_size(sequence), size);
	assert_int_equal(imap_sequence_at(sequence, size), 0);
	for (size_t i = 1; i < sequence->count; i++)
		assert_true(sequence->ranges[i].first > sequence->ranges[i - 1].last + 1);
}

static void
test_algebra(void **state)
{
	uint64_t draw = 88172645463325252;
	uint64_t bits[2];

	(void)state;
	for (uint32_t turn = 0; turn < 2000; turn++) {
		struct arena *arena = arena_new();
		struct imap_sequence sets[2], common, rest;

		for (int i = 0; i < 2; i++) {
			draw ^= draw << 13, draw ^= draw >> 7, draw ^= draw << 17;
			bits[i] = turn % 3 == 0 ? draw : draw & draw >> 3 & draw >> 11;
			sets[i] = of_bits(arena, bits[i], turn);
			assert_bits(&sets[i], bits[i]);
		}
		common = imap_sequence_common(arena, &sets[0], &sets[1]);
		rest = imap_sequence_without(arena, &sets[0], &sets[1]);
		assert_bits(&common, bits[0] & bits[1]);
		assert_bits(&rest, bits[0] & ~bits[1]);
		arena_free(&arena);
	}
}

static void
test_ends_of_the_range(void **state)
{
	struct arena *arena = arena_new();
	struct imap_range all[] = { { 1, UINT32_MAX } }, ends[] = { { UINT32_MAX, UINT32_MAX }, { 1, 1 } };
	struct imap_sequence whole = imap_sequence_of(all, 1), both = imap_sequence_of(ends, 2);
	struct imap_sequence rest = imap_sequence_without(arena, &whole, &both);

	(void)state;
	assert_int_equal(rest.count, 1);
	assert_int_equal(rest.ranges[0].first, 2);
	assert_int_equal(rest.ranges[0].last, UINT32_MAX - 1);
	assert_int_equal(imap_sequence_without(arena, &both, &whole).count, 0);
	assert_int_equal(imap_sequence_common(arena, &whole, &both).count, 2);
	assert_int_equal(imap_sequence_at(&whole, UINT32_MAX - 1), UINT32_MAX);
	arena_free(&arena);
}

static void
test_rising(void **state)
{
	static const char *const good[] = { "1", "1,2,3", "1:3,5", "1:1,2", "7:9,4294967295" };
	static const char *const bad[] = { "", "2,1", "1,1", "3:1", "1:3,3", "*", "1:*", "$", "1,", "1;2" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(imap_sequence_is_rising(span_from_string(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(imap_sequence_is_rising(span_from_string(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_saved),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_many_ranges),
		cmocka_unit_test(test_set_writer),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_ends_of_the_range),
		cmocka_unit_test(test_rising),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
