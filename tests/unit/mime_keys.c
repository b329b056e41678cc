/*
 * Keys looked for together are found as they are alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "mime/fold.h"
#include "mime/keys.h"

#define KEYS_MAX 600

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}

/* Letters of which there are few: so keys have beginnings and ends in common, and many are in the text. */
static void
add_word(uint32_t *seed, size_t length, uint32_t letters, struct buffer *out)
{
	while (length-- > 0)
		buffer_add_octet(out, (uint8_t)(draw(seed, 20) == 0 ? 0xF0 + draw(seed, 16) : 'A' + draw(seed, letters)));
}

/* Feed a text in pieces of any length, each with the overlap that is asked for. */
static void
feed(struct mime_keys *keys, struct span text, uint32_t *seed)
{
	size_t at = 0, overlap = mime_keys_overlap(keys);
	bool is_first = true;

	do {
		size_t begin = at < overlap ? 0 : at - overlap;

		at += 1 + draw(seed, 40);
		if (mime_keys_feed(keys, span_slice(text, begin, at - begin), is_first))
			return;
		is_first = false;
	} while (at < text.length);
}

static void
check(struct mime_keys *keys, const struct span *list, size_t count, struct span text, uint32_t *seed)
{
	mime_keys_restart(keys);
	feed(keys, text, seed);
	for (size_t i = 0; i < count; i++)
		if (mime_keys_found(keys, i) != mime_fold_contains(text, list[i]))
			fail_msg("\"%.*s\" in \"%.*s\"", SPAN_ARGS(list[i]), SPAN_ARGS(text));
}

static void
finds_as_alone(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		size_t count = round % 3 == 0 ? draw(&seed, 9) : draw(&seed, KEYS_MAX);
		uint32_t letters = 1 + draw(&seed, 26), longest = 1 + draw(&seed, 12);
		struct buffer *words = memory_new_array(count, sizeof *words), text = { 0 };
		struct span *list = memory_new_array(count, sizeof *list);
		struct mime_keys *keys;

		for (size_t i = 0; i < count; i++) {
			add_word(&seed, draw(&seed, longest + 1), letters, &words[i]);
			list[i] = buffer_span(&words[i]);
		}
		keys = mime_keys_new(list, count);
		for (unsigned texts = 0; texts < 3; texts++) {
			buffer_clear(&text);
			add_word(&seed, draw(&seed, 300), letters, &text);
			check(keys, list, count, buffer_span(&text), &seed);
		}
		mime_keys_free(&keys);
		for (size_t i = 0; i < count; i++)
			buffer_free(&words[i]);
		buffer_free(&text);
		free(words);
		free(list);
	}
}

/* Each key is the end of the next: one place of the text has them all. */
static void
finds_ends_of_keys(void **state)
{
	struct span list[100];
	char letters[100];
	struct mime_keys *keys;

	(void)state;
	memset(letters, 'A', sizeof letters);
	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = span_of(letters, i + 1);
	keys = mime_keys_new(list, COUNT_OF(list));
	assert_false(mime_keys_feed(keys, list[59], true));
	for (size_t i = 0; i < COUNT_OF(list); i++)
		assert_int_equal(mime_keys_found(keys, i), i < 60);
	assert_false(mime_keys_feed(keys, list[39], true));
	assert_true(mime_keys_feed(keys, list[59], false));
	mime_keys_free(&keys);
}

/* What stands apart is not taken together. */
static void
parts_texts(void **state)
{
	struct span list[20];
	char letters[20][4];
	struct mime_keys *keys;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		memcpy(letters[i], "AB", 2);
		letters[i][2] = (char)('A' + i);
		list[i] = span_of(letters[i], 3);
	}
	keys = mime_keys_new(list, COUNT_OF(list));
	mime_keys_feed(keys, SPAN("ABCA"), true);
	mime_keys_feed(keys, SPAN("BD"), true);
	assert_true(mime_keys_found(keys, 2));
	assert_false(mime_keys_found(keys, 3));
	mime_keys_feed(keys, SPAN("AB"), true);
	mime_keys_feed(keys, SPAN("D"), false);
	assert_true(mime_keys_found(keys, 3));
	mime_keys_restart(keys);
	assert_false(mime_keys_found(keys, 2));
	mime_keys_free(&keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_as_alone),
		cmocka_unit_test(finds_ends_of_keys),
		cmocka_unit_test(parts_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
