/*
 * Base subjects: RFC 5256 section 2.1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/subject.h"

static const struct { const char *value, *base; bool is_reply; } cases[] = {
	{ "", "", false },
	{ "hello", "hello", false },
	{ " Hello  World ", "Hello World", false },
	{ "a\r\n\tb\t \tc", "a b c", false },
	/* step 2: trailers */
	{ "a (fwd)", "a", true },
	{ "a (fWd)  (FWD)", "a", true },
	{ "(fwd)", "", true },
	{ "a (fwd) b", "a (fwd) b", false },
	{ "a(fwd)", "a", true },
	/* step 3: leaders */
	{ "Re: a", "a", true },
	{ "RE:a", "a", true },
	{ "re : a", "a", true },
	{ "Re[2]: a", "a", true },
	{ "Re [2] : a", "a", true },
	{ "Re[2: a", "Re[2: a", false },
	{ "fw: a", "a", true },
	{ "Fwd: a", "a", true },
	{ "Fwd : Re: fw: a", "a", true },
	{ "Re a", "Re a", false },
	{ "Re:", "", true },
	{ "Refw: a", "Refw: a", false },
	{ "Aw: a", "Aw: a", false },
	{ "Ad: Re: a", "Ad: Re: a", false },
	{ "[list] Re: a", "a", true },
	{ "[list][2] [x] Re: a", "a", true },
	/* step 4: blobs */
	{ "[list] a", "a", false },
	{ "[list]", "[list]", false },
	{ "[a] [b]", "[b]", false },
	{ "[a] [b] c", "c", false },
	{ "[a", "[a", false },
	{ "[a[b]] c", "[a[b]] c", false },
	{ "] a", "] a", false },
	{ "[] a", "a", false },
	{ "[list] (fwd)", "[list]", true },
	{ "[foo] Fwd: [bar] Re: fw: b (fWd)  (fwd)", "b", true },
	{ "Re: [list]", "[list]", true },
	{ "[a] Re: [b] c", "c", true },
	{ "[a] b: Re: c", "b: Re: c", false },
	/* step 6: forwards */
	{ "[fwd: a]", "a", true },
	{ "Re: [FWD: c]", "c", true },
	{ "re: [fwd: [fwd: re: [fwd: babylon]]]", "babylon", true },
	{ "[fwd: a] b", "b", false },
	{ "[fwd: a (fwd)]", "a", true },
	{ "[fwd: [list] a ]", "a", true },
	{ "[fwd:]", "", true },
	{ "[fwd: ]", "", true },
	{ "[fwd: a", "[fwd: a", false },
	{ "[list] [fwd: a]", "a", true },
	/* step 1: encoded words */
	{ "=?iso-8859-1?q?RE:_C?=", "C", true },
	{ "=?us-ascii?b?UmU6IGM=?=", "c", true },
	{ "Re: =?utf-8?q?b?=", "b", true },
	{ "=?iso-8859-1?q?_?=", "", false },
	{ "=?utf-8?q?a=09=0D=0Ab?=", "a b", false },
	{ "=?iso-8859-1?q?gr=FC=DFe?=", "gr\303\274\303\237e", false },
	{ "=?utf-8?q?Re?= =?utf-8?q?:_x?=", "x", true },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer base = { 0 };
		bool is_reply = mime_subject_base(span_from_string(cases[i].value), &base);

		if (strcmp(buffer_string(&base), cases[i].base) != 0 || is_reply != cases[i].is_reply)
			fail_msg("'%s' gives '%s', %d", cases[i].value, buffer_string(&base), is_reply);
		buffer_free(&base);
	}
}

/* The same rules, each as often as it fits and from the start, as the RFC tells them. */
static size_t
blob_length(const char *text)
{
	size_t length = text[0] == '[' ? strcspn(text + 1, "[]") + 1 : 0;

	if (length == 0 || text[length] != ']')
		return 0;
	return length + 1 + strspn(text + length + 1, " \t");
}

static size_t
reply_length(const char *text)
{
	static const char *const words[] = { "fwd", "fw", "re" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t length = strlen(words[i]);

		if (strncasecmp(text, words[i], length) != 0)
			continue;
		length += strspn(text + length, " \t");
		length += blob_length(text + length);
		if (text[length] == ':')
			return length + 1;
	}
	return 0;
}

static size_t
leader_length(const char *text)
{
	size_t length = 0, part;

	if (text[0] == ' ' || text[0] == '\t')
		return 1;
	while ((part = blob_length(text + length)) > 0)
		length += part;
	part = reply_length(text + length);
	return part > 0 ? length + part : 0;
}

static bool
cut_trailer(char *text)
{
	size_t length = strlen(text);

	if (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[length - 1] = '\0';
	else if (length >= 5 && strcasecmp(text + length - 5, "(fwd)") == 0)
		text[length - 5] = '\0';
	else
		return false;
	return true;
}

static const char *
base_by_rules(char *text)
{
	size_t length;

	for (;;) {
		while (cut_trailer(text))
			continue;
		for (;;) {
			while ((length = leader_length(text)) > 0)
				text += length;
			length = blob_length(text);
			if (length == 0 || text[length] == '\0')
				break;
			text += length;
		}
		length = strlen(text);
		if (length < 6 || strncasecmp(text, "[fwd:", 5) != 0 || text[length - 1] != ']')
			return text;
		text[length - 1] = '\0';
		text += 5;
	}
}

/* All texts of up to six pieces of what the rules look for. */
static void
test_all_of_pieces(void **state)
{
	static const char *const pieces[] = { "[", "]", "re", "fwd", "(fwd)", "[fwd:", ":", " ", "[a]", "x" };

	(void)state;
	for (size_t n = 0; n < 1000000; n++) {
		char text[64] = "", copy[64], found[64];
		struct span base;

		for (size_t i = 0, rest = n; i < 6; i++, rest /= 10)
			strcat(text, pieces[rest % 10]);
		mime_subject_strip(span_from_string(text), &base);
		strcpy(copy, text);
		snprintf(found, sizeof found, "%.*s", SPAN_ARGS(base));
		assert_string_equal(found, base_by_rules(copy));
	}
}

/* Many pieces, each of which the rules look at: were the work quadratic, this would take hours. */
static void
test_long(void **state)
{
	static const char *const pieces[] = { "[a]", "[fwd:", "re:", "(fwd)", "[", "re[a]", "[a]re", "]" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct buffer text = { 0 };
		struct span base;

		while (text.length < 1000000)
			buffer_add_string(&text, pieces[i]);
		mime_subject_strip(buffer_span(&text), &base);
		assert_true(base.length <= text.length);
		buffer_free(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_all_of_pieces),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
