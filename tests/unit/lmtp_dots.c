/*
 * The reader of DATA, fed whole and cut at every octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/lmtp/dots.h"
#include "base/buffer.h"
#include "base/memory.h"

static const struct {
	struct span input, message, rest;
	bool has_ended;
} cases[] = {
	{ SPAN(".\r\n"), SPAN(""), SPAN(""), true },
	{ SPAN("a\r\n.\r\nQUIT\r\n"), SPAN("a\r\n"), SPAN("QUIT\r\n"), true },
	{ SPAN("..a\r\n.b\r\n...\r\n.\r\n"), SPAN(".a\r\nb\r\n..\r\n"), SPAN(""), true },
	/* Not one of these ends a message: RFC 5321 section 4.1.1.4 */
	{ SPAN("a\n.\nb"), SPAN("a\n.\nb"), SPAN(""), false },
	{ SPAN("a\n.\r\nb"), SPAN("a\n.\r\nb"), SPAN(""), false },
	{ SPAN("a\r.\rb"), SPAN("a\r.\rb"), SPAN(""), false },
	{ SPAN("a\r\n.\nb"), SPAN("a\r\n\nb"), SPAN(""), false },
	{ SPAN("a\r\n.\rb"), SPAN("a\r\n\rb"), SPAN(""), false },
	{ SPAN("a\r\n.\r\r\n.\r\n"), SPAN("a\r\n\r\r\n"), SPAN(""), true },
	{ SPAN("a\r\r\n.\r\n"), SPAN("a\r\r\n"), SPAN(""), true },
	{ SPAN("\0\r\n\r\n.\r\n.\r\n"), SPAN("\0\r\n\r\n"), SPAN(".\r\n"), true },
};

static void
feed(struct lmtp_dots *dots, struct span *input, struct buffer *out)
{
	struct span octets;

	while (lmtp_dots_next(dots, input, &octets))
		buffer_add_span(out, octets);
}

static void
assert_span(struct span actual, struct span expected)
{
	assert_int_equal(actual.length, expected.length);
	assert_memory_equal(actual.at, expected.at, expected.length);
}

static void
check(size_t i, size_t cut)
{
	struct span first = span_slice(cases[i].input, 0, cut), second = span_from(cases[i].input, cut);
	struct lmtp_dots dots = { 0 };
	struct buffer out = { 0 };

	feed(&dots, &first, &out);
	if (first.length == 0)
		feed(&dots, &second, &out);
	assert_span(buffer_span(&out), cases[i].message);
	assert_int_equal(dots.state == DOTS_END, cases[i].has_ended);
	assert_int_equal(first.length + second.length, cases[i].rest.length);
	buffer_free(&out);
}

static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t cut = 0; cut <= cases[i].input.length; cut++)
			check(i, cut);
}

static void
test_octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lmtp_dots dots = { 0 };
		struct buffer out = { 0 };

		for (size_t at = 0; at < cases[i].input.length && dots.state != DOTS_END; at++) {
			struct span octet = span_slice(cases[i].input, at, 1);

			feed(&dots, &octet, &out);
		}
		assert_span(buffer_span(&out), cases[i].message);
		buffer_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_octet_by_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
