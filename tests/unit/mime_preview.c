/*
 * Previews: RFC 8970 section 3.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/preview.h"

static const struct { const char *message, *expected; } cases[] = {
	{ "Subject: a\r\n\r\nHello,\r\n\r\n  world \t again\r\n", "Hello, world again" },
	{ "Subject: a\r\n\r\n", "" },
	{ "Subject: no body", "" },
	/* quotes of another message are left out */
	{ "\r\nOn Monday Ann wrote:\r\n> what\r\n> ever\r\nYes.\r\n", "On Monday Ann wrote: Yes." },
	{ "Content-Transfer-Encoding: base64\r\n\r\nSGFsbG8gV2VsdA==\r\n", "Hallo Welt" },
	{ "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "Gr=FC=DFe =\r\naus K=F6ln\r\n", "Gr\303\274\303\237e aus K\303\266ln" },
	{ "Content-Type: text/html\r\n\r\n<html><head><title>T</title><style>p { color: red }</style></head>"
	  "<body><p>One</p><p>Two<br>three <b>bo</b>ld</p></body></html>", "One Two three bold" },
	{ "Content-Type: text/html\r\n\r\na &amp; b &lt;c&gt; &#8364; &#x20AC; &nbsp; d &nothing; e &amp", "a & b <c> \342\202\254 \342\202\254 d &nothing; e" },
	{ "Content-Type: text/html\r\n\r\nx<!-- not > this -->y <a title=\"a>b\">link</a> 1 < 2", "xy link 1 < 2" },
	{ "Content-Type: text/html\r\n\r\n<SCRIPT>if (a < b) \"</p>\"</SCRIPT>after<script>never ends", "after" },
	{ "Content-Type: text/html\r\n\r\nunclosed <p class=", "unclosed" },
	/* what newsletters hide */
	{ "Content-Type: text/html; charset=utf-8\r\n\r\n\342\200\213&zwnj;\302\240 \302\255Real", "Real" },
	{ "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n"
	  "<b>html</b>\r\n--b--\r\n", "plain" },
	{ "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n"
	  "<b>html</b>\r\n--b--\r\n", "html" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\n\r\ntext\r\n--b--\r\n",
	  "text" },
	{ "Content-Type: image/png\r\n\r\nx", "" },
	{ "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nx\r\n--b--", "" },
	{ "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR", "" },
	{ "\r\na\001b\007c", "a b c" },
};

static void
make(struct span message, struct buffer *out)
{
	struct mime_tree tree;
	struct buffer parts = { 0 };

	mime_tree_init(&tree, message);
	mime_parts_write(&tree, &parts);
	mime_tree_fini(&tree);
	mime_preview(message, buffer_span(&parts), out);
	buffer_free(&parts);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer preview = { 0 };

		make(span_from_string(cases[i].message), &preview);
		assert_string_equal(buffer_string(&preview), cases[i].expected);
		buffer_free(&preview);
	}
}

/* Characters are counted, not octets, and none is cut. */
static void
test_length(void **state)
{
	struct buffer message = { 0 }, preview = { 0 };

	(void)state;
	buffer_add_string(&message, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		buffer_add_string(&message, "\342\202\254\r\n");
	make(buffer_span(&message), &preview);
	/* 100 of them, and 99 spaces between */
	assert_int_equal(preview.length, 100 * 3 + 99);
	buffer_free(&message);
	buffer_free(&preview);
}

/* A part that says nothing for long is given up. */
static void
test_bound(void **state)
{
	struct buffer message = { 0 }, preview = { 0 };

	(void)state;
	buffer_add_string(&message, "Content-Type: text/html\r\n\r\n<style>");
	while (message.length < 2 * MIME_PREVIEW_READS_MAX)
		buffer_add_string(&message, "p { margin: 0 }\r\n");
	buffer_add_string(&message, "</style>too late");
	make(buffer_span(&message), &preview);
	assert_int_equal(preview.length, 0);
	buffer_free(&message);
	buffer_free(&preview);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
