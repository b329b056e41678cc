/*
 * Records as JSON: numbers are JSON's, and whatever else stands behind ":=" in a file that somebody has written is text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "control/record.h"

static const struct {
	const char *line, *json;
} cases[] = {
	{ "user name=alice size:=12 days:=-2 zero:=0", "{\"name\":\"alice\",\"size\":12,\"days\":-2,\"zero\":0}" },
	{ "user name=12 text=\"a \\\"b\\\"\"", "{\"name\":\"12\",\"text\":\"a \\\"b\\\"\"}" },
	{ "user size:=x", "{\"size\":\"x\"}" },
	{ "user size:=", "{\"size\":\"\"}" },
	{ "user size:=-", "{\"size\":\"-\"}" },
	{ "user size:=9223372036854775807", "{\"size\":9223372036854775807}" },
	{ "user size:=9223372036854775808", "{\"size\":\"9223372036854775808\"}" },
	{ "user size:=007", "{\"size\":\"007\"}" },
	{ "user \"size:=1,\\\"evil\\\":2\"", "{\"size\":\"1,\\\"evil\\\":2\"}" },
	{ "user size:=1e5 other:=1.50 less:=-0.5", "{\"size\":\"1e5\",\"other\":1.50,\"less\":-0.5}" },
	{ "user a:=1. b:=.5 c:=1.2.3 d:=1.-2 e:=--1", "{\"a\":\"1.\",\"b\":\".5\",\"c\":\"1.2.3\",\"d\":\"1.-2\",\"e\":\"--1\"}" },
	{ "user word", "{\"word\":\"\"}" },
	{ "user", "{}" },
};

static void
writes_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		struct buffer json = { 0 };
		struct record record;

		assert_true(record_parse(span_from_string(cases[i].line), arena, &record));
		record_add_json(&record, &json);
		assert_string_equal(buffer_string(&json), cases[i].json);
		buffer_free(&json);
		arena_free(&arena);
	}
}

static void
reads_no_more_fields_than_it_may(void **state)
{
	struct arena *arena = arena_new();
	struct buffer line = { 0 };
	struct record record;

	(void)state;
	buffer_add_string(&line, "user");
	for (size_t i = 0; i < RECORD_FIELDS_MAX; i++)
		buffer_add_string(&line, " a=b");
	assert_true(record_parse(buffer_span(&line), arena, &record));
	assert_int_equal(record.count, RECORD_FIELDS_MAX);
	buffer_add_string(&line, " a=b");
	assert_false(record_parse(buffer_span(&line), arena, &record));
	buffer_free(&line);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_json),
		cmocka_unit_test(reads_no_more_fields_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
