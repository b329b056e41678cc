/*
 * Answers as tables and as JSON, and verbs that were misspelt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/imapctl/ctl/ctl.h"
#include "../../src/imapctl/ctl/order.h"
#include "../../src/imapctl/ctl/record.h"
#include "../../src/imapctl/verbs/verbs.h"
#include "base/memory.h"

static struct span lines[] = {
	{ (const uint8_t *)"role name=cas state=running sessions:=12", 40 },
	{ (const uint8_t *)"role name=12 state=running sessions:=3", 38 },
	{ (const uint8_t *)"listener address=\"imaps [::]:993\"", 33 },
};
static const struct answer answer = { .lines = lines, .line_count = COUNT_OF(lines) };

static void
test_json(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	records_write_json(&answer, "role nobody listener", &out);
	assert_string_equal(buffer_string(&out),
	    ",\"role\":[{\"name\":\"cas\",\"state\":\"running\",\"sessions\":12},"
	    "{\"name\":\"12\",\"state\":\"running\",\"sessions\":3}],"
	    "\"nobody\":[],\"listener\":[{\"address\":\"imaps [::]:993\"}]");
	buffer_free(&out);
}

static void
test_table(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	records_write_tables(&answer, 0, &out);
	assert_string_equal(buffer_string(&out), "name  state    sessions\n"
						 "cas   running  12\n"
						 "12    running  3\n"
						 "\n"
						 "address\n"
						 "imaps [::]:993\n");
	buffer_free(&out);
}

static const struct {
	size_t width;
	const char *lines[3];
	const char *table;
} narrow_tables[] = {
	{ 0, { "step name=one text=\"the first of two words\" ms:=1", "step name=two text=x ms:=20" },
	    "name  text                    ms\n"
	    "one   the first of two words  1\n"
	    "two   x                       20\n" },
	{ 31, { "step name=one text=\"the first of two words\" ms:=1", "step name=two text=x ms:=20" },
	    "name text                   ms\n"
	    "one  the first of two words 1\n"
	    "two  x                      20\n" },
	{ 20, { "step name=one text=\"the first of two words\" ms:=1", "step name=two text=x ms:=20" },
	    "name text         ms\n"
	    "one  the first of 1\n"
	    "     two words\n"
	    "two  x            20\n" },
	{ 18, { "step name=one text=\"0123456789abcdefghijKL\" ms:=1", "step name=two text=\"\" ms:=20" },
	    "name text       ms\n"
	    "one  0123456789 1\n"
	    "     abcdefghij\n"
	    "     KL\n"
	    "two             20\n" },
	{ 18, { "step name=one text=\"Gr\xc3\xbc\xc3\x9f""e Gr\xc3\xbc\xc3\x9f""e\" ms:=1", "step name=two text=x ms:=20" },
	    "name text       ms\n"
	    "one  Gr\xc3\xbc\xc3\x9f""e      1\n"
	    "     Gr\xc3\xbc\xc3\x9f""e\n"
	    "two  x          20\n" },
	{ 17, { "step name=one text=\"the first of two\" ms:=1", "step name=two text=\"\" ms:=20" },	/* columns do not fit */
	    "name  one\n"
	    "text  the first\n"
	    "      of two\n"
	    "ms    1\n"
	    "\n"
	    "name  two\n"
	    "ms    20\n" },
	{ 25, { "user name=ann mail=\"of this host alone\" login=yes" },	/* one of them reads better as a list */
	    "name   ann\n"
	    "mail   of this host alone\n"
	    "login  yes\n" },
};

static void
test_narrow(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(narrow_tables); i++) {
		struct span texts[3];
		struct answer narrow = { .lines = texts };
		struct buffer out = { 0 };

		while (narrow.line_count < 3 && narrow_tables[i].lines[narrow.line_count] != NULL) {
			texts[narrow.line_count] = span_from_string(narrow_tables[i].lines[narrow.line_count]);
			narrow.line_count++;
		}
		records_write_tables(&narrow, narrow_tables[i].width, &out);
		assert_string_equal(buffer_string(&out), narrow_tables[i].table);
		buffer_free(&out);
	}
}

static void
test_nothing(void **state)
{
	struct answer nothing = { .line_count = 0 };
	struct buffer out = { 0 };

	(void)state;
	records_write_json(&nothing, "user", &out);
	assert_string_equal(buffer_string(&out), ",\"user\":[]");
	buffer_clear(&out);
	records_write_json(&nothing, NULL, &out);
	records_write_tables(&nothing, 0, &out);
	assert_int_equal(out.length, 0);
	buffer_free(&out);
}

static const struct {
	const char *text, *json;
} strings[] = {
	{ "plain", "\"plain\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\n\x1b", "\"\\u000a\\u001b\"" },
	{ "Gr\xc3\xbc\xc3\x9f", "\"Gr\xc3\xbc\xc3\x9f\"" },
	{ "\xff", "\"\\ufffd\"" },
	{ "\xc3", "\"\\ufffd\"" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },	/* a surrogate */
	{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
};

static void
test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		struct buffer out = { 0 };

		json_add_string(&out, span_from_string(strings[i].text));
		assert_string_equal(buffer_string(&out), strings[i].json);
		buffer_free(&out);
	}
}

static const struct {
	const char *words[3];
	const char *found, *near;	/* NULL: none */
} typed[] = {
	{ { "status" }, "status", NULL },
	{ { "user", "add", "alice" }, "user add", NULL },
	{ { "statuz" }, NULL, "status" },
	{ { "user", "ad" }, NULL, "user add" },
	{ { "user", "delete" }, NULL, "user del" },
	{ { "alias", "rm", "info" }, NULL, "alias remove" },
	{ { "alias", "ls" }, NULL, "alias list" },
	{ { "group", "delete" }, NULL, "group remove" },
	{ { "acl", "del" }, NULL, "acl remove" },
	{ { "user", "remove", "alice" }, NULL, "user del" },
	{ { "user", "mv" }, NULL, "user rename" },
	{ { "user", "create" }, NULL, "user add" },
	{ { "user", "password" }, NULL, "user passwd" },
	{ { "usr", "add" }, NULL, "user add" },
	{ { "imort" }, NULL, "import" },
	{ { "zzzzzzzzzz" }, NULL, NULL },
};

static void
test_verbs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++) {
		size_t count = 0, used;
		const struct verb *verb;
		char **words = (char **)typed[i].words;

		while (count < 3 && words[count] != NULL)
			count++;
		verb = verb_find(words, count, &used);
		assert_int_equal(verb != NULL, typed[i].found != NULL);
		if (verb != NULL) {
			assert_string_equal(verb->name, typed[i].found);
			continue;
		}
		verb = verb_suggest(words, count);
		assert_int_equal(verb != NULL, typed[i].near != NULL);
		if (verb != NULL)
			assert_string_equal(verb->name, typed[i].near);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
