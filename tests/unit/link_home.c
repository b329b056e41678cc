/*
 * Where users live who have not moved here yet: imap://[USER@]HOST[:PORT].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "link/relay.h"

static const struct {
	const char *home, *user, *server;	/* server NULL: it is none */
} cases[] = {
	{ "imap://old.example.org", "", "imap://old.example.org:143" },
	{ "imaps://old.example.org", "", "imaps://old.example.org:993" },
	{ "IMAPS://Old.Example.ORG/", "", "imaps://old.example.org:993" },
	{ "imap://192.0.2.7:1143", "", "imap://192.0.2.7:1143" },
	{ "imap://[2001:DB8::1]:143", "", "imap://[2001:db8::1]:143" },
	{ "imaps://[::1]", "", "imaps://[::1]:993" },
	{ "imap://alice@old.example.org:143", "alice", "imap://old.example.org:143" },
	{ "imap://alice@example.org@old.example.org", "alice@example.org", "imap://old.example.org:143" },
	{ "imap://a%2Ab%40example.org@old.example.org", "a*b@example.org", "imap://old.example.org:143" },
	{ "imap://", "", NULL },
	{ "imap:///", "", NULL },
	{ "imap:/old.example.org", "", NULL },
	{ "mbx1", "", NULL },
	{ "", "", NULL },
	{ "imap://@old.example.org", "", NULL },
	{ "imap://alice@", "", NULL },
	{ "imap://alice:secret@old.example.org", "", NULL },
	{ "imap://alice;AUTH=PLAIN@old.example.org", "", NULL },
	{ "imap://a%0@old.example.org", "", NULL },
	{ "imap://a%0Ab@old.example.org", "", NULL },
	{ "imap://a%00b@old.example.org", "", NULL },
	{ "imap://old.example.org:", "", NULL },
	{ "imap://old.example.org:0", "", NULL },
	{ "imap://old.example.org:65536", "", NULL },
	{ "imap://old.example.org:143x", "", NULL },
	{ "imap://old.example.org/INBOX", "", NULL },
	{ "imap://[::1", "", NULL },
	{ "imap://[::1]143", "", NULL },
	{ "imap://::1", "", NULL },
	{ "imap://old example.org", "", NULL },
};

static void
test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct link_home home;
		struct buffer server = { 0 };
		const char *wrong = link_home_read(span_from_string(cases[i].home), &home);

		if ((wrong == NULL) != (cases[i].server != NULL))
			fail_msg("%s: %s", cases[i].home, wrong == NULL ? "is read" : wrong);
		if (wrong != NULL)
			continue;
		link_home_write(&home, &server);
		assert_string_equal(buffer_string(&server), cases[i].server);
		assert_string_equal(home.user, cases[i].user);
		buffer_free(&server);
	}
}

/* What is too long is refused, and nothing is written behind the end. */
static void
test_length(void **state)
{
	struct buffer text = { 0 };
	struct link_home home;

	(void)state;
	for (size_t length = 250; length < 600; length++) {
		buffer_clear(&text);
		buffer_add_string(&text, "imap://");
		for (size_t i = 0; i < length; i++)
			buffer_add_octet(&text, 'h');
		assert_int_equal(link_home_read(buffer_span(&text), &home) == NULL, length < 256);
		buffer_add_string(&text, "@host");
		assert_int_equal(link_home_read(buffer_span(&text), &home) == NULL, length < 256);
	}
	buffer_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
