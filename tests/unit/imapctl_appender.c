/*
 * Appending over a connection, against a server that refuses what holds POISON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/socket.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imapctl/import/appender.h"
#include "base/memory.h"

struct server {
	FILE *in;
	int descriptor;
	int byes_after;		/* commands until it says BYE; -1: never */
	struct buffer appended;	/* all messages stored, one behind the other */
	struct buffer words;	/* command lines without the octets of literals */
	pthread_t thread;
};

/* One command with its literals; false at the end. */
static bool
read_command(struct server *server, struct buffer *command, struct buffer *octets)
{
	char *line = NULL;
	size_t capacity = 0, length;
	bool is_open = true;

	while (is_open && getline(&line, &capacity, server->in) > 0) {
		const char *open = strrchr(line, '{');

		buffer_add_string(command, line);
		is_open = open != NULL && strstr(open, "+}\r\n") != NULL;
		length = is_open ? strtoul(open + 1, NULL, 10) : 0;
		if (is_open)
			assert_int_equal(fread(buffer_reserve(octets, length), 1, length, server->in), length);
		octets->length += length;
		if (!is_open) {
			free(line);
			return true;
		}
	}
	free(line);
	return false;
}

static void
answer(struct server *server, struct buffer *command, struct buffer *octets)
{
	const char *text = buffer_string(command);
	bool is_bad = strstr(buffer_string(octets), "POISON") != NULL || strstr(text, "CREATE \"POISON\"") != NULL;
	bool is_there = strstr(text, "CREATE \"there\"") != NULL;

	if (strstr(text, " APPEND ") != NULL && !is_bad)
		buffer_add_span(&server->appended, buffer_span(octets));
	dprintf(server->descriptor, "* OK still here\r\n%.*s %s\r\n", (int)strcspn(text, " "), text,
	    is_bad ? "NO [CANNOT] poison" : is_there ? "NO [ALREADYEXISTS] yes" : "OK done");
}

static void *
serve(void *context)
{
	struct server *server = context;
	struct buffer command = { 0 }, octets = { 0 };

	dprintf(server->descriptor, "* PREAUTH hello\r\n");
	while (read_command(server, &command, &octets)) {
		if (server->byes_after-- == 0) {
			dprintf(server->descriptor, "* BYE enough\r\n");
			break;
		}
		buffer_add_span(&server->words, buffer_span(&command));
		answer(server, &command, &octets);
		buffer_clear(&command);
		buffer_clear(&octets);
	}
	buffer_free(&command);
	buffer_free(&octets);
	shutdown(server->descriptor, SHUT_RDWR);
	return NULL;
}

static int
server_start(struct server *server, int byes_after)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*server = (struct server){ .descriptor = pair[1], .byes_after = byes_after };
	server->in = fdopen(dup(pair[1]), "r");
	pthread_create(&server->thread, NULL, serve, server);
	return pair[0];
}

/* Wait for the thread; what it has noted may be read from then on. */
static void
server_join(struct server *server)
{
	pthread_join(server->thread, NULL);
}

static void
server_end(struct server *server)
{
	fclose(server->in);
	close(server->descriptor);
	buffer_free(&server->appended);
	buffer_free(&server->words);
}

static void
on_refused(struct span origin, struct span reason, void *context)
{
	struct buffer *refused = context;

	buffer_printf(refused, "%.*s: %.*s\n", SPAN_ARGS(origin), SPAN_ARGS(reason));
}

static void
on_no_keywords(struct span origin, void *context)
{
	struct buffer *refused = context;

	buffer_printf(refused, "%.*s: no keywords\n", SPAN_ARGS(origin));
}

static bool
add(struct appender *appender, const char *mailbox, const char *text, unsigned flags, const char *origin)
{
	struct message message = { .flags = flags, .has_date = true, .date_s = 1133408812 };
	bool is_alive;

	buffer_add_string(&message.octets, text);
	if ((flags & FLAG_DRAFT) != 0)
		assert_true(message_add_keyword(&message, SPAN("work")) && message_add_keyword(&message, SPAN("$Label1")));
	buffer_add_string(&message.origin, origin);
	is_alive = appender_add(appender, span_from_string(mailbox), &message);
	message_free(&message);
	return is_alive;
}

static void
test_batches(void **state)
{
	struct server server;
	struct buffer refused = { 0 };
	struct dialog *dialog = dialog_new(connection_of(server_start(&server, -1), 0));
	struct appender *appender = appender_new(dialog, (struct appender_events){ .on_refused = on_refused, .on_no_keywords = on_no_keywords, .context = &refused });

	(void)state;
	assert_true(add(appender, "INBOX", "one\r\n", FLAG_SEEN | FLAG_FORWARDED, "1"));
	assert_true(add(appender, "INBOX", "POISON\r\n", 0, "box:2"));
	assert_true(add(appender, "INBOX", "three\r\n", 0, "3"));
	assert_true(add(appender, "a\"b", "four\r\n", FLAG_DRAFT, "4"));
	assert_true(appender_finish(appender));
	assert_int_equal(appender_count(appender), 3);
	appender_free(&appender);
	dialog_free(&dialog);
	server_join(&server);
	assert_string_equal(buffer_string(&refused), "box:2: NO [CANNOT] poison\n");
	assert_non_null(strstr(buffer_string(&server.words),
	    "a1 APPEND \"INBOX\" (\\Seen $Forwarded) \" 1-Dec-2005 03:46:52 +0000\" {5+}\r\n"
	    " \" 1-Dec-2005 03:46:52 +0000\" {8+}\r\n"));
	assert_non_null(strstr(buffer_string(&server.words), "c CREATE \"a\\\"b\"\r\n"));
	assert_non_null(strstr(buffer_string(&server.words), "(\\Draft work $Label1)"));
	server_end(&server);
	buffer_free(&refused);
}

static void
test_mailboxes_without_messages(void **state)
{
	struct server server;
	struct buffer refused = { 0 };
	struct dialog *dialog = dialog_new(connection_of(server_start(&server, -1), 0));
	struct appender *appender = appender_new(dialog, (struct appender_events){ .on_refused = on_refused, .on_no_keywords = on_no_keywords, .context = &refused });

	(void)state;
	assert_true(add(appender, "INBOX", "one\r\n", 0, "1"));
	assert_true(appender_make(appender, SPAN("INBOX"), SPAN("folder")));
	assert_true(appender_make(appender, SPAN("there"), SPAN("folder/there")));
	assert_true(appender_make(appender, SPAN("a\"b"), SPAN("folder/a")));
	assert_true(appender_make(appender, SPAN("POISON"), SPAN("folder/poison")));
	assert_true(appender_finish(appender));
	assert_int_equal(appender_count(appender), 1);
	appender_free(&appender);
	dialog_free(&dialog);
	server_join(&server);
	assert_string_equal(buffer_string(&refused), "folder/poison: NO [CANNOT] poison\n");
	assert_null(strstr(buffer_string(&server.words), "CREATE \"INBOX\""));
	assert_non_null(strstr(buffer_string(&server.words), "CREATE \"a\\\"b\"\r\nc SUBSCRIBE \"a\\\"b\"\r\n"));
	server_end(&server);
	buffer_free(&refused);
}

static void
test_many(void **state)
{
	struct server server;
	struct buffer refused = { 0 }, text = { 0 };
	struct dialog *dialog = dialog_new(connection_of(server_start(&server, -1), 0));
	struct appender *appender = appender_new(dialog, (struct appender_events){ .on_refused = on_refused, .on_no_keywords = on_no_keywords, .context = &refused });

	(void)state;
	for (int i = 0; i < 30000; i++)
		buffer_add_string(&text, "0123456789abcdef");
	for (int i = 0; i < 60; i++)
		assert_true(add(appender, "INBOX", buffer_string(&text), 0, "big"));
	for (int i = 0; i < 500; i++)
		assert_true(add(appender, "INBOX", "small", 0, "small"));
	assert_true(appender_finish(appender));
	assert_int_equal(appender_count(appender), 560);
	appender_free(&appender);
	dialog_free(&dialog);
	server_join(&server);
	assert_int_equal(server.appended.length, 60 * 480000 + 500 * 5);
	server_end(&server);
	buffer_free(&text);
	buffer_free(&refused);
}

static void
test_bye(void **state)
{
	struct server server;
	struct buffer refused = { 0 };
	struct dialog *dialog = dialog_new(connection_of(server_start(&server, 0), 0));
	struct appender *appender = appender_new(dialog, (struct appender_events){ .on_refused = on_refused, .on_no_keywords = on_no_keywords, .context = &refused });

	(void)state;
	assert_true(add(appender, "INBOX", "one\r\n", 0, "1"));
	assert_false(appender_finish(appender));
	assert_string_equal(appender_trouble(appender), "the server said: BYE enough");
	assert_int_equal(appender_count(appender), 0);
	appender_free(&appender);
	dialog_free(&dialog);
	server_join(&server);
	server_end(&server);
	buffer_free(&refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_mailboxes_without_messages),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bye),
	};

	signal(SIGPIPE, SIG_IGN);	/* as imapctl does: the client need not wait for the answer to LOGOUT */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
