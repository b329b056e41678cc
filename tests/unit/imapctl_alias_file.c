/*
 * Lines of a file of aliases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/roster/alias_file.h"

static const struct {
	const char *line;
	enum alias_line kind;
	const char *alias, *user;
} cases[] = {
	{ "", ALIAS_LINE_NOTHING, "", "" },
	{ " \t ", ALIAS_LINE_NOTHING, "", "" },
	{ "# info ann", ALIAS_LINE_NOTHING, NULL, "" },
	{ "  # info ann", ALIAS_LINE_NOTHING, NULL, "" },
	{ "info ann", ALIAS_LINE_PAIR, "info", "ann" },
	{ "info\t \tann \t", ALIAS_LINE_PAIR, "info", "ann" },
	{ "@example.org ann@example.org", ALIAS_LINE_PAIR, "@example.org", "ann@example.org" },
	{ "info #ann", ALIAS_LINE_PAIR, "info", "#ann" },	/* Postfix knows no comment behind something */
	{ "info", ALIAS_LINE_HALF, "info", "" },
	{ "info ", ALIAS_LINE_HALF, "info", "" },
	{ "info ann bob", ALIAS_LINE_SEVERAL, "info", "ann" },
	{ "info ann,bob", ALIAS_LINE_SEVERAL, "info", "ann,bob" },
	{ "info ann,", ALIAS_LINE_SEVERAL, "info", "ann," },
	{ " ann", ALIAS_LINE_MORE, "ann", "" },
	{ "\tann bob", ALIAS_LINE_MORE, "ann", "" },
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span alias, user;

		assert_int_equal(alias_line_read(span_from_string(cases[i].line), &alias, &user), cases[i].kind);
		if (cases[i].alias != NULL)
			assert_true(span_equals(alias, span_from_string(cases[i].alias)));
		assert_true(span_equals(user, span_from_string(cases[i].user)));
	}
}

static void
test_head(void **state)
{
	(void)state;
	assert_true(alias_line_is_head(SPAN("name              user")));
	assert_true(alias_line_is_head(SPAN("name user")));
	assert_false(alias_line_is_head(SPAN("name user more")));
	assert_false(alias_line_is_head(SPAN("name users")));
	assert_false(alias_line_is_head(SPAN("name")));
	assert_false(alias_line_is_head(SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
