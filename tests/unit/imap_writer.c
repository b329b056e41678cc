/*
 * Replies, flags, dates, capabilities and the walk over a search program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/capability.h"
#include "imap/command.h"
#include "imap/writer.h"

static const struct {
	const char *text;
	bool is_utf8;
	const char *string, *astring;
} strings[] = {
	{ "abc", false, "\"abc\"", "abc" },
	{ "", false, "\"\"", "\"\"" },
	{ "a b", false, "\"a b\"", "\"a b\"" },
	{ "a\"b\\", false, "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"" },
	{ "nil", false, "\"nil\"", "\"nil\"" },	/* as an atom it would be no string */
	{ "a]", false, "\"a]\"", "a]" },
	{ "a%", false, "\"a%\"", "\"a%\"" },
	{ "\xc3\xa9", false, "{2}\r\n\xc3\xa9", "{2}\r\n\xc3\xa9" },
	{ "\xc3\xa9", true, "\"\xc3\xa9\"", "\"\xc3\xa9\"" },
	{ "\xc3", true, "{1}\r\n\xc3", "{1}\r\n\xc3" },
	{ "a\r\nb", true, "{4}\r\na\r\nb", "{4}\r\na\r\nb" },
};

static void
test_strings(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		buffer_clear(&out);
		imap_write_string(&out, span_from_string(strings[i].text), strings[i].is_utf8);
		assert_string_equal(buffer_string(&out), strings[i].string);
		buffer_clear(&out);
		imap_write_astring(&out, span_from_string(strings[i].text), strings[i].is_utf8);
		assert_string_equal(buffer_string(&out), strings[i].astring);
	}
	buffer_clear(&out);
	imap_write_nstring(&out, span_of(NULL, 0), false);
	imap_write_mailbox(&out, SPAN("\xc3\xa9"), false);
	imap_write_mailbox(&out, SPAN("\xc3\xa9"), true);
	imap_write_literal_header(&out, 42, true);
	assert_string_equal(buffer_string(&out), "NIL&AOk-\"\xc3\xa9\"~{42}\r\n");
	buffer_free(&out);
}

static void
test_lines(void **state)
{
	static const struct span names[] = { SPAN("$a"), SPAN("b") };
	static const uint16_t members[] = { 0, 1 };
	static const struct imap_keyword_set sets[] = { { 5, members, 2 }, { 1000000, members + 1, 1 } };
	static const struct imap_keywords keywords = { names, 2, sets, 2 };
	struct buffer out = { 0 };
	struct imap_esearch result = { .tag = SPAN("A1"), .is_uid = true, .min = 2, .count = 3, .has_set = true,
		.returns = IMAP_RETURN_MIN | IMAP_RETURN_ALL | IMAP_RETURN_COUNT };
	struct imap_esearch partial = { .tag = SPAN("A2"), .returns = IMAP_RETURN_PARTIAL | IMAP_RETURN_COUNT,
		.partial = { 100, 1, true }, .modseq = 7 };

	(void)state;
	imap_write_condition(&out, SPAN("a1"), IMAP_OK, SPAN("READ-WRITE"), SPAN("x\r\ny"));
	assert_string_equal(buffer_string(&out), "a1 OK [READ-WRITE] xy\r\n");
	buffer_clear(&out);
	imap_write_fetch_flags(&out, 12, 345, IMAP_FLAG_SEEN | 1 << 6, &keywords, true, 7);
	assert_string_equal(buffer_string(&out), "* 12 FETCH (UID 345 MODSEQ (7) FLAGS (\\Seen \\Recent b))\r\n");
	buffer_clear(&out);
	imap_write_fetch_flags(&out, 1, 0, 0, &keywords, false, 0);
	imap_write_fetch_modseq(&out, 1, 2, INT64_MAX);
	imap_write_fetch_flags(&out, 0, 9, 0, &keywords, false, 3);
	imap_write_fetch_modseq(&out, 0, 9, 3);
	imap_write_number_line(&out, 7, "EXISTS");
	assert_string_equal(buffer_string(&out), "* 1 FETCH (FLAGS ())\r\n"
	    "* 1 FETCH (UID 2 MODSEQ (9223372036854775807))\r\n"
	    "* 9 UIDFETCH (MODSEQ (3) FLAGS ())\r\n* 9 UIDFETCH (MODSEQ (3))\r\n* 7 EXISTS\r\n");
	buffer_clear(&out);
	imap_write_esearch_begin(&out, &result);
	buffer_add_string(&out, "2,10:11");
	imap_write_esearch_end(&out, &result);
	imap_write_esearch_begin(&out, &partial);
	imap_write_esearch_end(&out, &partial);
	assert_string_equal(buffer_string(&out), "* ESEARCH (TAG \"A1\") UID MIN 2 ALL 2,10:11 COUNT 3\r\n"
	    "* ESEARCH (TAG \"A2\") PARTIAL (-100:-1 NIL) COUNT 0 MODSEQ 7\r\n");
	buffer_free(&out);
}

static const struct {
	const char *text;
	int64_t seconds;
	int16_t zone_minutes;
} times[] = {
	{ "17-Jul-1996 02:44:25 -0700", 837596665, -420 },	/* RFC 9051 section 6.4.5 */
	{ " 1-Jan-1970 00:00:00 +0000", 0, 0 },
	{ "29-Feb-2000 23:59:59 +0530", 951848999, 330 },
	{ "31-Dec-1969 23:59:59 +0000", -1, 0 },
	{ " 1-Jan-0000 00:00:00 +0000", -62167219200, 0 },
	{ "31-Dec-9999 23:59:59 +0000", 253402300799, 0 },
};

static const char *const bad_times[] = { "", "17-Jul-1996 02:44:25", "17-Jul-1996 02:44:25 0700 ",
	"31-Jun-1996 02:44:25 +0000", "29-Feb-1900 02:44:25 +0000", "17-Jul-1996 24:00:00 +0000",
	"17-Jul-1996 02:60:25 +0000", "17-Jul-1996 02:44:61 +0000", "17-Foo-1996 02:44:25 +0000",
	"0-Jul-1996 02:44:25 +0000", " -Jul-1996 02:44:25 +0000", "  7-Jul-1996 02:44:25 +0000",
	"7-Jul-1996 2:44:25 +0000", " 0-Jul-1996 02:44:25 +0000", "1 -Jul-1996 02:44:25 +0000", "17-Jul-1996 02:44:25 +9900" };

static void
test_times(void **state)
{
	struct imap_date_time time;
	int32_t days;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct buffer out = { 0 };

		assert_true(imap_date_time_parse(span_from_string(times[i].text), &time));
		assert_int_equal(time.seconds, times[i].seconds);
		assert_int_equal(time.zone_minutes, times[i].zone_minutes);
		imap_date_time_write(&out, time);
		assert_memory_equal(out.at + 1, times[i].text, 26);
		buffer_free(&out);
	}
	for (size_t i = 0; i < COUNT_OF(bad_times); i++)
		assert_false(imap_date_time_parse(span_from_string(bad_times[i]), &time));
	assert_true(imap_date_time_parse(SPAN("1-Jan-1970 00:00:07 +0000"), &time));
	assert_int_equal(time.seconds, 7);
	assert_true(imap_date_time_parse(SPAN("01-Jan-1970 00:00:08 +0000"), &time));
	assert_int_equal(time.seconds, 8);
	assert_true(imap_date_parse(SPAN("1-feb-1970"), &days));
	assert_int_equal(days, 31);
	assert_true(imap_date_parse(SPAN("01-Mar-2000"), &days));
	assert_int_equal(days, 11017);
	assert_true(imap_date_parse(SPAN("31-Feb-1970"), &days));
	assert_int_equal(days, 31 + 30);
	assert_false(imap_date_parse(SPAN("1-Feb-70"), &days));
	assert_false(imap_date_parse(SPAN("001-Feb-1970"), &days));
	assert_false(imap_date_parse(SPAN("-Feb-1970"), &days));
}

/* Nothing a store could hold breaks the form of the text. */
static void
test_time_limits(void **state)
{
	static const struct imap_date_time odd[] = { { INT64_MAX, 1439 }, { INT64_MIN, -1439 } };
	struct imap_date_time time;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		struct buffer out = { 0 };

		imap_date_time_write(&out, odd[i]);
		assert_int_equal(out.length, 28);
		assert_true(imap_date_time_parse(span_slice(buffer_span(&out), 1, 26), &time));
		buffer_free(&out);
	}
}

/* AND(OR(a, NOT b), c): the key of each leaf is FLAG, its number says which truth to give. */
static enum imap_truth
test_leaf(const struct imap_search_node *leaf, void *context)
{
	return ((const enum imap_truth *)context)[leaf->number];
}

static void
test_evaluate(void **state)
{
	struct imap_search_node nodes[] = {
		{ .key = IMAP_SEARCH_AND, .parent = 0, .end = 6 },
		{ .key = IMAP_SEARCH_OR, .parent = 0, .end = 5 },
		{ .key = IMAP_SEARCH_FLAG, .parent = 1, .end = 3, .number = 0 },
		{ .key = IMAP_SEARCH_NOT, .parent = 1, .end = 5 },
		{ .key = IMAP_SEARCH_FLAG, .parent = 3, .end = 5, .number = 1 },
		{ .key = IMAP_SEARCH_FLAG, .parent = 0, .end = 6, .number = 2 },
	};
	struct imap_search search = { .nodes = nodes, .node_count = COUNT_OF(nodes) };
	uint8_t scratch[COUNT_OF(nodes)];

	(void)state;
	for (int i = 0; i < 27; i++) {
		enum imap_truth leaves[3] = { i % 3, i / 3 % 3, i / 9 }, a = leaves[0], b = leaves[1], c = leaves[2];
		enum imap_truth either = a == IMAP_TRUE || b == IMAP_FALSE ? IMAP_TRUE :
		    a == IMAP_UNKNOWN || b == IMAP_UNKNOWN ? IMAP_UNKNOWN : IMAP_FALSE;
		enum imap_truth expected = either == IMAP_FALSE || c == IMAP_FALSE ? IMAP_FALSE :
		    either == IMAP_UNKNOWN || c == IMAP_UNKNOWN ? IMAP_UNKNOWN : IMAP_TRUE;

		assert_int_equal(imap_search_evaluate(&search, test_leaf, leaves, scratch), expected);
	}
}

static void
test_table(void **state)
{
	(void)state;
	for (unsigned verb = 0; verb < IMAP_COMMAND_COUNT; verb++)
		assert_int_equal(imap_command_find(span_from_string(imap_commands[verb].name)), verb);
	assert_int_equal(imap_command_find(SPAN("XYZZY")), IMAP_COMMAND_COUNT);
	assert_int_equal(imap_use_from_name(SPAN("\\junk")), IMAP_USE_JUNK);
	assert_string_equal(imap_use_name(IMAP_USE_JUNK), "\\Junk");
	assert_int_equal(imap_flag_from_name(SPAN("\\SEEN")), IMAP_FLAG_SEEN);
	assert_int_equal(imap_flag_from_name(SPAN("\\Recent")), 0);
	assert_false(imap_keyword_is_valid(SPAN("a b")));
	assert_true(imap_keyword_is_valid(SPAN("$Forwarded")));
}

static void
test_capabilities(void **state)
{
	struct buffer out = { 0 };
	struct imap_capability_options options = { .mechanisms = "PLAIN SCRAM-SHA-256", .append_limit = 99 };

	(void)state;
	imap_capability_write(&out, IMAP_MOMENT_BEFORE_LOGIN, &options);
	assert_non_null(strstr(buffer_string(&out), "IMAP4rev1 IMAP4rev2 "));
	assert_non_null(strstr(buffer_string(&out), " AUTH=PLAIN AUTH=SCRAM-SHA-256"));
	assert_null(strstr(buffer_string(&out), "STARTTLS"));
	buffer_clear(&out);
	options.mechanisms = NULL;
	options.is_login_disabled = true;
	imap_capability_write(&out, IMAP_MOMENT_BEFORE_TLS, &options);
	assert_non_null(strstr(buffer_string(&out), " STARTTLS LOGINDISABLED"));
	assert_null(strstr(buffer_string(&out), "AUTH="));
	buffer_clear(&out);
	imap_capability_write(&out, IMAP_MOMENT_AFTER_LOGIN, &options);
	assert_non_null(strstr(buffer_string(&out), " APPENDLIMIT=99"));
	assert_null(strstr(buffer_string(&out), "AUTH="));
	assert_null(strstr(buffer_string(&out), "LIMIT=0"));
	buffer_clear(&out);
	options.message_limit = 1000;
	options.save_limit = 2000;
	imap_capability_write(&out, IMAP_MOMENT_AFTER_LOGIN, &options);
	assert_non_null(strstr(buffer_string(&out), " MESSAGELIMIT=1000 SAVELIMIT=2000"));
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_evaluate),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
