/*
 * The lines that open a link: what the cas says, and what it makes of the answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/link/conversation.h"
#include "base/memory.h"

static void
test_open(void **state)
{
	struct link_facts facts = { .session_id = SPAN("5f\"0c\r\n"), .address = SPAN("2001:db8::1"),
		.port = 993, .tls_version = SPAN("TLSv1.3"), .return_word = SPAN("c0ffee"),
		.return_capability = SPAN("IMAP4rev1 AUTH=PLAIN") };
	struct buffer out = { 0 };

	(void)state;
	conversation_open(&out, SPAN("alice"), &facts);
	assert_string_equal(buffer_string(&out),
	    "L1 ID (\"x-session-id\" \"5f\\\"0c\" \"x-originating-ip\" \"2001:db8::1\" "
	    "\"x-originating-port\" \"993\" \"x-tls\" \"TLSv1.3\" "
	    "\"x-return\" \"c0ffee\" \"x-return-capability\" \"IMAP4rev1 AUTH=PLAIN\")\r\n"
	    "L2 AUTHENTICATE EXTERNAL YWxpY2U=\r\n");
	buffer_free(&out);
}

/* A name cannot carry syntax: what is hostile comes out as base64. */
static void
test_hostile_user(void **state)
{
	struct link_facts facts = { .session_id = SPAN("s") };
	struct buffer out = { 0 };

	(void)state;
	conversation_open(&out, SPAN("a\r\nL3 DELETE INBOX"), &facts);
	assert_null(strstr(buffer_string(&out), "DELETE"));
	buffer_free(&out);
}

static const struct {
	const char *line;
	bool is_greeting, is_over;
	enum link_status status;
	const char *capability, *text;
} lines[] = {
	{ "* OK ready", true, false, LINK_OK, "", "" },
	{ "* OK [CAPABILITY IMAP4rev1 AUTH=EXTERNAL] ready", true, false, LINK_OK, "", "" },
	{ "* BYE [UNAVAILABLE] stopping", true, true, LINK_UNREACHABLE, "", "" },
	{ "* PREAUTH hello", true, true, LINK_PROTOCOL, "", "" },
	{ "220 smtp", true, true, LINK_PROTOCOL, "", "" },
	{ "", true, true, LINK_PROTOCOL, "", "" },
	{ "* ID NIL", false, false, LINK_OK, "", "" },
	{ "L1 BAD no ID here", false, false, LINK_OK, "", "" },
	{ "* BYE gone", false, true, LINK_UNREACHABLE, "", "" },
	{ "L2 OK [CAPABILITY IMAP4rev1 IDLE] welcome", false, true, LINK_OK, "IMAP4rev1 IDLE",
	    "[CAPABILITY IMAP4rev1 IDLE] welcome" },
	{ "L2 OK welcome", false, true, LINK_OK, "", "welcome" },
	{ "L2 NO [UNAVAILABLE] disk", false, true, LINK_REFUSED, "", "[UNAVAILABLE] disk" },
	{ "L2 BAD what", false, true, LINK_PROTOCOL, "", "" },
	{ "L22 OK x", false, true, LINK_PROTOCOL, "", "" },
	{ "+ ", false, true, LINK_PROTOCOL, "", "" },
};

static void
test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct link_result result;
		bool is_over = conversation_read(span_from_string(lines[i].line),
		    lines[i].is_greeting, &result);

		assert_int_equal(is_over, lines[i].is_over);
		if (!is_over)
			continue;
		assert_int_equal(result.status, lines[i].status);
		assert_true(span_equals(result.capability, span_from_string(lines[i].capability)));
		assert_true(span_equals(result.text, span_from_string(lines[i].text)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_hostile_user),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
