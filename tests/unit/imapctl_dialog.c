/*
 * A dialog with a server whose words come at once, octet by octet, or compressed: replies are cut where they end, long literals
 * go to their taker, and what has no end ends the connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imapctl/remote/connection_deflate.h"
#include "../../src/imapctl/remote/remote.h"
#include "base/memory.h"

/* The server's end: it says all it has to say, and listens to nothing. */
struct server {
	int descriptor;
	struct span words;
	size_t repeats;		/* of the words */
	size_t piece;		/* octets in one write */
	bool stays;		/* it does not end the connection */
	pthread_t thread;
};

static void *
speak(void *context)
{
	struct server *server = context;

	for (size_t i = 0; i < server->repeats; i++)
		for (size_t at = 0; at < server->words.length;) {
			struct span piece = span_slice(server->words, at, server->piece);
			ssize_t sent = send(server->descriptor, piece.at, piece.length, MSG_NOSIGNAL);

			if (sent <= 0)
				return NULL;	/* the other end has heard enough */
			at += (size_t)sent;
		}
	if (!server->stays)
		shutdown(server->descriptor, SHUT_WR);
	return NULL;
}

static struct dialog *
server_start(struct server *server, struct span words, size_t piece)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	server->descriptor = ends[1];
	server->words = words;
	server->piece = piece;
	if (server->repeats == 0)
		server->repeats = 1;
	assert_int_equal(pthread_create(&server->thread, NULL, speak, server), 0);
	return dialog_new(connection_of(ends[0], 0));
}

static void
server_end(struct server *server, struct dialog **dialog)
{
	dialog_free(dialog);
	pthread_join(server->thread, NULL);
	close(server->descriptor);
}

/* What was heard, told again: each reply on a line, and of literals that were taken how they began and how long they were. */
struct hearing {
	struct dialog *dialog;
	struct buffer told;
	uint64_t taken;
	size_t largest;		/* octets of one piece of a literal */
};

static bool
on_reply(struct span reply, void *context)
{
	struct hearing *hearing = context;
	struct imap_reply_text text = dialog_text(hearing->dialog, reply);

	buffer_printf(&hearing->told, "<%.*s", SPAN_ARGS(reply));
	for (size_t i = 0; i < text.taken_count; i++)
		buffer_printf(&hearing->told, " @%zu", text.taken[i]);
	buffer_add_string(&hearing->told, ">\n");
	return true;
}

static void
on_literal(struct span so_far, uint64_t size, void *context)
{
	struct hearing *hearing = context;

	buffer_printf(&hearing->told, "(%zu octets and then %llu)\n", so_far.length, (unsigned long long)size);
}

static bool
on_octets(struct span octets, void *context)
{
	struct hearing *hearing = context;

	hearing->taken += octets.length;
	hearing->largest = octets.length > hearing->largest ? octets.length : hearing->largest;
	return true;
}

static void
hear(struct dialog *dialog, struct hearing *hearing)
{
	*hearing = (struct hearing){ .dialog = dialog };
	dialog_listen(dialog, '*', on_reply, hearing);
	dialog_listen(dialog, '+', on_reply, hearing);
	dialog_listen(dialog, 'r', on_reply, hearing);
}

static const struct {
	const char *words;
	const char *expected;
	const char *trouble;
} cases[] = {
	{ "* OK hi\r\nr1 OK done\n+ go\r\n", "<* OK hi>\n<r1 OK done>\n<+ go>\n", "the server ended the connection" },
	{ "* 1 FETCH (BODY[] {3}\r\na\nb)\r\n", "<* 1 FETCH (BODY[] {3}\r\na\nb)>\n", "the server ended the connection" },
	{ "* 1 FETCH (BODY[] {0}\r\n)\r\n* 2 EXISTS\r\n", "<* 1 FETCH (BODY[] {0}\r\n)>\n<* 2 EXISTS>\n",
	    "the server ended the connection" },
	{ "* 1 FETCH (BODY[] ~{5}\r\n12}\r\n X {2}\r\nab BODY[1] {6}\r\n123456)\r\n",
	    "(24 octets and then 5)\n(48 octets and then 6)\n<* 1 FETCH (BODY[] ~{5}\r\n X {2}\r\nab BODY[1] {6}\r\n) @24 @48>\n",
	    "the server ended the connection" },
	/* Texts for people announce nothing. */
	{ "* OK now {5}\r\n* BAD {9}\r\nr1 NO {7}\r\n+ {4}\r\n", "<* OK now {5}>\n<* BAD {9}>\n<r1 NO {7}>\n<+ {4}>\n",
	    "the server ended the connection" },
	{ "* LIST () \"/\" {}\r\n* LIST () \"/\" 5}\r\n", "<* LIST () \"/\" {}>\n<* LIST () \"/\" 5}>\n",
	    "the server ended the connection" },
	{ "x\r\n\r\n* 1 EXISTS\r\n", "<* 1 EXISTS>\n", "the server ended the connection" },	/* nobody listens to those */
	{ "* bye [ALERT] enough\r\n* 1 EXISTS\r\n", "", "the server said: bye [ALERT] enough" },
	{ "* 1 FETCH (BODY[] {3}\r\nab", "", "the server ended the connection" },
	{ "* 1 EXI", "", "the server ended the connection" },
};

static void
cuts_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		struct server server = { 0 };
		struct hearing hearing;
		struct dialog *dialog = server_start(&server, span_from_string(cases[i / 2].words), i % 2 == 0 ? SIZE_MAX : 1);

		hear(dialog, &hearing);
		dialog_set_taker(dialog, &(struct dialog_taker){ 4, on_literal, on_octets, &hearing });
		while (dialog_step(dialog))
			continue;
		assert_string_equal(buffer_string(&hearing.told), cases[i / 2].expected);
		assert_string_equal(dialog_trouble(dialog), cases[i / 2].trouble);
		buffer_free(&hearing.told);
		server_end(&server, &dialog);
	}
}

/* 64 MiB go by without being kept. */
static void
streams_literals(void **state)
{
	static const char head[] = "* 1 FETCH (BODY[] {67108864}\r\n";
	struct span zeros = span_of(memory_new(1 << 20), 1 << 20);
	struct server begin = { .stays = true }, rest = { .repeats = 64, .piece = SIZE_MAX };
	struct hearing hearing;
	struct dialog *dialog = server_start(&begin, span_from_string(head), SIZE_MAX);

	(void)state;
	hear(dialog, &hearing);
	dialog_set_taker(dialog, &(struct dialog_taker){ 1000, on_literal, on_octets, &hearing });
	pthread_join(begin.thread, NULL);
	rest.descriptor = begin.descriptor;
	rest.words = zeros;
	assert_int_equal(pthread_create(&begin.thread, NULL, speak, &rest), 0);
	while (dialog_step(dialog))
		continue;
	assert_string_equal(buffer_string(&hearing.told), "(30 octets and then 67108864)\n");
	assert_int_equal(hearing.taken, 67108864);
	assert_true(hearing.largest <= 512 * 1024);
	assert_string_equal(dialog_trouble(dialog), "the server ended the connection");
	buffer_free(&hearing.told);
	server_end(&begin, &dialog);
	free((void *)(uintptr_t)zeros.at);
}

/* A taker without on_octets: literals are dropped, and the reply comes all the same. */
static void
drops_literals(void **state)
{
	struct server server = { 0 };
	struct hearing hearing;
	struct dialog *dialog = server_start(&server, SPAN("* 1 FETCH (BODY[] {9}\r\n123456789 UID 7)\r\n"), 4);

	(void)state;
	hear(dialog, &hearing);
	dialog_set_taker(dialog, &(struct dialog_taker){ .kept_octets = 8 });
	while (dialog_step(dialog))
		continue;
	assert_string_equal(buffer_string(&hearing.told), "<* 1 FETCH (BODY[] {9}\r\n UID 7) @23>\n");
	buffer_free(&hearing.told);
	server_end(&server, &dialog);
}

/* Endless lines, literals beyond all sizes, more and more literals: the memory has an end. */
static void
bounds_memory(void **state)
{
	static const struct {
		const char *words;
		size_t repeats;
		uint64_t kept;		/* 0: there is no taker */
		const char *trouble;
	} endless[] = {
		{ NULL, 80, 0, "the server's answer has no end" },	/* a line of so many MiB */
		{ NULL, 80, 1000, "the server's answer has no end" },
		{ "* 1 FETCH (BODY[] {1073741825}\r\n", 1, 0, "the server sends more than can be taken" },
		{ "* 1 FETCH (BODY[] {9223372036854775807}\r\n", 1, 0, "the server sends more than can be taken" },
		{ "*  {8}\r\n", 200, 2, "the server sends more than can be taken" },	/* each is the octets of the one before */
		{ "*  {67108865}\r\n", 1, 67108864, "the server ended the connection" },
	};
	struct span letters = span_of(memory_new(1 << 20), 1 << 20);

	(void)state;
	memset((void *)(uintptr_t)letters.at, 'a', letters.length);
	for (size_t i = 0; i < COUNT_OF(endless); i++) {
		struct server server = { .repeats = endless[i].repeats };
		struct span words = endless[i].words == NULL ? letters : span_from_string(endless[i].words);
		struct hearing hearing;
		struct dialog *dialog = server_start(&server, words, SIZE_MAX);

		hear(dialog, &hearing);
		if (endless[i].kept > 0)
			dialog_set_taker(dialog, &(struct dialog_taker){ .kept_octets = endless[i].kept });
		while (dialog_step(dialog))
			continue;
		assert_string_equal(dialog_trouble(dialog), endless[i].trouble);
		buffer_free(&hearing.told);
		server_end(&server, &dialog);
	}
	free((void *)(uintptr_t)letters.at);
}

/* ---- compression ---------------------------------------------------------------------------------------- */

/* What waits behind the answer to COMPRESS is compressed already. */
static void
inflates_what_follows(void **state)
{
	struct connection_deflate *other = connection_deflate_new();
	struct buffer words = { 0 }, plain = { 0 };
	struct server server = { 0 };
	struct hearing hearing;
	struct dialog *dialog;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)		/* more than one step gives */
		buffer_add_string(&plain, "* 1 EXISTS\r\n");
	buffer_add_string(&words, "* 5 EXISTS\r\n");
	connection_deflate_pack(other, buffer_span(&plain), &words);
	connection_deflate_pack(other, SPAN("* 2 EXISTS\r\n"), &words);
	dialog = server_start(&server, buffer_span(&words), SIZE_MAX);
	hear(dialog, &hearing);
	dialog_pause(dialog);
	assert_true(dialog_step(dialog));
	assert_int_equal(hearing.told.length, 0);
	dialog_start_deflate(dialog);
	while (dialog_step(dialog))
		continue;
	/* The first reply was in plain text, and is none any more. */
	assert_string_equal(dialog_trouble(dialog), "what the server sends is not compressed as was agreed on");
	buffer_free(&hearing.told);
	server_end(&server, &dialog);

	buffer_consume(&words, strlen("* 5 EXISTS\r\n"));
	server = (struct server){ 0 };
	dialog = server_start(&server, buffer_span(&words), SIZE_MAX);
	hear(dialog, &hearing);
	dialog_start_deflate(dialog);
	while (dialog_step(dialog))
		continue;
	assert_string_equal(dialog_trouble(dialog), "the server ended the connection");
	assert_int_equal(hearing.told.length, 100001 * strlen("<* 1 EXISTS>\n"));
	assert_string_equal(buffer_string(&hearing.told) + hearing.told.length - 13, "<* 2 EXISTS>\n");
	buffer_free(&hearing.told);
	server_end(&server, &dialog);
	connection_deflate_free(&other);
	buffer_free(&words);
	buffer_free(&plain);
}

/* ---- commands and answers ------------------------------------------------------------------------------- */

static bool
on_untagged(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct buffer *told = context;

	buffer_printf(told, "%.*s%s ", SPAN_ARGS(reply->name), is_malformed ? "?" : "");
	return true;
}

static void
on_alert(struct span text, void *context)
{
	buffer_printf(context, "alert:%.*s ", SPAN_ARGS(text));
}

static void
finds_answers(void **state)
{
	struct server server = { 0 };
	struct dialog *dialog = server_start(&server, SPAN("* OK [CAPABILITY IMAP4rev1 ID AUTH=PLAIN] hi\r\n"
	    "* 1 EXISTS\r\n* 1 FETCH x\r\n* OK [ALERT] the disk is full\r\nr2 NO [OVERQUOTA] too much\r\n"
	    "* ENABLED QRESYNC\r\nr1 ok [CAPABILITY IMAP4rev2] done\r\nr3 OK\r\n"), SIZE_MAX);
	struct remote *remote = remote_new(dialog, 'r');
	struct buffer told = { 0 };
	struct remote_answer answer;
	uint32_t first, second;

	(void)state;
	remote_listen(remote, on_untagged, &told);
	remote_on_alert(remote, on_alert, &told);
	first = remote_begin(remote, "NOOP");
	remote_end(remote);
	second = remote_begin(remote, "CHECK");
	remote_end(remote);
	remote_begin(remote, "UNSELECT");
	remote_end(remote);
	assert_true(remote_wait(remote, first, &answer));
	assert_int_equal(answer.condition, IMAP_REPLY_OK);
	assert_string_equal(buffer_string(&told), "OK EXISTS FETCH? alert:the disk is full OK ENABLED ");
	assert_true(remote_wait(remote, second, &answer));
	assert_int_equal(answer.condition, IMAP_REPLY_NO);
	assert_true(span_equals(answer.code.name, SPAN("OVERQUOTA")));
	assert_true(span_equals(answer.line, SPAN("NO [OVERQUOTA] too much")));
	assert_true(remote_can(remote, "imap4REV2"));
	assert_true(remote_can(remote, "UIDPLUS"));	/* it is a part of IMAP4rev2 */
	assert_false(remote_can(remote, "ID"));		/* what was told first counts no longer */
	assert_false(remote_can_authenticate(remote, "PLAIN"));
	assert_true(remote_has_enabled(remote, "qresync"));
	buffer_free(&told);
	remote_free(&remote);
	server_end(&server, &dialog);
}

static const struct {
	const char *words;
	const char *trouble;
} greetings[] = {
	{ "* OK hi\r\n", "" },
	{ "* PREAUTH hi\r\n", "" },
	{ "* BYE [UNAVAILABLE] later\r\n", "the server said: BYE [UNAVAILABLE] later" },
	{ "* NO\r\n", "it greets with a refusal" },
	{ "+OK POP3 ready\r\n", "what speaks there is no IMAP server" },
	{ "220 mail ESMTP\r\n", "what speaks there is no IMAP server" },
	{ "HTTP/1.1 400 Bad Request\r\n", "what speaks there is no IMAP server" },
	{ "", "the server ended the connection" },
};

static void
takes_greetings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(greetings); i++) {
		struct server server = { 0 };
		struct dialog *dialog = server_start(&server, span_from_string(greetings[i].words), SIZE_MAX);
		struct remote *remote = remote_new(dialog, 'r');
		enum imap_reply_condition condition;

		assert_int_equal(remote_await_greeting(remote, &condition), greetings[i].trouble[0] == '\0');
		assert_string_equal(dialog_trouble(dialog), greetings[i].trouble);
		remote_free(&remote);
		server_end(&server, &dialog);
	}
}

static const struct {
	const char *words;	/* of the server, about the first command */
	const char *string;
	bool is_added;
	const char *sent;	/* what waits to be written, at the end */
	enum imap_reply_condition condition;
} strings[] = {
	{ "* CAPABILITY IMAP4rev1\r\nr1 OK\r\n", "a \"b\" \\", true, "r1 SELECT \"a \\\"b\\\" \\\\\"\r\n", IMAP_REPLY_OK },
	{ "* CAPABILITY IMAP4rev1\r\n+ go\r\nr1 OK\r\n", "x\ny", true, "x\ny\r\n", IMAP_REPLY_OK },
	{ "* CAPABILITY IMAP4rev1\r\nr1 NO no such thing\r\n", "\xfc", false, "", IMAP_REPLY_NO },	/* refused in the middle */
	{ "* CAPABILITY LITERAL-\r\nr1 OK\r\n", "\xfc", true, "r1 SELECT {1+}\r\n\xfc\r\n", IMAP_REPLY_OK },
	{ "* ENABLED UTF8=ACCEPT\r\nr1 OK\r\n", "\u00fc", true, "r1 SELECT \"\u00fc\"\r\n", IMAP_REPLY_OK },
};

/* Strings are quoted, or literals, which wait for the server where it has not said that they need not. */
static void
sends_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		struct server server = { .stays = true };
		struct span words = span_from_string(strings[i].words);
		size_t first_line = span_find(words, '\n') + 1;
		struct dialog *dialog = server_start(&server, span_slice(words, 0, first_line), SIZE_MAX);
		struct remote *remote = remote_new(dialog, 'r');
		struct remote_answer answer;
		uint32_t number;

		assert_true(dialog_step(dialog));	/* one line, in one piece */
		assert_int_equal(send(server.descriptor, words.at + first_line, words.length - first_line, 0),
		    words.length - first_line);
		number = remote_begin(remote, "SELECT ");
		assert_int_equal(remote_add_string(remote, span_from_string(strings[i].string)), strings[i].is_added);
		remote_end(remote);
		assert_string_equal(buffer_string(remote_out(remote)), strings[i].sent);
		assert_true(remote_wait(remote, number, &answer));
		assert_int_equal(answer.condition, strings[i].condition);
		remote_free(&remote);
		server_end(&server, &dialog);
	}
}

/* Modified UTF-7 as long as the server was not told to speak UTF-8. */
static void
sends_names_of_mailboxes(void **state)
{
	struct server server = { .stays = true };
	struct dialog *dialog = server_start(&server, SPAN(""), SIZE_MAX);
	struct remote *remote = remote_new(dialog, 'r');

	(void)state;
	assert_true(remote_add_mailbox(remote, SPAN("Entw\u00fcrfe & so")));
	assert_string_equal(buffer_string(remote_out(remote)), "\"Entw&APw-rfe &- so\"");
	remote_free(&remote);
	server_end(&server, &dialog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_replies),
		cmocka_unit_test(streams_literals),
		cmocka_unit_test(drops_literals),
		cmocka_unit_test(bounds_memory),
		cmocka_unit_test(inflates_what_follows),
		cmocka_unit_test(finds_answers),
		cmocka_unit_test(takes_greetings),
		cmocka_unit_test(sends_strings),
		cmocka_unit_test(sends_names_of_mailboxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
