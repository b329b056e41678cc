/*
 * Trace fields: what stands in them, and what is left of a message behind them.  Whatever the message is, all
 * that is known of it alone must be true of fields and message together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "imap/arrival.h"
#include "lmtp/trace.h"
#include "mime/header.h"
#include "mime/parts.h"

static const struct lmtp_trace plain = {
	.sender = { (const uint8_t *)"bounces+17@example.org", 22 },
	.client_name = { (const uint8_t *)"mx.example.net", 14 },
	.client_address = "192.0.2.7",
	.hostname = { (const uint8_t *)"mail.example.org", 16 },
	.sid = "0123456789ab",
	.received_s = 1795426200,
};

static void
expect(const struct lmtp_trace *trace, const char *recipient, const char *expected)
{
	struct buffer out = { 0 };

	lmtp_trace_write(trace, span_from_string(recipient), &out);
	assert_string_equal(buffer_string(&out), expected);
	buffer_free(&out);
}

static void
fields_are_written(void **state)
{
	struct lmtp_trace trace = plain;

	(void)state;
	expect(&trace, "ada+shop@example.org",
	    "Return-Path: <bounces+17@example.org>\r\n"
	    "Delivered-To: ada+shop@example.org\r\n"
	    "Received: from mx.example.net ([192.0.2.7])\r\n"
	    "\tby mail.example.org with LMTP id 0123456789ab\r\n"
	    "\tfor <ada+shop@example.org>;\r\n"
	    "\tMon, 23 Nov 2026 09:30:00 +0000\r\n");
	trace.sender = SPAN("");
	trace.client_address = "unix";
	trace.is_utf8 = true;
	expect(&trace, "\"a b\"@example.org",
	    "Return-Path: <>\r\n"
	    "Delivered-To: \"a b\"@example.org\r\n"
	    "Received: from mx.example.net\r\n"
	    "\tby mail.example.org with UTF8LMTP id 0123456789ab\r\n"
	    "\tfor <\"a b\"@example.org>;\r\n"
	    "\tMon, 23 Nov 2026 09:30:00 +0000\r\n");
}

static void
client_is_named(void **state)
{
	static const struct { const char *name, *address, *expected; } cases[] = {
		{ "mx", "2001:db8::7", "mx ([IPv6:2001:db8::7])" },
		{ "[192.0.2.7]", "fe80::1%eth0", "[192.0.2.7] ([IPv6:fe80::1])" },
		{ "b\xc3\xbc" "cher.example", "unix", "b\xc3\xbc" "cher.example" },
		{ "b\xc3", "unix", "unknown" },			/* not UTF-8 */
		{ "", "unix", "unknown" },
		{ "a; (b", "unix", "unknown" },
		{ "a b", "unix", "unknown" },
		{ "<a@b>", "unix", "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lmtp_trace trace = plain;
		struct buffer out = { 0 };
		struct span header;
		struct mime_field field;
		size_t length = strlen(cases[i].expected);

		trace.client_name = span_from_string(cases[i].name);
		trace.client_address = cases[i].address;
		lmtp_trace_write(&trace, SPAN("a"), &out);
		header = buffer_span(&out);
		assert_true(mime_field_find(header, SPAN("received"), &field));
		assert_true(span_starts_with_nocase(field.value, SPAN(" from ")));
		field.value = span_from(field.value, 6);
		assert_memory_equal(field.value.at, cases[i].expected, length);
		assert_int_equal(field.value.at[length], '\r');
		buffer_free(&out);
	}
}

static const struct {
	const char *message, *kept;	/* NULL: as it is */
} cases[] = {
	{ "Subject: x\r\n\r\nbody\r\n", NULL },
	{ "Return-Path: <old@x>\r\nSubject: x\r\n\r\nbody", "Subject: x\r\n\r\nbody" },
	{ "A: 1\r\nRETURN-path :\r\n\t<old@x>\r\n  \r\nB: 2\r\n\r\nReturn-Path: <body>\r\n",
	    "A: 1\r\nB: 2\r\n\r\nReturn-Path: <body>\r\n" },
	{ "Return-Path: <1>\nA: 1\nReturn-Path: <2>\nReturn-Path: <3>\n\nb", "A: 1\n\nb" },
	{ "A: 1\r\nReturn-Path: <1>", "A: 1\r\n" },
	{ "X-Return-Path: 1\r\nReturn-Path-X: 2\r\nReturn-Path\r\n\r\n", NULL },
	{ "Return-Path: <1>\r\n\r\nbody", "\r\nbody" },
	{ "Delivered-To: other\r\nReceived: from x\r\n\r\n", NULL },
	/* No field: what stands there is a body, and stays one. */
	{ "", "\r\n" },
	{ "Return-Path: <1>\r\n", "\r\n" },
	{ "\r\nbody\r\n", NULL },
	{ "\n", NULL },
	{ "Hello,\r\nhow are you?\r\n", "\r\nHello,\r\nhow are you?\r\n" },
	{ "Hello\r\n\r\nyou", "\r\nHello\r\n\r\nyou" },
	{ "Return-Path: <1>\r\nHello\r\n", "\r\nHello\r\n" },
	{ "Hello\r\nReturn-Path: <1>\r\n", "\r\nHello\r\n" },
	{ "x", "\r\nx" },
	/* A first line that is no field keeps its place when fields follow. */
	{ "From a@b Mon Nov 23 09:30:00 2026\r\nSubject: x\r\n\r\nb", NULL },
	{ ">From a@b Mon Nov 23 09:30:00 2026\r\nReturn-Path: <1>\r\nSubject: x\r\n\r\nb",
	    ">From a@b Mon Nov 23 09:30:00 2026\r\nSubject: x\r\n\r\nb" },
	{ " folded onto nothing\r\nSubject: x\r\n\r\nb", NULL },
	/* Parts, whose places move. */
	{ "Return-Path: <1>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\nReturn-Path: <inside>\r\nSubject: y\r\n\r\ntwo\r\n--b--\r\n",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
	    "Content-Type: message/rfc822\r\n\r\nReturn-Path: <inside>\r\nSubject: y\r\n\r\ntwo\r\n--b--\r\n" },
};

static void
own_return_path_is_taken_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *kept = cases[i].kept != NULL ? cases[i].kept : cases[i].message;
		struct buffer copy = { 0 };

		assert_true(span_equals(lmtp_trace_message(span_from_string(cases[i].message), &copy),
		    span_from_string(kept)));
		buffer_free(&copy);
	}
}

/* What is rendered of the message alone, with its part table shifted, is that of the whole. */
static void
expect_same(struct span fields, struct span message)
{
	struct imap_arrival alone = { 0 }, together = { 0 };
	struct buffer whole = { 0 }, parts = { 0 };

	buffer_add_span(&whole, fields);
	buffer_add_span(&whole, message);
	imap_arrival_render(message, &alone);
	imap_arrival_render(buffer_span(&whole), &together);
	mime_parts_shift(buffer_span(&alone.parts), (uint32_t)fields.length, &parts);
	assert_int_equal(fields.length + alone.header_length, together.header_length);
	assert_true(span_equals(buffer_span(&parts), buffer_span(&together.parts)));
	assert_true(span_equals(buffer_span(&alone.envelope), buffer_span(&together.envelope)));
	assert_true(span_equals(buffer_span(&alone.body), buffer_span(&together.body)));
	assert_true(span_equals(buffer_span(&alone.bodystructure), buffer_span(&together.bodystructure)));
	imap_arrival_fini(&alone);
	imap_arrival_fini(&together);
	buffer_free(&whole);
	buffer_free(&parts);
}

static void
known_of_one_is_known_of_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer copy = { 0 }, fields = { 0 };

		lmtp_trace_write(&plain, SPAN("ada@example.org"), &fields);
		expect_same(buffer_span(&fields),
		    lmtp_trace_message(span_from_string(cases[i].message), &copy));
		buffer_free(&fields);
		buffer_free(&copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_written),
		cmocka_unit_test(client_is_named),
		cmocka_unit_test(own_return_path_is_taken_out),
		cmocka_unit_test(known_of_one_is_known_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
