/*
 * Sets of trigrams: whatever has a key has its buckets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mime/fold.h"
#include "mime/signature.h"

#define SETS_MAX 64

static void
has_no_buckets_below_three(void **state)
{
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	struct mime_signature signature = { { 0 } };

	(void)state;
	assert_int_equal(mime_signature_key(SPAN(""), buckets), 0);
	assert_int_equal(mime_signature_key(SPAN("AB"), buckets), 0);
	assert_int_equal(mime_signature_key(SPAN("ABC"), buckets), 1);
	assert_false(mime_signature_has(&signature, buckets, 1));
	mime_signature_add(&signature, SPAN("AB"));
	assert_false(mime_signature_has(&signature, buckets, 1));
	mime_signature_add(&signature, SPAN("xABC"));
	assert_true(mime_signature_has(&signature, buckets, 1));
	assert_true(mime_signature_has(&signature, buckets, 0));
}

static void
tells_keys_apart(void **state)
{
	struct mime_signature signature = { { 0 } };
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	size_t count;

	(void)state;
	mime_signature_add(&signature, SPAN("THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG"));
	count = mime_signature_key(SPAN("QUICK BROWN"), buckets);
	assert_int_equal(count, 9);
	assert_true(mime_signature_has(&signature, buckets, count));
	count = mime_signature_key(SPAN("QUICK BROWSER"), buckets);
	assert_false(mime_signature_has(&signature, buckets, count));
	count = mime_signature_key(SPAN("AAAAAAAA"), buckets);
	assert_int_equal(count, 1);
}

/* A key of any length: what comes after the first 256 octets is not asked for. */
static void
cuts_long_keys(void **state)
{
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS], cut[MIME_SIGNATURE_KEY_BUCKETS];
	struct buffer key = { 0 };
	size_t count;

	(void)state;
	for (unsigned i = 0; key.length < 1000; i++)
		buffer_printf(&key, "%u,", i);
	count = mime_signature_key(buffer_span(&key), buckets);
	assert_in_range(count, 1, MIME_SIGNATURE_KEY_BUCKETS);
	assert_int_equal(mime_signature_key(span_slice(buffer_span(&key), 0, MIME_SIGNATURE_KEY_OCTETS), cut), count);
	assert_memory_equal(buckets, cut, count * sizeof *buckets);
	buffer_free(&key);
}

static unsigned
random_below(unsigned limit)
{
	return (unsigned)random() % limit;
}

/* Few letters, so that keys are met often, and some characters of more than one octet. */
static void
random_text(size_t length, struct buffer *out)
{
	static const char *const characters[] = { "a", "b", "c", "d", "e", " ", "\xc3\x9f", "\xef\xac\x81", "\xd0\x9f" };
	struct buffer text = { 0 };

	while (text.length < length)
		buffer_add_string(&text, characters[random_below(COUNT_OF(characters))]);
	mime_fold(buffer_span(&text), out);
	buffer_free(&text);
}

/* Sets that a text fills, given in pieces as mime_text_next() gives them. */
static size_t
fill(struct span text, struct mime_signature *signatures)
{
	size_t count = 0, given = 0;
	uint32_t octets = 0;

	memset(signatures, 0, SETS_MAX * sizeof *signatures);
	while (given < text.length) {
		size_t overlap = given < MIME_SIGNATURE_OVERLAP ? given : MIME_SIGNATURE_OVERLAP;
		size_t length = 1 + random_below(random_below(3) == 0 ? 300 : 20000);
		struct span piece = span_slice(text, given - overlap, overlap + length);

		given += length;
		while (mime_signature_fill(&signatures[count], &octets, &piece)) {
			assert_in_range(octets, 1, MIME_SIGNATURE_TEXT_OCTETS);
			octets = 0;
			assert_in_range(++count, 1, SETS_MAX - 1);
		}
		assert_int_equal(piece.length, 0);
	}
	return count + 1;
}

/* One of the sets has all buckets of any key that is in the text. */
static void
has_what_the_text_has(void **state)
{
	static struct mime_signature signatures[SETS_MAX];
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	struct buffer text = { 0 };

	(void)state;
	srandom(20261128);
	for (unsigned round = 0; round < 60; round++) {
		size_t sets, count;

		buffer_clear(&text);
		random_text(1 + random_below(60000), &text);
		sets = fill(buffer_span(&text), signatures);
		for (size_t at = 0; at < text.length; at += 1 + random_below(60)) {
			size_t length = 1 + random_below(random_below(2) == 0 ? 20 : 2 * MIME_SIGNATURE_KEY_OCTETS);
			bool is_there = false;

			count = mime_signature_key(span_slice(buffer_span(&text), at, length), buckets);
			for (size_t i = 0; i < sets && !is_there; i++)
				is_there = mime_signature_has(&signatures[i], buckets, count);
			assert_true(is_there);
		}
	}
	buffer_free(&text);
}

/* What is left of a set that is nearly full is not lost, and each step takes some text. */
static void
fills_to_the_end(void **state)
{
	static uint8_t octets_of_text[3 * MIME_SIGNATURE_TEXT_OCTETS];

	(void)state;
	for (uint32_t before = 0; before <= MIME_SIGNATURE_TEXT_OCTETS; before += before < 7900 ? 100 : 1) {
		struct mime_signature signature = { { 0 } };
		struct span text = span_of(octets_of_text, sizeof octets_of_text);
		uint32_t octets = before;

		assert_true(mime_signature_fill(&signature, &octets, &text));
		octets = 0;
		assert_true(mime_signature_fill(&signature, &octets, &text));
		assert_true(text.length < sizeof octets_of_text);
	}
}

static void
has_one_version(void **state)
{
	(void)state;
	assert_int_equal(mime_signature_version(), mime_signature_version());
	assert_in_range(mime_signature_version(), 1, INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_no_buckets_below_three),
		cmocka_unit_test(tells_keys_apart),
		cmocka_unit_test(cuts_long_keys),
		cmocka_unit_test(has_what_the_text_has),
		cmocka_unit_test(fills_to_the_end),
		cmocka_unit_test(has_one_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
