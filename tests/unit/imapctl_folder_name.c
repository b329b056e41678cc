/*
 * Mailbox names from folders' names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/imapctl/source/folder_name.h"
#include "base/memory.h"

static const struct {
	const char *levels[3];
	const char *mailbox;	/* NULL: there can be none */
} cases[] = {
	{ { NULL }, "" },
	{ { "Work" }, "Work" },
	{ { "Work", "2020" }, "Work/2020" },
	{ { "Entw&APw-rfe" }, "Entw&APw-rfe" },
	{ { "Entw\xc3\xbcrfe" }, "Entw&APw-rfe" },
	{ { "Entw\xc3\xbcrfe", "Entw&APw-rfe" }, "Entw&APw-rfe/Entw&APw-rfe" },
	{ { "R&-D" }, "R&-D" },
	{ { "R&D" }, "R&-D" },			/* no modified UTF-7 */
	{ { "a&b-c" }, "a&-b-c" },
	{ { "&AGE-" }, "&-AGE-" },		/* a letter in base64: nobody writes it */
	{ { "Entw&APw-rfe \xc3\xbc" }, "Entw&-APw-rfe &APw-" },
	{ { "v1\\2e2" }, "v1.2" },		/* Dovecot's listescape */
	{ { "v1\\2E2\\5cx" }, "v1.2\\x" },
	{ { "a\\2fb" }, "a\\2fb" },
	{ { "a\\" }, "a\\" },
	{ { "a\\2" }, "a\\2" },
	{ { "v1.2" }, "v1.2" },
	{ { "inbox" }, "inbox" },
	{ { "Entw\xfcrfe" }, NULL },		/* ISO 8859-1 */
	{ { "a\tb" }, NULL },
	{ { "a", "", "b" }, NULL },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer name = { 0 }, mailbox = { 0 };

		for (size_t level = 0; level < 3 && cases[i].levels[level] != NULL; level++)
			folder_name_add_level(&name, span_from_string(cases[i].levels[level]));
		if (cases[i].mailbox == NULL)
			assert_non_null(folder_name_finish(buffer_span(&name), &mailbox));
		else
			assert_null(folder_name_finish(buffer_span(&name), &mailbox));
		assert_string_equal(buffer_string(&mailbox), cases[i].mailbox == NULL ? "" : cases[i].mailbox);
		buffer_free(&name);
		buffer_free(&mailbox);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
