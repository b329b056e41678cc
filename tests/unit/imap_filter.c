/*
 * Filters of mailboxes: RFC 5465 section 6, RFC 7377 section 2.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/filter.h"

static const struct {
	enum imap_filter_kind kind;
	const char *name;
	bool is_subscribed, is_covered;
} cases[] = {
	{ IMAP_FILTER_PERSONAL, "any", false, true },
	{ IMAP_FILTER_INBOXES, "INBOX", false, true },
	{ IMAP_FILTER_INBOXES, "INBOX/x", false, false },
	{ IMAP_FILTER_SUBSCRIBED, "any", true, true },
	{ IMAP_FILTER_SUBSCRIBED, "a", false, false },
	{ IMAP_FILTER_SELECTED, "a", true, false },
	{ IMAP_FILTER_SELECTED_DELAYED, "a", true, false },
	{ IMAP_FILTER_MAILBOXES, "a", false, true },
	{ IMAP_FILTER_MAILBOXES, "x/y", false, true },
	{ IMAP_FILTER_MAILBOXES, "INBOX", false, true },
	{ IMAP_FILTER_MAILBOXES, "a/b", true, false },
	{ IMAP_FILTER_MAILBOXES, "A", false, false },
	{ IMAP_FILTER_MAILBOXES, "ab", false, false },
	{ IMAP_FILTER_MAILBOXES, "", false, false },
	{ IMAP_FILTER_SUBTREE, "a", false, true },
	{ IMAP_FILTER_SUBTREE, "a/b", false, true },
	{ IMAP_FILTER_SUBTREE, "a/z/y/x/w", false, true },
	{ IMAP_FILTER_SUBTREE, "INBOX/x", false, true },
	{ IMAP_FILTER_SUBTREE, "ab", false, false },
	{ IMAP_FILTER_SUBTREE, "x", false, false },
	{ IMAP_FILTER_SUBTREE, "x/z", false, false },
	{ IMAP_FILTER_SUBTREE_ONE, "a", false, true },
	{ IMAP_FILTER_SUBTREE_ONE, "a/b", false, true },
	{ IMAP_FILTER_SUBTREE_ONE, "a/b/c", false, true },
	{ IMAP_FILTER_SUBTREE_ONE, "a/b/c/d", false, true },
	{ IMAP_FILTER_SUBTREE_ONE, "a/b/d", false, false },
	{ IMAP_FILTER_SUBTREE_ONE, "x/y/z", false, true },
	{ IMAP_FILTER_SUBTREE_ONE, "x/y/z/w", false, false },
	{ IMAP_FILTER_SUBTREE_ONE, "x", false, false },
	{ IMAP_FILTER_SUBTREE_ONE, "y", false, false },
};

static void
test_cases(void **state)
{
	struct span names[] = { SPAN("INBOX"), SPAN("a"), SPAN("a/b/c"), SPAN("x/y") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct imap_filter filter = { cases[i].kind, names, COUNT_OF(names) };

		assert_int_equal(imap_filter_covers(&filter, span_from_string(cases[i].name), cases[i].is_subscribed),
		    cases[i].is_covered);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
