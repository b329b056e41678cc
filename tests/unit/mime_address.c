/*
 * Address lists, right and wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "mime/address.h"

/* Told as "name|route|mailbox|domain;", a group as "{name" and "}". */
static const struct {
	const char *value, *told;
} cases[] = {
	{ "a@b", "||a|b;" },
	{ "a@b, c@d", "||a|b;||c|d;" },
	{ "A B <a@b>", "A B||a|b;" },
	{ "\"A, \\\"B\\\"\" <a@b>", "A, \"B\"||a|b;" },
	{ "a@b (Real Name)", "Real Name||a|b;" },
	{ "(hidden) A (c) B <a@b> (x)", "A B||a|b;" },
	{ "<a@b> (Real (nested \\) ) Name)", "Real (nested ) ) Name||a|b;" },
	{ "<@r1,@r2:a@b>", "|@r1,@r2|a|b;" },
	{ "g: a@b, c@d;", "{g||a|b;||c|d;}" },
	{ "g:;, h: (foo) ; , a@b", "{g}{h}||a|b;" },
	{ "g: a@b", "{g||a|b;}" },			/* not closed */
	{ "g:", "{g}" },
	{ "\"a b\"@c", "||a b|c;" },
	{ "a . b @ c . d", "||a.b|c.d;" },		/* RFC 5322 section 4.4 */
	{ "<a . b @ c . d>", "||a.b|c.d;" },
	{ "a@[127.0.0.1]", "||a|[127.0.0.1];" },
	{ "user", "||user|;" },
	{ "John Doe", "||John Doe|;" },
	{ "<>", "|||;" },
	{ ", ,a@b,,", "||a|b;" },
	{ "a@b; c@d", "||a|b;||c|d;" },			/* as Outlook separates */
	{ "a@b <c@d>", "a@b||c|d;" },
	{ "A\r\n B <a@b>,\r\n\tc@d", "A B||a|b;||c|d;" },
	{ "=?utf-8?q?A?= <a@b>", "=?utf-8?q?A?=||a|b;" },
	{ "=?utf-8?q?A:_B?= <a@b>", "=?utf-8?q?A:_B?=||a|b;" },	/* no group */
	{ "=?utf-8?Q?A:?= =?utf-8?Q?B,C;(D)@E?= <a@b>, c@d", "=?utf-8?Q?A:?= =?utf-8?Q?B,C;(D)@E?=||a|b;||c|d;" },
	{ "=?utf-8?Q?A: B, C?= <a@b>", "=?utf-8?Q?A: B, C?=||a|b;" },
	{ "=?utf-8?B?QTo=?=: c@d;", "{=?utf-8?B?QTo=?=||c|d;}" },
	{ "=?utf-8?q?A: c@d;", "{=?utf-8?q?A||c|d;}" },		/* never ends */
	{ "=?utf-8?q?A: <a@b>, x?= <c@d>", "{=?utf-8?q?A||a|b;x?=||c|d;}" },
	{ "J\xc3\xb6rg <j\xc3\xb6rg@b>", "J\xc3\xb6rg||j\xc3\xb6rg|b;" },
	{ "<a@b", "||a|b;" },
	{ "<a@b, c@d>", "||a|b;||c|d;" },
	{ "\"open <a@b>", "||open <a@b>|;" },
	{ "(open", "" },
	{ "a@b \\", "||a|b;" },
	{ "(\\", "" },
	{ "\"\\", "||\\|;" },
	{ "", "" },
};

static void
tell(struct span value, struct buffer *told)
{
	struct mime_address_reader reader = { .rest = value };
	struct mime_address address;

	while (mime_address_next(&reader, &address)) {
		if (address.kind == MIME_ADDRESS_GROUP_END) {
			buffer_add_octet(told, '}');
			continue;
		}
		if (address.kind == MIME_ADDRESS_GROUP_START)
			buffer_add_octet(told, '{');
		buffer_add_span(told, address.name);
		if (address.kind == MIME_ADDRESS_GROUP_START)
			continue;
		buffer_printf(told, "|%.*s|%.*s|%.*s;", SPAN_ARGS(address.route),
		    SPAN_ARGS(address.mailbox), SPAN_ARGS(address.domain));
	}
	mime_address_reader_fini(&reader);
}

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer told = { NULL, 0, 0 };

		tell(span_from_string(cases[i].value), &told);
		assert_string_equal(buffer_string(&told), cases[i].told);
		buffer_free(&told);
	}
}

/* Cut at every octet, in memory that ends there: the sanitizer sees a read behind it. */
static void
test_cut(void **state)
{
	struct span all = SPAN("g: \"A \\\"B\" (c \\) (d)) <@r,@s:a . \"b\"@[1.2]>, x@y.z (n);, <q");

	(void)state;
	for (size_t length = 0; length <= all.length; length++) {
		uint8_t *octets = (uint8_t *)memory_copy_span(all);
		struct buffer told = { NULL, 0, 0 };

		octets = memory_resize(octets, length == 0 ? 1 : length, 1);
		tell(span_of(octets, length), &told);
		buffer_free(&told);
		free(octets);
	}
}

/* QUALITY T30: a million addresses are read in one pass. */
static void
test_million(void **state)
{
	static const char *const units[] = { "a@b, ", "(", "<@,", "\"", "a:", "@", "[", ";" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct mime_address_reader reader = { .rest = { NULL, 0 } };
		struct mime_address address;
		struct buffer list = { NULL, 0, 0 };
		clock_t begin = clock();
		size_t count = 0;

		for (int unit = 0; unit < 1000000; unit++)
			buffer_add_string(&list, units[i]);
		reader.rest = buffer_span(&list);
		while (mime_address_next(&reader, &address))
			count++;
		if (i == 0)
			assert_int_equal(count, 1000000);
		assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
		mime_address_reader_fini(&reader);
		buffer_free(&list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
