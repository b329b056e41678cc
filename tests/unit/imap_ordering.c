/*
 * What SORT and THREAD compare of a header: RFC 5256 sections 2 and 3, RFC 5957 section 3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "imap/ordering.h"

static const struct { const char *header, *subject, *from, *to, *cc, *from_name, *to_name; bool is_reply; } cases[] = {
	{ "", "", "", "", "", "", "", false },
	{ "Subject: Re: hello\r\nsubject: b\r\n", "HELLO", "", "", "", "", "", true },
	{ "From: Ann B <ann@x.org>, bo@y\r\nTo: c@z\r\nCc: d <D@z>\r\n", "", "ANN", "C", "D", "ANN B", "C@Z", false },
	{ "From:\r\nFrom: b@x\r\nTo: \r\n", "", "B", "", "", "B@X", "", false },
	{ "From: b\r\n", "", "B", "", "", "B", "", false },
	{ "From: =?iso-8859-1?q?foo_aar?= <e@f.g>\r\n", "", "E", "", "", "FOO AAR", "", false },
	{ "From: =?utf-8?q?=C3=A4?= <e@f>\r\n", "", "E", "", "", "A\314\210", "", false },
	{ "From: =?utf-8?q?" "?= <e@f>\r\n", "", "E", "", "", "E@F", "", false },
	{ "To: Friends: a@b, c@d;\r\n", "", "", "FRIENDS", "", "", "FRIENDS", false },
	{ "From: \"a b\"@c (Al)\r\n", "", "A B", "", "", "AL", "", false },
};

static void
expect(const char *what, const char *header, struct buffer *found, const char *expected)
{
	if (strcmp(buffer_string(found), expected) != 0)
		fail_msg("%s of '%s' is '%s'", what, header, buffer_string(found));
}

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *header = cases[i].header;
		struct imap_ordering ordering = { 0 };

		imap_ordering_read(span_from_string(header), &ordering);
		expect("subject", header, &ordering.subject, cases[i].subject);
		expect("from", header, &ordering.from, cases[i].from);
		expect("to", header, &ordering.to, cases[i].to);
		expect("cc", header, &ordering.cc, cases[i].cc);
		expect("from_name", header, &ordering.from_name, cases[i].from_name);
		expect("to_name", header, &ordering.to_name, cases[i].to_name);
		assert_int_equal(ordering.is_reply, cases[i].is_reply);
		imap_ordering_fini(&ordering);
	}
}

/* Identifiers with a comma behind each; "-": none. */
static const struct { const char *header, *links; } links[] = {
	{ "", "" },
	{ "Message-ID: <a@b>\r\n", "a@b," },
	{ "Message-ID: a@b\r\n", "" },
	{ "Message-ID: <\"a\"@b>\r\nReferences: <c@d> <e@f>\r\n\t<g@h>\r\nIn-Reply-To: <x@y>\r\n", "a@b,c@d,e@f,g@h," },
	{ "Message-ID: <a@b>\r\nReferences: none\r\nIn-Reply-To: yours of today <c@d> <e@f>\r\n", "a@b,c@d," },
	{ "Message-ID: <a@b>\r\nIn-Reply-To: Ann's message\r\n", "a@b," },
	{ "References: <c@d>\r\n", "-,c@d," },
};

static void
test_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		struct imap_ordering ordering = { 0 };
		struct span rest = span_from_string(links[i].links);
		struct buffer expected = { 0 };

		imap_ordering_read(span_from_string(links[i].header), &ordering);
		while (rest.length > 0) {
			size_t length = span_find(rest, ',');
			uint8_t digest[DIGEST_LENGTH] = { 0 };

			if (rest.at[0] != '-')
				digest_sha256(span_slice(rest, 0, length), digest);
			buffer_add(&expected, digest, IMAP_LINK_OCTETS);
			rest = span_from(rest, length + 1);
		}
		if (!span_equals(buffer_span(&expected), buffer_span(&ordering.links)))
			fail_msg("links of '%s'", links[i].header);
		buffer_free(&expected);
		imap_ordering_fini(&ordering);
	}
}

static void
test_dates(void **state)
{
	struct imap_ordering ordering = { 0 };

	(void)state;
	imap_ordering_read(SPAN("Date: 31 Dec 2000 16:01:33 -0800\r\n"), &ordering);
	assert_true(ordering.has_sent_date);
	assert_int_equal(ordering.sent_s, 978307293);
	imap_ordering_fini(&ordering);
	imap_ordering_read(SPAN("Date: tomorrow\r\n"), &ordering);
	assert_false(ordering.has_sent_date);
	imap_ordering_fini(&ordering);
}

static void
test_bounds(void **state)
{
	struct imap_ordering ordering = { 0 };
	struct buffer header = { 0 };
	uint8_t digest[DIGEST_LENGTH];

	(void)state;
	buffer_add_string(&header, "Subject: ");
	for (int i = 0; i < 3000; i++)
		buffer_add_octet(&header, 'x');
	buffer_add_string(&header, "\r\nReferences:");
	for (int i = 1; i <= 1500; i++)
		buffer_printf(&header, " <%d@x>\r\n", i);
	imap_ordering_read(buffer_span(&header), &ordering);
	assert_int_equal(ordering.subject.length, 1024);
	assert_int_equal(ordering.links.length, IMAP_LINKS_MAX * IMAP_LINK_OCTETS);
	digest_sha256(SPAN("501@x"), digest);
	assert_memory_equal(ordering.links.at + IMAP_LINK_OCTETS, digest, IMAP_LINK_OCTETS);
	digest_sha256(SPAN("1500@x"), digest);
	assert_memory_equal(ordering.links.at + 1000 * IMAP_LINK_OCTETS, digest, IMAP_LINK_OCTETS);
	imap_ordering_fini(&ordering);
	buffer_free(&header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
