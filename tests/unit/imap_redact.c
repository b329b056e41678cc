/*
 * What is shown of commands and replies: nothing of passwords and mail, whole and cut at every octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "imap/redact.h"

static const struct {
	const char *input, *shown, *shown_of_stranger;
} commands[] = {
	{ "a NOOP\r\n", "a NOOP", "a NOOP" },
	{ "a LOGIN alice secret\r\n", "a LOGIN {11 octets}", "a LOGIN {11 octets}" },
	{ "a login \"al\\\"ice\" {6+}\r\nsecret\r\n", "a LOGIN {12 octets}", "a LOGIN {12 octets}" },
	{ "a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n", "a LOGIN {11 octets}", "a LOGIN {11 octets}" },
	{ "a AUTHENTICATE plain c2VjcmV0\r\n", "a AUTHENTICATE plain {8 octets}", "a AUTHENTICATE plain {8 octets}" },
	{ "a AUTHENTICATE SECRET\r\n", "a AUTHENTICATE {6 octets}", "a AUTHENTICATE {6 octets}" },
	{ "a AUTHENTICATE OAUTHBEARER\r\n", "a AUTHENTICATE OAUTHBEARER", "a AUTHENTICATE OAUTHBEARER" },
	{ "a SELECT secret\r\n", "a SELECT secret", "a SELECT {6 octets}" },
	{ "a SELECT {6+}\r\nsecret\r\n", "a SELECT {6 octets}", "a SELECT {11 octets}" },
	{ "a UID FETCH 1:* (FLAGS)\r\n", "a UID FETCH 1:* (FLAGS)", NULL },
	{ "a SEARCH SUBJECT {6+}\r\nsecret TEXT {0+}\r\n\r\n", "a SEARCH SUBJECT {6 octets} TEXT {0 octets}", NULL },
	{ "a SEARCH SUBJECT {7+}\r\n{3}\nsec OR ALL ALL\r\n", "a SEARCH SUBJECT {7 octets} OR ALL ALL", NULL },
	{ "a ID (\"name\" \"Mail\")\r\n", "a ID (\"name\" \"Mail\")", "a ID (\"name\" \"Mail\")" },
	{ "a SEARCH SUBJECT \"\xe2\x80\xae\x01x\"\r\n", "a SEARCH SUBJECT \"\\xe2\\x80\\xae\\x01x\"", NULL },
};

static void
test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
		struct span input = span_from_string(commands[i].input);
		struct buffer shown = { 0 };
		struct imap_event event;

		assert_int_equal(imap_parser_feed(parser, &input, &event), IMAP_EVENT_COMMAND);
		imap_redact_command(event.command, &shown);
		assert_string_equal(buffer_string(&shown), commands[i].shown);
		buffer_clear(&shown);
		imap_redact_stranger(event.command, &shown);
		if (commands[i].shown_of_stranger != NULL)
			assert_string_equal(buffer_string(&shown), commands[i].shown_of_stranger);
		imap_command_free(&event.command);
		imap_parser_free(&parser);
		buffer_free(&shown);
	}
}

static const struct {
	struct span input;
	const char *shown;		/* lines, each behind a line feed */
} replies[] = {
	{ SPAN("* OK [CAPABILITY IMAP4rev1] ready\r\na OK done\r\n"), "* OK [CAPABILITY IMAP4rev1] ready\na OK done\n" },
	{ SPAN("* 1 FETCH (BODY[] {6}\r\nsecret FLAGS (\\Seen))\r\n"), "* 1 FETCH (BODY[] {6 octets} FLAGS (\\Seen))\n" },
	{ SPAN("* 1 FETCH (BODY[] {8}\r\n\r\n* 2 x\n)\r\na OK\r\n"), "* 1 FETCH (BODY[] {8 octets})\na OK\n" },
	{ SPAN("* 1 FETCH (BINARY[1] ~{6}\r\nsec\0et)\r\n"), "* 1 FETCH (BINARY[1] ~{6 octets})\n" },
	{ SPAN("* 12 FETCH (ENVELOPE (\"secret\" NIL \"se\\\"cr\\\\et\" \"\"))\r\n"),
	    "* 12 FETCH (ENVELOPE (\"{6 octets}\" NIL \"{8 octets}\" \"\"))\n" },
	{ SPAN("* 3 UIDFETCH (PREVIEW \"{6}\" UID 3)\r\n"), "* 3 UIDFETCH (PREVIEW \"{3 octets}\" UID 3)\n" },
	{ SPAN("* LIST (\\HasNoChildren) \"/\" \"a b\"\r\n"), "* LIST (\\HasNoChildren) \"/\" \"a b\"\n" },
	{ SPAN("* LIST () \"/\" {3}\r\na\"b\r\n"), "* LIST () \"/\" {3 octets}\n" },
	{ SPAN("* OK \x1b[2J\xe2\x80\xae\r\n"), "* OK \\x1b[2J\\xe2\\x80\\xae\n" },
	{ SPAN("* 1 FETCH (BODY[] {0}\r\n)\r\n\r\n"), "* 1 FETCH (BODY[] {0 octets})\n\n" },
};

static void
add_line(struct span line, void *context)
{
	buffer_add_span(context, line);
	buffer_add_octet(context, '\n');
}

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(replies); i++) {
		for (size_t cut = 1; cut <= replies[i].input.length; cut++) {
			struct imap_redactor redactor = { .left_out = 0 };
			struct buffer shown = { 0 };

			for (size_t at = 0; at < replies[i].input.length; at += cut)
				imap_redactor_feed(&redactor, span_slice(replies[i].input, at, cut), add_line, &shown);
			assert_string_equal(buffer_string(&shown), replies[i].shown);
			imap_redactor_fini(&redactor);
			buffer_free(&shown);
		}
	}
}

/* A line has an end for who looks on, and what follows it is shown again, a literal behind that end included. */
static void
test_a_long_line(void **state)
{
	struct imap_redactor redactor = { .left_out = 0 };
	struct buffer input = { 0 }, shown = { 0 };

	(void)state;
	buffer_add_string(&input, "* 1 FETCH (");
	for (size_t i = 0; i < 100000; i++)
		buffer_add_octet(&input, 'x');
	buffer_add_string(&input, " BODY[] {6}\r\nsecret)\r\na OK done\r\n");
	imap_redactor_feed(&redactor, buffer_span(&input), add_line, &shown);
	assert_true(shown.length < IMAP_REDACT_MAX + 200);
	assert_null(strstr(buffer_string(&shown), "secret"));
	assert_non_null(strstr(buffer_string(&shown), " ... {99"));
	assert_non_null(strstr(buffer_string(&shown), "\na OK done\n"));
	buffer_free(&input);
	buffer_free(&shown);
	imap_redactor_fini(&redactor);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_a_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
