/*
 * Names both ways, and which are refused.  RFC 3501 section 5.1.3, RFC 9051 section 5.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/mailbox_name.h"

static const struct {
	const char *utf7, *utf8;	/* utf8 NULL: refused */
} encodings[] = {
	{ "INBOX", "INBOX" },
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語" },	/* RFC 3501 section 5.1.3 */
	{ "&Jjo-!", "☺!" },
	{ "a&-b", "a&b" },
	{ "&-&AOk-&-", "&é&" },
	{ "&AOk-", "é" },
	{ "&2D3eAA-", "😀" },
	{ "&Jjo!", NULL },		/* not closed: RFC 3501 section 5.1.3 */
	{ "&U,BTFw-&ZeVnLIqe-", NULL },	/* superfluous shift: the same section */
	{ "&AAA-", NULL },		/* NUL */
	{ "&AC8-", NULL },		/* "/", which is printable ASCII */
	{ "&AGEA6Q-", NULL },		/* "a" inside base64 */
	{ "&AOl-", NULL },		/* stray bits */
	{ "&AOkA-", NULL },		/* surplus sextet */
	{ "&AO-", NULL },
	{ "&2D0-", NULL },		/* half a pair */
	{ "&3gA-", NULL },
	{ "&2D0A6Q-", NULL },
	{ "&/-", NULL },
	{ "&", NULL },
	{ "&AOk", NULL },
	{ "\xc3\xa9", NULL },
	{ "a\tb", NULL },
	{ "a\x7f", NULL },
};

static void
test_encodings(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(encodings); i++) {
		buffer_clear(&out);
		assert_int_equal(imap_utf7_decode(span_from_string(encodings[i].utf7), &out),
		    encodings[i].utf8 != NULL);
		assert_string_equal(buffer_string(&out), encodings[i].utf8 == NULL ? "" : encodings[i].utf8);
		if (encodings[i].utf8 == NULL)
			continue;
		buffer_clear(&out);
		imap_utf7_encode(span_from_string(encodings[i].utf8), &out);
		assert_string_equal(buffer_string(&out), encodings[i].utf7);
	}
	buffer_free(&out);
}

static void
test_every_character(void **state)
{
	struct buffer utf8 = { 0 }, utf7 = { 0 }, back = { 0 };

	(void)state;
	for (uint32_t c = 0xa0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		buffer_clear(&utf8);
		buffer_clear(&utf7);
		buffer_clear(&back);
		if (c < 0x800)
			buffer_printf(&utf8, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 63));
		else if (c < 0x10000)
			buffer_printf(&utf8, "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 63), 0x80 | (c & 63));
		else
			buffer_printf(&utf8, "%c%c%c%c", 0xf0 | c >> 18, 0x80 | (c >> 12 & 63),
			    0x80 | (c >> 6 & 63), 0x80 | (c & 63));
		buffer_add_string(&utf8, "x");
		imap_utf7_encode(buffer_span(&utf8), &utf7);
		assert_true(imap_utf7_decode(buffer_span(&utf7), &back));
		assert_true(span_equals(buffer_span(&utf8), buffer_span(&back)));
	}
	buffer_free(&utf8);
	buffer_free(&utf7);
	buffer_free(&back);
}

static const struct {
	const char *sent;
	bool is_utf8;
	enum imap_name_status status;
	const char *name;
} names[] = {
	{ "inbox", false, IMAP_NAME_OK, "INBOX" },
	{ "InBox/x", true, IMAP_NAME_OK, "INBOX/x" },
	{ "inboxes", false, IMAP_NAME_OK, "inboxes" },
	{ "x/inbox", false, IMAP_NAME_OK, "x/inbox" },
	{ "..", false, IMAP_NAME_OK, ".." },
	{ "../x", false, IMAP_NAME_OK, "../x" },
	{ "a/.", false, IMAP_NAME_OK, "a/." },
	{ "&AOk-", false, IMAP_NAME_OK, "é" },
	{ "e\xcc\x81", true, IMAP_NAME_OK, "é" },	/* made composed */
	{ "\xc3\xa9", false, IMAP_NAME_BAD_ENCODING, "" },
	{ "\xc3", true, IMAP_NAME_BAD_ENCODING, "" },
	{ "a&b", true, IMAP_NAME_OK, "a&b" },
	{ "a&b", false, IMAP_NAME_BAD_ENCODING, "" },
	{ "&AAA-", false, IMAP_NAME_BAD_ENCODING, "" },
	{ "a\x01", true, IMAP_NAME_BAD_CHARACTER, "" },
	{ "&AIU-", false, IMAP_NAME_BAD_CHARACTER, "" },
	{ "&ICg-", false, IMAP_NAME_BAD_CHARACTER, "" },
	{ "", true, IMAP_NAME_EMPTY_LEVEL, "" },
	{ "/", true, IMAP_NAME_EMPTY_LEVEL, "" },
	{ "/etc", true, IMAP_NAME_EMPTY_LEVEL, "" },
	{ "a//b", true, IMAP_NAME_EMPTY_LEVEL, "" },
	{ "a/", true, IMAP_NAME_EMPTY_LEVEL, "" },
};

static void
test_names(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		buffer_clear(&out);
		assert_int_equal(imap_name_canonical(span_from_string(names[i].sent), names[i].is_utf8, &out),
		    names[i].status);
		assert_string_equal(buffer_string(&out), names[i].name);
	}
	buffer_free(&out);
}

static void
test_limits(void **state)
{
	struct buffer name = { 0 }, out = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		buffer_add_string(&name, i == 0 ? "a" : "/a");
	assert_int_equal(imap_name_canonical(buffer_span(&name), false, &out), IMAP_NAME_OK);
	buffer_add_string(&name, "/a");
	assert_int_equal(imap_name_canonical(buffer_span(&name), false, &out), IMAP_NAME_TOO_DEEP);
	buffer_clear(&name);
	for (int i = 0; i < 1000; i++)
		buffer_add_octet(&name, 'a');
	assert_int_equal(imap_name_canonical(buffer_span(&name), false, &out), IMAP_NAME_OK);
	buffer_add_octet(&name, 'a');
	assert_int_equal(imap_name_canonical(buffer_span(&name), false, &out), IMAP_NAME_TOO_LONG);
	buffer_free(&name);
	buffer_free(&out);
}

static void
test_levels(void **state)
{
	(void)state;
	assert_true(imap_name_is_below(SPAN("a/b"), SPAN("a")));
	assert_false(imap_name_is_below(SPAN("ab"), SPAN("a")));
	assert_false(imap_name_is_below(SPAN("a"), SPAN("a")));
	assert_true(span_equals(imap_name_parent(SPAN("a/b/c")), SPAN("a/b")));
	assert_int_equal(imap_name_parent(SPAN("a")).length, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
