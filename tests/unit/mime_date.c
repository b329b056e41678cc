/*
 * The Date field in all its forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/date.h"

static void
parses(void **state)
{
	static const struct {
		struct span input;
		int64_t unix_s;
		int32_t day, zone_minutes;
	} cases[] = {
		/* RFC 5322 appendix A. */
		{ SPAN("Fri, 21 Nov 1997 09:55:06 -0600"), 880127706, 10186, -360 },
		{ SPAN("Tue, 1 Jul 2003 10:52:37 +0200"), 1057049557, 12234, 120 },
		{ SPAN("21 Nov 97 09:55:06 GMT"), 880106106, 10186, 0 },
		{ SPAN("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
		    "               -0330 (Newfoundland Time)"), -27723480, -322, -210 },
		{ SPAN("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), 880127706, 10186, -360 },
		{ SPAN("Fri, 21 Nov 1997 09 :   55  :  06 -0600"), 880127706, 10186, -360 },
		/* Zones. */
		{ SPAN("1 Jan 1970 00:00:00 EST"), 18000, 0, -300 },
		{ SPAN("1 Jan 1970 00:00:00 pdt"), 25200, 0, -420 },
		{ SPAN("1 Jan 1970 00:00:00 A"), 0, 0, 0 },
		{ SPAN("1 Jan 1970 00:00:00 UT"), 0, 0, 0 },
		{ SPAN("1 Jan 1970 00:00:00 +01:30"), -5400, 0, 90 },
		{ SPAN("1 Jan 1970 00:00:00 GMT+0100"), -3600, 0, 60 },
		{ SPAN("1 Jan 1970 00:00:00 +9999"), 0, 0, 0 },
		{ SPAN("1 Jan 1970 00:00:00 -"), 0, 0, 0 },
		{ SPAN("1 Jan 1970 00:00"), 0, 0, 0 },
		/* Years. */
		{ SPAN("1 Jan 49 00:00 +0000"), INT64_C(2493072000), 28855, 0 },
		{ SPAN("1 Jan 50 00:00 +0000"), -631152000, -7305, 0 },
		{ SPAN("1 Jan 102 00:00 +0000"), 1009843200, 11688, 0 },
		{ SPAN("29 Feb 2000 00:00 +0000"), 951782400, 11016, 0 },
		/* Others. */
		{ SPAN("(c (nested \\) ) ) Mon , 1 January 1970 00:00:00 +0000 junk"), 0, 0, 0 },
		{ SPAN("Fri Nov 21 09:55:06 1997"), 880106106, 10186, 0 },
		{ SPAN("Nov 21, 1997 09:55:06 +0000"), 880106106, 10186, 0 },
		{ SPAN("21-Nov-1997 09:55:06"), 880106106, 10186, 0 },
		{ SPAN("21 Nov 1997"), 880070400, 10186, 0 },
		{ SPAN("21 Nov 1997 25:00:00 +0100"), 880070400, 10186, 0 },
		{ SPAN("21 Nov 1997 09.55.06 +0000"), 880106106, 10186, 0 },
		/* The zone before the year, or two of its words: Takeout, alpine, date(1). */
		{ SPAN("Fri Nov 21 09:55:06 -0600 1997"), 880127706, 10186, -360 },
		{ SPAN("Fri Nov 21 09:55:06 +00:00 1997"), 880106106, 10186, 0 },
		{ SPAN("Fri Nov 21 09:55:06 EST 1997"), 880124106, 10186, -300 },
		{ SPAN("Fri Nov 21 09:55:06 MET DST 1997"), 880106106, 10186, 0 },
		{ SPAN("Fri Nov 21 09:55:06 1997 -0600"), 880127706, 10186, -360 },
		{ SPAN("Fri Nov 21 09:55 1997"), 880106100, 10186, 0 },
		{ SPAN("Fri Nov 21 09:55:06 97"), 880106106, 10186, 0 },
		{ SPAN("21 Nov 09:55:06 1997"), 880106106, 10186, 0 },
		{ SPAN("Fri Nov 21 1997 09:55:06"), 880106106, 10186, 0 },
		{ SPAN("Fri Nov 21 1997 09:55:06 GMT-0600 (Central Standard Time)"), 880127706, 10186, -360 },
		{ SPAN("Friday, November 21, 1997 09:55:06 PM"), 880149306, 10186, 0 },
		{ SPAN("21 Nov 1997 12:55:06 am"), 880073706, 10186, 0 },
		{ SPAN("21 Nov 1997 09:55:06.250 -0600"), 880127706, 10186, -360 },
		/* ISO 8601. */
		{ SPAN("1997-11-21T09:55:06Z"), 880106106, 10186, 0 },
		{ SPAN("1997-11-21T09:55:06.5-06:00"), 880127706, 10186, -360 },
		{ SPAN("1997-11-21 09:55:06 +0100"), 880102506, 10186, 60 },
		{ SPAN("1997/11/21 09:55"), 880106100, 10186, 0 },
		{ SPAN("31 Dec 9999 23:59:60 +0000"), INT64_C(253402300800), 2932896, 0 },
	};
	struct mime_date date;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(mime_date_parse(cases[i].input, &date));
		assert_int_equal(date.unix_s, cases[i].unix_s);
		assert_int_equal(date.day, cases[i].day);
		assert_int_equal(date.zone_minutes, cases[i].zone_minutes);
	}
}

static void
refuses(void **state)
{
	static const struct span cases[] = {
		SPAN(""), SPAN("("), SPAN("(\\"), SPAN("Mon,"), SPAN("Mon, 1"), SPAN("1 Jan"), SPAN("31 Feb 2000"),
		SPAN("29 Feb 1900 00:00"), SPAN("0 Jan 2000"), SPAN("1 Foo 2000"), SPAN("1 Jan 1"),
		SPAN("1 Jan 20000"), SPAN("123456789012 Jan 2000"), SPAN("nonsense"), SPAN("2000-01-01"),
		SPAN("2000-13-01 00:00"), SPAN("2000-02-30T00:00"), SPAN("Fri Nov 21 09:55:06"), SPAN("Fri Nov 21 09:55:06 CET"),
	};
	struct mime_date date = { 1, 2, 3 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_false(mime_date_parse(cases[i], &date));
		assert_int_equal(date.unix_s, 1);
	}
}

static void
counts_days(void **state)
{
	(void)state;
	assert_int_equal(mime_date_day(1970, 1, 1), 0);
	assert_int_equal(mime_date_day(2000, 3, 1), 11017);
	assert_int_equal(mime_date_day(1600, 2, 29), -135081);
	assert_int_equal(mime_date_day(0, 1, 1), -719528);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(counts_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
