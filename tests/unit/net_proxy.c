/*
 * PROXY headers: right ones at every length of their beginning, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "net/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 "\x11"
#define TCP6 "\x21"
#define ENDS4 "\xc0\x00\x02\x01" "\xc6\x33\x64\x02" "\x30\x39" "\x03\xe1"
#define DB8_1 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define WRAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x09"
#define PORTS "\xff\xff\x00\x8f"

struct good {
	struct span header;
	const char *address;
	uint16_t port;
};

static const struct good good[] = {
	{ SPAN("PROXY TCP4 192.0.2.1 198.51.100.2 12345 993\r\n"), "192.0.2.1", 12345 },
	{ SPAN("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255", 65535 },
	{ SPAN("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0", 0 },
	{ SPAN("PROXY TCP6 2001:DB8:0:0::1 ::1 1 993\r\n"), "2001:db8::1", 1 },
	{ SPAN("PROXY TCP6 ::ffff:10.0.0.9 ::1 1 993\r\n"), "10.0.0.9", 1 },
	{ SPAN("PROXY UNKNOWN\r\n"), "", 0 },
	{ SPAN("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "", 0 },
	{ SPAN(SIGNATURE "\x21" TCP4 "\x00\x0c" ENDS4), "192.0.2.1", 12345 },
	{ SPAN(SIGNATURE "\x21" TCP4 "\x00\x13" ENDS4 "\x04\x00\x04" "abcd"), "192.0.2.1", 12345 },
	{ SPAN(SIGNATURE "\x21" TCP4 "\x00\x0d" ENDS4 "\x04"), "192.0.2.1", 12345 },
	{ SPAN(SIGNATURE "\x21" TCP6 "\x00\x24" DB8_1 DB8_1 PORTS), "2001:db8::1", 65535 },
	{ SPAN(SIGNATURE "\x21" TCP6 "\x00\x24" WRAPPED WRAPPED PORTS), "10.0.0.9", 65535 },
	{ SPAN(SIGNATURE "\x21\x00\x00\x00"), "", 0 },
	{ SPAN(SIGNATURE "\x21\x00\x00\x03" "abc"), "", 0 },
	{ SPAN(SIGNATURE "\x20\x00\x00\x00"), "", 0 },
	{ SPAN(SIGNATURE "\x20" TCP4 "\x00\x0c" ENDS4), "", 0 },
	{ SPAN(SIGNATURE "\x20\xff\x00\x01" "x"), "", 0 },
};

static void
check_cut(const struct good *row, struct span behind)
{
	struct buffer text = { 0 };
	struct proxy_header header;

	buffer_add_span(&text, row->header);
	buffer_add_span(&text, behind);
	for (size_t length = 0; length < row->header.length; length++)
		if (proxy_parse(span_slice(buffer_span(&text), 0, length), &header) != PROXY_NEED_MORE)
			fail_msg("row %zu, %zu octets", (size_t)(row - good), length);
	if (proxy_parse(buffer_span(&text), &header) != PROXY_DONE)
		fail_msg("row %zu", (size_t)(row - good));
	assert_int_equal(header.length, row->header.length);
	assert_string_equal(header.address, row->address);
	assert_int_equal(header.port, row->port);
	buffer_free(&text);
}

static void
right_headers_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		check_cut(&good[i], SPAN(""));
		check_cut(&good[i], SPAN("a LOGIN x y\r\nPROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"));
		check_cut(&good[i], SPAN("\x16\x03\x01\0\0"));
	}
}

static void
wrong_headers_are_refused(void **state)
{
	static const struct span wrong[] = {
		SPAN("a"), SPAN("\x16\x03\x01"), SPAN("proxy "), SPAN("PROXY\t"), SPAN("PROXYv"), SPAN("\r\n\r\n\0\r\nQUIT\r"),
		SPAN("\n"), SPAN("PROXY \n"), SPAN("PROXY \r\n"), SPAN("PROXY TCP4\r\n"), SPAN("PROXY UNKNOWN\n"),
		SPAN("PROXY UNKNOWNX\r\n"), SPAN("PROXY UDP4 1.1.1.1 2.2.2.2 1 1\r\n"),
		SPAN("PROXY tcp4 1.1.1.1 2.2.2.2 1 1\r\n"), SPAN("PROXY  TCP4 1.1.1.1 2.2.2.2 1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1  2.2.2.2 1 1\r\n"), SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 \r\n"),
		SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n"), SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n"), SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 01 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 -1 1\r\n"), SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 +1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1 \r\n"), SPAN("PROXY TCP4 01.1.1.1 2.2.2.2 1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1 2.2.2.2 1 1\r\n"), SPAN("PROXY TCP4 ::1 ::1 1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1\0 2.2.2.2 1 1\r\n"), SPAN("PROXY TCP6 1.1.1.1 ::1 1 1\r\n"),
		SPAN("PROXY TCP6 fe80::1%lo ::1 1 1\r\n"), SPAN("PROXY TCP6 [::1] ::1 1 1\r\n"),
		SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\r\r\n"), SPAN("PROXY TCP4 1.1.1.1 2.2.2.2 1\r 1\r\n"),
		SPAN("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789"
		    "01234567890123456789012345678\r\n"),
		SPAN(SIGNATURE "\x11"), SPAN(SIGNATURE "\x22"), SPAN(SIGNATURE "\x31" TCP4 "\x00\x0c" ENDS4),
		SPAN(SIGNATURE "\x21\x12\x00\x0c" ENDS4), SPAN(SIGNATURE "\x21\x31\x00\x00"),
		SPAN(SIGNATURE "\x21" TCP4 "\x00\x0b" ENDS4), SPAN(SIGNATURE "\x21" TCP4 "\x00\x00" ENDS4),
		SPAN(SIGNATURE "\x21" TCP6 "\x00\x0c" ENDS4), SPAN(SIGNATURE "\x21" TCP4 "\x0f\xf1"),
		SPAN(SIGNATURE "\x20\x00\xff\xff"),
	};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (proxy_parse(wrong[i], &header) != PROXY_MALFORMED)
			fail_msg("row %zu", i);
}

/* What is never ended is refused at the limit, not collected. */
static void
headers_end(void **state)
{
	static const uint8_t length[2] = { (PROXY_HEADER_MAX - 16) >> 8, (PROXY_HEADER_MAX - 16) & 0xff };
	struct buffer text = { 0 };
	struct proxy_header header;

	(void)state;
	buffer_add_string(&text, "PROXY UNKNOWN ");
	while (text.length < 106) {
		assert_int_equal(proxy_parse(buffer_span(&text), &header), PROXY_NEED_MORE);
		buffer_add_octet(&text, 'x');
	}
	buffer_add_octet(&text, '\r');
	assert_int_equal(proxy_parse(buffer_span(&text), &header), PROXY_MALFORMED);
	buffer_clear(&text);
	buffer_add_span(&text, SPAN(SIGNATURE "\x20\x00"));
	buffer_add(&text, length, sizeof length);
	while (text.length < PROXY_HEADER_MAX) {
		assert_int_equal(proxy_parse(buffer_span(&text), &header), PROXY_NEED_MORE);
		buffer_add_octet(&text, 0);
	}
	assert_int_equal(proxy_parse(buffer_span(&text), &header), PROXY_DONE);
	assert_int_equal(header.length, PROXY_HEADER_MAX);
	buffer_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_headers_in_any_pieces),
		cmocka_unit_test(wrong_headers_are_refused),
		cmocka_unit_test(headers_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
