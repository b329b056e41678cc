/*
 * The words of a control line: what is joined comes apart the same, and what is broken is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "control/words.h"

static const struct {
	const char *line;
	const char *words[4];	/* NULL first: refused */
} splits[] = {
	{ "user add alice", { "user", "add", "alice" } },
	{ "  who  ", { "who" } },
	{ "a \"b c\" d", { "a", "b c", "d" } },
	{ "a \"b \\\" \\\\\"", { "a", "b \" \\" } },
	{ "x=\"a b\"c", { "x=a bc" } },
	{ "a \"\" b", { "a", "", "b" } },
	{ "back\\slash", { "back\\slash" } },
	{ "a \"b", { NULL } },
	{ "a \"b\\", { NULL } },
	{ "a\tb", { NULL } },
	{ "a\rb", { NULL } },
	{ "1 2 3 4 5", { NULL } },
};

static void
test_split(void **state)
{
	struct span words[4];
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(splits); i++) {
		struct arena *arena = arena_new();
		bool is_good = control_split_words(span_from_string(splits[i].line), arena, words, 4,
		    &count);

		assert_int_equal(is_good, splits[i].words[0] != NULL);
		for (size_t j = 0; is_good && j < 4; j++) {
			assert_int_equal(j < count, splits[i].words[j] != NULL);
			if (j < count)
				assert_true(span_equals(words[j],
				    span_from_string(splits[i].words[j])));
		}
		arena_free(&arena);
	}
}

static void
test_empty(void **state)
{
	struct arena *arena = arena_new();
	struct span words[1];
	size_t count = 7;

	(void)state;
	assert_true(control_split_words(SPAN("   "), arena, words, 1, &count));
	assert_int_equal(count, 0);
	arena_free(&arena);
}

static const char *const joins[] = { "alice", "", "two words", "a\"b", "a\\b", "{5}", "Gr\xc3\xbc\xc3\x9f" };

static void
test_join_and_split(void **state)
{
	struct arena *arena = arena_new();
	struct span words[COUNT_OF(joins)];
	struct buffer line = { 0 };
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(joins); i++)
		control_add_word(&line, span_from_string(joins[i]));
	assert_true(control_split_words(buffer_span(&line), arena, words, COUNT_OF(joins), &count));
	assert_int_equal(count, COUNT_OF(joins));
	for (size_t i = 0; i < count; i++)
		assert_true(span_equals(words[i], span_from_string(joins[i])));
	buffer_free(&line);
	arena_free(&arena);
}

static void
test_field(void **state)
{
	struct buffer line = { 0 };

	(void)state;
	control_add_word(&line, SPAN("role"));
	control_add_field(&line, "name", SPAN("a b\n"));
	control_add_number(&line, "count", 9223372036854775807);
	control_add_number(&line, "days", -2);
	assert_string_equal(buffer_string(&line), "role name=\"a b \" count:=9223372036854775807 days:=-2");
	buffer_free(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_join_and_split),
		cmocka_unit_test(test_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
