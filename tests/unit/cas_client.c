/*
 * A client before login, octets in and octets out, against a mailbox role that only says its lines.
 * Workers run in line and the clock is our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/cas/client.h"
#include "auth/password.h"
#include "base/clock.h"
#include "base/memory.h"

struct world {
	struct loop *loop;
	struct workers *workers;
	struct job_queue *queue;
	struct directory *directory;
	struct link *link;
	struct cas *cas;
	struct config config;
	char path[64];
	struct stream *near;		/* what the client holds */
	struct stream *far;		/* the mailbox role's end of the link */
	struct buffer heard;		/* by the mailbox role */
	struct buffer said;		/* to the client */
	bool is_closed;
	uint64_t now_us;
};

static struct world *world;

static void
run_jobs(void *context, struct list *jobs)
{
	(void)context;
	LIST_FOREACH(jobs, link) {
		struct job *job = LIST_ENTRY(link, struct job, link);

		job->work(job);
		job_complete(job);
	}
}

static void
take(struct stream *stream, struct buffer *into)
{
	while (stream_has_input(stream)) {
		struct span piece = stream_input(stream);

		buffer_add_span(into, piece);
		stream_consume(stream, piece.length);
	}
}

static void
on_mailbox_input(struct stream *stream, void *context)
{
	(void)context;
	take(stream, &world->heard);
}

static void
on_client_input(struct stream *stream, void *context)
{
	(void)context;
	take(stream, &world->said);
}

static void
on_client_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	(void)context;
	world->is_closed = true;
}

static const struct stream_events mailbox_events = { on_mailbox_input, NULL, NULL };
static const struct stream_events client_events = { on_client_input, NULL, on_client_end };

static void
on_arrived(struct stream *stream, void *context)
{
	(void)context;
	world->far = stream;
	stream_set_events(stream, &mailbox_events, NULL);
	stream_write(stream, SPAN("* OK ready\r\nL1 OK\r\nL2 OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n"));
}

static void
turn(void)
{
	for (int i = 0; i < 40; i++)
		loop_turn(world->loop, false);
}

static void
wait_us(uint64_t us)
{
	world->now_us += us;
	clock_fake(world->now_us, 1);
	turn();
}

static void
add_user(const char *name, const char *password)
{
	struct buffer credential = { 0 };

	assert_true(password_derive(span_from_string(password), true, &credential));
	assert_int_equal(directory_add(world->directory, span_from_string(name),
	    buffer_span(&credential)), DIRECTORY_OK);
	buffer_free(&credential);
}

static int
begin(void **state)
{
	static char *mechanisms[] = { (char *)"PLAIN", (char *)"LOGIN", (char *)"SCRAM-SHA-256",
		(char *)"SCRAM-SHA-256-PLUS" };
	struct cas_parts parts;

	(void)state;
	world = NEW(struct world);
	world->now_us = 1000000;
	clock_fake(world->now_us, 1);
	strcpy(world->path, "/tmp/cas-client-XXXXXX");
	close(mkstemp(world->path));
	world->loop = loop_new();
	world->workers = workers_new(world->loop, "test", 0);
	world->queue = job_queue_new(world->workers, run_jobs, NULL);
	assert_int_equal(directory_open_sqlite(world->path, &world->directory), DIRECTORY_OK);
	add_user("alice", "secret");
	world->link = link_new(world->loop);
	link_serve(world->link, on_arrived, NULL);
	world->config = (struct config){ .hostname = (char *)"test", .login_type = CONFIG_LOGIN_PLAIN,
		.login_timeout_s = 60, .auth_cache_time_s = 300, .max_connections = 10,
		.max_command_size_octets = 65536,
		.max_connections_per_user = 1, .max_connections_per_address = 10 };
	world->config.auth_mechanisms = (struct config_uris){ mechanisms, COUNT_OF(mechanisms) };
	parts = (struct cas_parts){ .loop = world->loop, .compute = world->workers, .storage = world->workers,
		.directory = world->directory, .directory_queue = world->queue, .link = world->link,
		.config = &world->config };
	world->cas = cas_new(&parts);
	return 0;
}

static void
on_stopped(void *context)
{
	*(bool *)context = true;
}

static int
end(void **state)
{
	bool is_stopped = false;

	(void)state;
	stream_free(&world->near);
	stream_free(&world->far);
	cas_stop(world->cas, on_stopped, &is_stopped);
	turn();
	wait_us(10000000);
	assert_true(is_stopped);
	cas_free(&world->cas);
	link_free(&world->link);
	job_queue_free(&world->queue);
	turn();
	workers_free(&world->workers);
	loop_free(&world->loop);
	directory_close(&world->directory);
	unlink(world->path);
	buffer_free(&world->heard);
	buffer_free(&world->said);
	free(world);
	clock_fake(0, 0);
	return 0;
}

/* As the listener does it. */
static void
connect_client(void)
{
	struct stream *far;

	stream_pair(world->loop, &world->near, &far);
	stream_set_events(world->near, &client_events, NULL);
	count_up(world->cas->by_address, span_from_string(stream_peer_address(far)));
	world->cas->status.connections++;
	commands_begin(world->cas, far, false);
	turn();
	assert_true(span_starts_with(buffer_span(&world->said), SPAN("* OK [CAPABILITY IMAP4rev1 ")));
	buffer_clear(&world->said);
}

static const char *
say(const char *text)
{
	buffer_clear(&world->said);
	stream_write(world->near, span_from_string(text));
	turn();
	return buffer_string(&world->said);
}

static void
expect(const char *text, const char *answer)
{
	assert_string_equal(say(text), answer);
}

static void
expect_in(const char *text, const char *part)
{
	const char *answer = say(text);

	if (strstr(answer, part) == NULL)
		fail_msg("%s in %s", part, answer);
}

static void
test_commands(void **state)
{
	(void)state;
	connect_client();
	expect("a1 NOOP\r\n", "a1 OK Done\r\n");
	/* -PLUS needs a channel to bind to, and SCRAM-SHA-1 was not configured. */
	expect("a2 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN "
	    "AUTH=SCRAM-SHA-256\r\na2 OK Done\r\n");
	expect_in("a3 ID (\"x-originating-ip\" \"1.2.3.4\")\r\n", "a3 OK");
	expect_in("a4 SELECT INBOX\r\n", "a4 BAD");
	expect_in("a5 STARTTLS\r\n", "a5 BAD");
	expect_in("a6 LOGOUT\r\n", "* BYE Goodbye\r\na6 OK Done\r\n");
	assert_true(world->is_closed);
}

static void
test_three_bad_commands(void **state)
{
	(void)state;
	connect_client();
	expect_in("a1 FROB\r\n", "BAD");
	expect_in("((((\r\n", "* BAD");
	expect_in("a3 FROB\r\n", "* BYE");
	assert_true(world->is_closed);
}

static void
test_http(void **state)
{
	(void)state;
	connect_client();
	expect("POST / HTTP/1.1\r\nHost: x\r\n\r\na LOGIN alice secret\r\n", "");
	assert_true(world->is_closed);
}

static void
test_login(void **state)
{
	(void)state;
	connect_client();
	expect("a LOGIN alice secret\r\nb SELECT INBOX\r\n",
	    "a OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n");
	assert_non_null(strstr(buffer_string(&world->heard), "x-session-id"));
	assert_non_null(strstr(buffer_string(&world->heard), "AUTHENTICATE EXTERNAL YWxpY2U=\r\n"));
	assert_non_null(strstr(buffer_string(&world->heard), "EXTERNAL YWxpY2U=\r\nb SELECT INBOX\r\n"));
	stream_write(world->far, SPAN("* 1 EXISTS\r\n"));
	expect("", "* 1 EXISTS\r\n");
}

static void
test_wrong_password(void **state)
{
	(void)state;
	connect_client();
	expect("a LOGIN alice wrong\r\nb NOOP\r\n", "");
	wait_us(1900000);
	assert_int_equal(world->said.length, 0);
	wait_us(200000);
	assert_string_equal(buffer_string(&world->said),
	    "a NO [AUTHENTICATIONFAILED] Authentication failed\r\nb OK Done\r\n");
	expect("c LOGIN mallory wrong\r\n", "");
	wait_us(16000000);
	assert_string_equal(buffer_string(&world->said),
	    "c NO [AUTHENTICATIONFAILED] Authentication failed\r\n");
}

static void
test_plain(void **state)
{
	(void)state;
	connect_client();
	expect("a AUTHENTICATE PLAIN\r\n", "+ \r\n");
	expect_in("*\r\n", "a BAD");
	expect_in("b AUTHENTICATE EXTERNAL YWxpY2U=\r\n", "b NO");
	expect_in("c AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n", "c OK");
}

static void
test_literals(void **state)
{
	(void)state;
	connect_client();
	expect("a LOGIN {5}\r\n", "+ OK\r\n");
	expect_in("alice {6+}\r\nsecret\r\n", "a OK");
}

static void
test_no_mailbox_role(void **state)
{
	(void)state;
	connect_client();
	link_serve(world->link, NULL, NULL);
	expect_in("a LOGIN alice secret\r\n", "a NO [UNAVAILABLE]");
	link_serve(world->link, on_arrived, NULL);
	expect_in("b LOGIN alice secret\r\n", "b OK");
}

static void
test_user_limit(void **state)
{
	(void)state;
	world->config.max_connections_per_user = 0;
	connect_client();
	expect_in("a LOGIN alice secret\r\n", "a NO [LIMIT]");
}

static void
test_plaintext_is_refused(void **state)
{
	(void)state;
	world->config.login_type = CONFIG_LOGIN_SECURE;
	connect_client();
	expect_in("a CAPABILITY\r\n", "LOGINDISABLED");
	expect_in("b LOGIN alice secret\r\n", "b NO [PRIVACYREQUIRED]");
	expect_in("c AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n", "c NO [PRIVACYREQUIRED]");
}

static void
test_login_timeout(void **state)
{
	(void)state;
	connect_client();
	wait_us(61000000);
	assert_non_null(strstr(buffer_string(&world->said), "* BYE"));
	assert_true(world->is_closed);
}

static void
test_mailbox_ends(void **state)
{
	(void)state;
	connect_client();
	expect_in("a LOGIN alice secret\r\n", "a OK");
	stream_write(world->far, SPAN("* BYE see you\r\n"));
	stream_close_after_flush(&world->far, 1000);
	expect("", "* BYE see you\r\n");
	assert_true(world->is_closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands),
		TEST(test_three_bad_commands),
		TEST(test_http),
		TEST(test_login),
		TEST(test_wrong_password),
		TEST(test_plain),
		TEST(test_literals),
		TEST(test_no_mailbox_role),
		TEST(test_user_limit),
		TEST(test_plaintext_is_refused),
		TEST(test_login_timeout),
		TEST(test_mailbox_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
