/*
 * The separators of mbox files, and the prose that is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/source/separator.h"
#include "base/memory.h"

#define DATE 1133408812		/* Thu Dec  1 03:46:52 2005 UTC */

static const struct {
	const char *line;
	int64_t date;		/* -1: a date that cannot be read, or none */
} dated[] = {
	/* asctime(3), RFC 4155, and what stands around it */
	{ "From a@b Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From a at b  Thu Dec  1 03:46:52 2005\r\n", DATE },
	{ "From a@b Thu Dec 01 03:46:52 2005", DATE },
	{ "From a@b Thu Dec  1 03:46 2005\n", DATE - 52 },
	{ "From a@b Thu Dec  1 03:46:52 05\n", DATE },
	{ "From \"Display Name\" Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From ???@??? Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From - Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From MAY@b Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From ADA Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From 5 Thu Dec  1 03:46:52 2005\n", DATE },
	{ "From a@b Thu Dec  1 03:46:52 2005 remote from host\n", DATE },
	/* zones */
	{ "From a@b Thu Dec  1 03:46:52 2005 +0100\n", DATE - 3600 },
	{ "From a@b Thu Dec  1 03:46:52 CET 2005\n", DATE },
	{ "From a@b Thu Dec  1 03:46:52 MET DST 2005\n", DATE },
	{ "From a@b Thu Dec  1 03:46:52 PST 2005\n", DATE + 8 * 3600 },
	{ "From 178@xxx Thu Dec 01 03:46:52 +0000 2005\r\n", DATE },
	{ "From 178@xxx Thu Dec 01 03:46:52 -0800 2005\r\n", DATE + 8 * 3600 },
	{ "From a@b Thu Dec  1 03:46:52 GMT+0100 2005\n", DATE - 3600 },
	/* the year before the time, RFC 5322, ISO 8601 */
	{ "From - Thu Dec 01 2005 03:46:52\n", DATE },
	{ "From a@b Thu Dec 01 2005 03:46:52 GMT+0100 (Central European Standard Time)\n", DATE - 3600 },
	{ "From a@b Thu, 1 Dec 2005 03:46:52 +0100\n", DATE - 3600 },
	{ "From a@b Thu,1 Dec 2005 03:46:52 GMT\n", DATE },
	{ "From a@b 1 Dec 05 03:46:52 EST\n", DATE + 5 * 3600 },
	{ "From a@b Thursday, December 1, 2005 03:46:52 AM\n", DATE },
	{ "From a@b 1-Dec-2005 03:46:52 +0000\n", DATE },
	{ "From a@b 2005-12-01T03:46:52Z\n", DATE },
	{ "From a@b 2005-12-01T03:46:52.123+01:00\n", DATE - 3600 },
	{ "From a@b 2005-12-01 03:46:52 +0000\n", DATE },
	{ "From a@b 2005/12/01 03:46:52\n", DATE },
	/* no date, but nobody else's line */
	{ "From -\r\n", -1 },
	{ "From - \n", -1 },
	/* a date that no calendar has */
	{ "From a@b Thu Dec 32 03:46:52 2005\n", -1 },
};

static void
test_dated(void **state)
{
	struct from_line from;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(dated); i++) {
		if (!from_line_read(span_from_string(dated[i].line), &from) || !from.is_dated)
			fail_msg("no separator: %s", dated[i].line);
		assert_int_equal(from.has_date, dated[i].date >= 0);
		if (from.has_date && from.date_s != dated[i].date)
			fail_msg("%s is %lld", dated[i].line, (long long)from.date_s);
	}
}

static void
test_undated(void **state)
{
	static const char *const lines[] = { "From \n", "From a@b\n", "From here on we are alone\n",
		"From Monday to Friday we are here\n", "From 10:30 to 12:00 we meet\n", "From 1 May 2005 on\n",
		"From May 2005\n", "From Russia with love\n", "From a@b sometime\n", "From a@b Thu Dec  1 2005\n" };
	struct from_line from;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_true(from_line_read(span_from_string(lines[i]), &from));
		if (from.is_dated || from.has_date || from.has_inner_date)
			fail_msg("taken: %s", lines[i]);
	}
	assert_false(from_line_read(SPAN("from a@b Thu Dec  1 03:46:52 2005\n"), &from));
	assert_false(from_line_read(SPAN(">From a@b Thu Dec  1 03:46:52 2005\n"), &from));
	assert_false(from_line_read(SPAN("From"), &from));
	assert_false(from_line_read(SPAN(""), &from));
}

static void
test_inner_date(void **state)
{
	struct from_line from;

	(void)state;
	assert_true(from_line_read(SPAN("From a@b Thu Dec  1 03:46:52 2005 and so on\n"), &from));
	assert_true(!from.is_dated && from.has_inner_date && !from.has_date);
}

static void
test_writers_clock(void **state)
{
	struct from_line from;

	(void)state;
	assert_true(from_line_read(SPAN("From - Thu Dec  1 03:46:52 2005\n"), &from) && from.is_writers_clock);
	assert_true(from_line_read(SPAN("From MAILER-DAEMON Thu Dec  1 03:46:52 2005\n"), &from) &&
	    from.is_writers_clock);
	assert_true(from_line_read(SPAN("From a@b Thu Dec  1 03:46:52 2005\n"), &from) && !from.is_writers_clock);
}

static void
test_header_follows(void **state)
{
	(void)state;
	assert_true(header_follows(SPAN("Subject: x\n")));
	assert_true(header_follows(SPAN("subject : x\r\n\r\n")));
	assert_true(header_follows(SPAN("Own: x\n folded\nX-Mozilla-Status: 0001\n")));
	assert_false(header_follows(SPAN("Year: 1963\n\nSubject: behind the header\n")));
	assert_false(header_follows(SPAN("Year: 1963\nprose\nSubject: behind the prose\n")));
	assert_false(header_follows(SPAN("This could cause problems\n")));
	assert_false(header_follows(SPAN(" Subject: folded\n")));
	assert_false(header_follows(SPAN("\nSubject: x\n")));
	assert_false(header_follows(SPAN("")));
	assert_true(field_follows(SPAN("Year: 1963\n")));
	assert_false(field_follows(SPAN("We met: there\n")));
	assert_false(field_follows(SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dated),
		cmocka_unit_test(test_undated),
		cmocka_unit_test(test_inner_date),
		cmocka_unit_test(test_writers_clock),
		cmocka_unit_test(test_header_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
