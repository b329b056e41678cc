/*
 * Lines of the control socket, requests and records: what was split is joined to a line that is split into the same, and
 * what programs get of a record is JSON, with the same keys and values.
 */
#include <assert.h>
#include <jansson.h>

#include "base/memory.h"
#include "control/record.h"
#include "control/words.h"

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
check_words(struct span line, struct arena *arena)
{
	struct span words[WORDS_MAX], again[WORDS_MAX];
	struct buffer joined = { 0 };
	size_t count = 0, count_again = 0;

	if (!control_split_words(line, arena, words, WORDS_MAX, &count))
		return;
	assert(count <= WORDS_MAX);
	for (size_t i = 0; i < count; i++)
		control_add_word(&joined, words[i]);
	assert(control_split_words(buffer_span(&joined), arena, again, WORDS_MAX, &count_again));
	assert(count == count_again);
	for (size_t i = 0; i < count; i++)
		assert(span_equals(words[i], again[i]));
	buffer_free(&joined);
}

/* Any octets as one word: no control character comes through, and nothing of it becomes another word. */
static void
check_word(struct span word, struct arena *arena)
{
	struct span again[2];
	struct buffer line = { 0 };
	size_t count = 0;

	control_add_field(&line, "key", word);
	assert(control_split_words(buffer_span(&line), arena, again, COUNT_OF(again), &count) && count == 1);
	assert(again[0].length == word.length + 4);
	for (size_t i = 0; i < word.length; i++) {
		bool is_control = word.at[i] < ' ' || word.at[i] == 0x7f;

		assert(again[0].at[i + 4] == (is_control ? ' ' : word.at[i]));
	}
	buffer_free(&line);
}

static void
check_record(struct span line, struct arena *arena)
{
	struct buffer text = { 0 };
	struct record record;
	json_t *json;

	if (!record_parse(line, arena, &record))
		return;
	record_add_json(&record, &text);
	json = json_loadb((const char *)text.at, text.length, JSON_ALLOW_NUL, NULL);
	assert(json_is_object(json));
	assert(json_object_size(json) <= record.count);
	json_decref(json);
	buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct arena *arena = arena_new();
	struct span input = span_of(octets, size);

	check_words(input, arena);
	check_word(input, arena);
	check_record(input, arena);
	arena_free(&arena);
	return 0;
}
