/*
 * Header blocks cut into fields, and values on one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "mime/header.h"
#include "mime/message_id.h"

static const struct {
	const char *block, *told;	/* "name=value|" for each field */
	size_t length;
} blocks[] = {
	{ "A: b\r\nC: d\r\n\r\nbody", "A= b|C= d|", 14 },
	{ "A: b\nC: d\n\nbody", "A= b|C= d|", 11 },
	{ "A: b\r\n c\r\n\td\r\nE:\r\n\r\n", "A= b\r\n c\r\n\td|E=|", 20 },
	{ "A : b\r\n", "A= b|", 7 },			/* RFC 5322 section 4.5: space before the colon */
	{ "From x y\r\nA: b\r\n\r\n", "=From x y|A= b|", 18 },
	{ " leading\r\nA: b", "= leading|A= b|", 14 },
	{ "A: b\r\n \r\n c\r\n\r\n", "A= b\r\n \r\n c|", 15 },
	{ "\r\nbody", "", 2 },
	{ "\nbody", "", 1 },
	{ "\r", "=|", 1 },				/* a bare CR ends no line */
	{ "A: b", "A= b|", 4 },
	{ "", "", 0 },
};

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		struct span block = span_from_string(blocks[i].block);
		struct buffer told = { NULL, 0, 0 };
		struct mime_field field;
		size_t offset = 0, octets = 0;

		while (mime_field_next(block, &offset, &field)) {
			buffer_add_span(&told, field.name);
			buffer_add_octet(&told, '=');
			buffer_add_span(&told, field.value);
			buffer_add_octet(&told, '|');
			octets += field.whole.length;
			assert_int_equal(octets, offset);
		}
		assert_string_equal(buffer_string(&told), blocks[i].told);
		assert_int_equal(mime_header_length(block), blocks[i].length);
		buffer_free(&told);
	}
}

static void
test_find(void **state)
{
	struct span block = SPAN("Subject: one\r\nsubject: two\r\nX: y\r\n\r\nZ: body\r\n");
	struct mime_field field;

	(void)state;
	assert_true(mime_field_find(block, SPAN("SUBJECT"), &field));
	assert_true(span_equals(field.value, SPAN(" one")));
	assert_true(mime_field_find(block, SPAN("x"), &field));
	assert_true(span_equals(field.whole, SPAN("X: y\r\n")));
	assert_false(mime_field_find(block, SPAN("z"), &field));
	assert_false(mime_field_find(block, SPAN("sub"), &field));
}

static const struct {
	struct span value;
	const char *line;
} folded[] = {
	{ SPAN(" a\r\n b\r\n\tc "), "a b\tc" },
	{ SPAN("a\n b"), "a b" },
	{ SPAN("a\rb\nc"), "a b c" },
	{ SPAN("a\0b"), "a b" },
	{ SPAN(" \r\n \t"), "" },
	{ SPAN(""), "" },
};

static void
test_unfold(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(folded); i++) {
		struct buffer line = { NULL, 0, 0 };

		mime_unfold(folded[i].value, &line);
		assert_string_equal(buffer_string(&line), folded[i].line);
		buffer_free(&line);
	}
}

static const struct {
	const char *value, *first, *last;
} ids[] = {
	{ " <a@b>", "<a@b>", "<a@b>" },
	{ " <a@b>\r\n <c@d> <e@f> (x)", "<a@b>", "<e@f>" },
	{ "Your message <a@b> of today", "<a@b>", "<a@b>" },
	{ "<<a@b>", "<a@b>", "<a@b>" },
	{ "<a b> <c>", "<c>", "<c>" },
	{ "<> <", "", "" },
	{ "a@b", "", "" },
	{ "", "", "" },
};

static void
test_message_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct span value = span_from_string(ids[i].value);

		assert_true(span_equals(mime_message_id_first(value), span_from_string(ids[i].first)));
		assert_true(span_equals(mime_message_id_last(value), span_from_string(ids[i].last)));
	}
}

/* RFC 5256 section 3: what differs in quoting alone is the same. */
static const struct {
	const char *value, *plain;
} plain_ids[] = {
	{ "<01KF8JCEOCBS0045PS@xxx.yyy.com>", "01KF8JCEOCBS0045PS@xxx.yyy.com," },
	{ "<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", "01KF8JCEOCBS0045PS@xxx.yyy.com," },
	{ "<\"a\\\"b <c>\"@[1.2.3.4]>", "a\"b <c>@1.2.3.4," },
	{ "<a@b><c@d> text\r\n <e.f@g>", "a@b,c@d,e.f@g," },
	{ "< a . b @ c (comment (nested)) >", "a.b@c," },
	{ "<a.\r\n b@c>", "a.b@c," },
	{ "<A@b> <a@B>", "A@b,a@B," },
	{ "<a b@c> <d@e>", "d@e," },
	{ "<abc> <@b> <a@> <> <a@b", "" },
	{ "<a@b@c>", "a@b@c," },
	{ "<<a@b>", "a@b," },
	{ "<(never ends <a@b>", "a@b," },
	{ "<\"never ends <a@b>", "a@b," },
	{ "<a\001@b> <\303\244@b>", "\303\244@b," },
};

static void
test_plain_message_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(plain_ids); i++) {
		struct span value = span_from_string(plain_ids[i].value);
		struct buffer id = { 0 }, all = { 0 };
		size_t offset = 0;

		while (mime_message_id_next_plain(value, &offset, &id)) {
			buffer_add_span(&all, buffer_span(&id));
			buffer_add_octet(&all, ',');
		}
		assert_string_equal(buffer_string(&all), plain_ids[i].plain);
		buffer_free(&all);
		buffer_free(&id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_unfold),
		cmocka_unit_test(test_message_ids),
		cmocka_unit_test(test_plain_message_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
