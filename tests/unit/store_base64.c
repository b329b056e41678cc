/*
 * base64 as bits: whatever goes in comes back octet for octet, what is base64 gets shorter by a fourth, and a damaged form
 * is damage, or other octets of the same length, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/store/base64.h"
#include "base/memory.h"

static uint64_t state = 88172645463325252u;

static unsigned
draw(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 11) % below;
}

/* Lines of base64; the last one may be shorter. */
static void
add_lines(struct buffer *out, size_t letters, size_t line, const char *end)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < letters; i++) {
		buffer_add_octet(out, (uint8_t)alphabet[draw(64)]);
		if ((i + 1) % line == 0)
			buffer_add_string(out, end);
	}
}

/* Returns how long the form is, or the length of the octets if there is none. */
static size_t
assert_comes_back(struct span octets)
{
	struct buffer form = { 0 }, back = { 0 };
	size_t length = octets.length;

	if (base64_shorten(octets, &form)) {
		length = form.length;
		assert_true(length <= octets.length - octets.length / 5);
		buffer_add_string(&back, "before");
		assert_true(base64_lengthen(buffer_span(&form), octets.length, &back));
		assert_true(span_equals(span_from(buffer_span(&back), 6), octets));
		back.length = 6;
		assert_false(base64_lengthen(buffer_span(&form), octets.length - 1, &back));
		assert_false(base64_lengthen(buffer_span(&form), octets.length + 1, &back));
		assert_int_equal(back.length, 6);
	} else {
		assert_int_equal(form.length, 0);
	}
	buffer_free(&form);
	buffer_free(&back);
	return length;
}

static void
test_cases(void **state_ignored)
{
	static const struct { const char *before; size_t letters, line; const char *end, *after; bool is_shorter; } cases[] = {
		{ "", 4000, 76, "\r\n", "", true }, { "", 4000, 76, "\r\n", "==\r\n--b--\r\n", true },
		{ "", 4001, 76, "\r\n", "=\r\n", true }, { "", 4002, 76, "\r\n", "", true }, { "", 4003, 76, "\r\n", "\r\n\r\n", true },
		{ "", 3040, 76, "\r\n", "", true }, { "", 4000, 64, "\r\n", "", true }, { "", 4000, 60, "\r\n", "", true },
		{ "", 6000, 996, "\r\n", "", true }, { "", 4000, 16, "\r\n", "", true },
		{ "\r\n", 4000, 76, "\r\n", "", true }, { "text\r\n\r\n", 4000, 76, "\r\n", "text\r\nof\r\nlines\r\n", true },
		{ "A\r\n", 4000, 76, "\r\n", "", true }, { "ABCDE\r\n", 4000, 76, "\r\n", "", true },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCD\r\n", 4000, 76, "\r\n", "", true },
		/* Not as it is written mostly: as it came. */
		{ "", 4000, 76, "\n", "", false }, { "", 4000, 75, "\r\n", "", false }, { "", 4000, 77, "\r\n", "", false },
		{ "", 4000, 76, " \r\n", "", false }, { "", 4000, 76, "=\r\n", "", false }, { "", 4000, 76, "\r\n\r\n", "", false },
		{ "", 4000, 4000, "\r\n", "", false }, { "", 4000, 5000, "", "", false }, { "", 4000, 76, "\r", "", false },
		{ "", 4000, 12, "\r\n", "", false }, { "", 150, 76, "\r\n", "", false }, { "", 0, 76, "\r\n", "", false },
	};
	struct buffer octets = { 0 };

	(void)state_ignored;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t length;

		buffer_clear(&octets);
		buffer_add_string(&octets, cases[i].before);
		add_lines(&octets, cases[i].letters, cases[i].line, cases[i].end);
		buffer_add_string(&octets, cases[i].after);
		length = assert_comes_back(buffer_span(&octets));
		assert_int_equal(length < octets.length, cases[i].is_shorter);
	}
	buffer_free(&octets);
}

/* Wherever a row begins and ends within an attachment it takes a fourth less, and its bits lie as in the next one. */
static void
test_cut_anywhere(void **state_ignored)
{
	struct buffer octets = { 0 };

	(void)state_ignored;
	add_lines(&octets, 6000, 76, "\r\n");
	for (size_t begin = 0; begin < 160; begin++)
		for (size_t end = octets.length - 80; end <= octets.length; end += 7) {
			struct span row = span_slice(buffer_span(&octets), begin, end - begin);

			assert_true(assert_comes_back(row) < row.length * 3 / 4 + 20);
		}
	buffer_free(&octets);
}

/* Pieces of all kinds, one after the other, and some octets changed. */
static void
test_mixtures(void **state_ignored)
{
	static const char *const pieces[] = { "\r\n", "\n", "=", "==\r\n", " ", "\r", "text of a line\r\n", "\r\n\r\n", "A", "\0\xff" };
	static const size_t lines[] = { 76, 64, 72, 75, 20, 998 };
	struct buffer octets = { 0 };
	size_t shorter = 0;

	(void)state_ignored;
	for (unsigned round = 0; round < 3000; round++) {
		buffer_clear(&octets);
		for (unsigned count = draw(6); count > 0; count--) {
			add_lines(&octets, draw(4000), lines[draw(COUNT_OF(lines))], draw(8) == 0 ? "\n" : "\r\n");
			for (unsigned i = draw(3); i > 0; i--)
				buffer_add_string(&octets, pieces[draw(COUNT_OF(pieces))]);
		}
		for (unsigned i = draw(4); i > 0 && octets.length > 0; i--)
			octets.at[draw((unsigned)octets.length)] = (uint8_t)pieces[draw(COUNT_OF(pieces))][0];
		shorter += assert_comes_back(buffer_span(&octets)) < octets.length;
	}
	assert_true(shorter > 100);
	buffer_free(&octets);
}

static void
test_damaged_forms(void **state_ignored)
{
	struct buffer octets = { 0 }, form = { 0 }, back = { 0 };

	(void)state_ignored;
	buffer_add_string(&octets, "--b\r\n\r\n");
	add_lines(&octets, 1000, 76, "\r\n");
	buffer_add_string(&octets, "==\r\n");
	add_lines(&octets, 801, 60, "\r\n");
	assert_true(base64_shorten(buffer_span(&octets), &form));
	for (size_t at = 0; at < form.length; at++) {
		uint8_t kept = form.at[at];

		for (unsigned value = 0; value < 256; value++) {
			form.at[at] = (uint8_t)value;
			if (base64_lengthen(buffer_span(&form), octets.length, &back))
				assert_int_equal(back.length, octets.length);
			buffer_clear(&back);
		}
		form.at[at] = kept;
		assert_false(base64_lengthen(span_slice(buffer_span(&form), 0, at), octets.length, &back));
		assert_false(base64_lengthen(span_from(buffer_span(&form), at + 1), octets.length, &back));
	}
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t noise[24];

		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (uint8_t)(draw(3) == 0 ? draw(256) : draw(8));
		base64_lengthen(span_of(noise, 1 + draw(sizeof noise)), draw(200), &back);
		buffer_clear(&back);
	}
	buffer_free(&octets);
	buffer_free(&form);
	buffer_free(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_mixtures),
		cmocka_unit_test(test_damaged_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
