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
	stream_free(&world->far);	/* of a login before */
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
		.names = world->workers, .directory = world->directory, .directory_queue = world->queue, .link = world->link,
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

/* Let the password be found right, and go on to the moment when what was learned from it is to be written. */
static void
learn(void)
{
	const struct cas_client *client;

	connect_client();
	client = LIST_ENTRY(world->cas->strangers.next, struct cas_client, link);
	stream_write(world->near, SPAN("a LOGIN bob secret\r\n"));
	while (world->cas->verifying == 0 || client->state == VERIFYING || client->state == GREETED)
		loop_turn(world->loop, false);
}

static bool
has_hash(struct span name, struct span hash)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	bool is_same;

	assert_int_equal(directory_lookup(world->directory, name, arena, &user), DIRECTORY_OK);
	is_same = span_equals(user.credential, hash);
	arena_free(&arena);
	return is_same;
}

/* The hash of another program gives way to keys; what another user of the name has does not. */
static void
test_learned(void **state)
{
	static const struct span bob = SPAN("bob"), hash = SPAN("$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1");

	(void)state;
	assert_int_equal(directory_add(world->directory, bob, hash), DIRECTORY_OK);
	learn();
	turn();
	assert_false(has_hash(bob, hash));
	assert_int_equal(directory_delete(world->directory, bob), DIRECTORY_OK);
	assert_int_equal(directory_add(world->directory, bob, hash), DIRECTORY_OK);
	stream_free(&world->near);
	turn();
	buffer_clear(&world->said);
	learn();
	assert_int_equal(directory_delete(world->directory, bob), DIRECTORY_OK);
	assert_int_equal(directory_add(world->directory, bob, hash), DIRECTORY_OK);
	turn();
	assert_true(has_hash(bob, hash));
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

/* Log in, and let the mailbox role answer UNAUTHENTICATE: the last count octets of the word are still to come. */
static struct buffer
unauthenticate(size_t count)
{
	struct buffer word = { 0 };
	const char *at;

	connect_client();
	expect_in("a LOGIN alice secret\r\n", "a OK");
	at = strstr(buffer_string(&world->heard), "\"x-return\" \"");
	assert_non_null(at);
	assert_non_null(strstr(at, "\"x-return-capability\" \"IMAP4rev1 "));
	link_write_word(&word, span_of(at + 12, RETURN_WORD_LENGTH));
	buffer_add_octet(&word, (uint8_t)at[12 + RETURN_WORD_LENGTH - 1]);
	buffer_clear(&world->heard);
	expect("u UNAUTHENTICATE\r\nn NOOP\r\n", "");
	assert_string_equal(buffer_string(&world->heard), "u UNAUTHENTICATE\r\nn NOOP\r\n");
	stream_write(world->far, SPAN("u OK done\r\n"));
	stream_write(world->far, span_slice(buffer_span(&word), 0, word.length - count));
	expect("", "u OK done\r\n");
	buffer_clear(&world->said);
	return word;
}

static void
test_comes_back(void **state)
{
	struct buffer word = unauthenticate(RETURN_WORD_LENGTH);

	(void)state;
	for (size_t i = 1; i < word.length; i++) {
		assert_int_equal(world->cas->status.sessions, 1);
		stream_write(world->far, span_slice(buffer_span(&word), i, 1));
		turn();
	}
	assert_int_equal(world->cas->status.sessions, 0);
	/* What the mailbox role has not read comes first, and waits for what is under way. */
	stream_write(world->far, SPAN("n NOOP\r\no N"));
	expect("OOP\r\nl LOGIN alice secret\r\n", "");
	stream_end_output(world->far);
	buffer_clear(&world->heard);
	expect("x NOOP\r\n", "n OK Done\r\no OK Done\r\nl OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n");
	assert_non_null(strstr(buffer_string(&world->heard), "EXTERNAL YWxpY2U=\r\nx NOOP\r\n"));
	assert_null(strstr(buffer_string(&world->heard), buffer_string(&word) + 1));	/* another one each time */
	assert_int_equal(world->cas->status.sessions, 1);
	buffer_free(&word);
}

/* What only begins like the word is the client's. */
static void
test_almost_comes_back(void **state)
{
	struct buffer word = unauthenticate(2);

	(void)state;
	stream_write(world->far, SPAN("!\r\n"));
	turn();
	assert_int_equal(world->said.length, word.length - 2 + 3);
	assert_memory_equal(world->said.at, word.at, word.length - 2);
	stream_write(world->far, span_slice(buffer_span(&word), 0, 5));
	buffer_clear(&world->said);
	stream_close_after_flush(&world->far, 1000);
	turn();
	assert_int_equal(world->said.length, 5);
	assert_true(world->is_closed);
	buffer_free(&word);
}

static void
test_lost_on_the_way_back(void **state)
{
	struct buffer word = unauthenticate(0);

	(void)state;
	unauthenticate_lost(LIST_ENTRY(world->cas->strangers.next, struct cas_client, link));
	expect("", "* BYE [UNAVAILABLE] The mailbox server has gone\r\n");
	assert_true(world->is_closed);
	buffer_free(&word);
}

static void
test_much_comes_back(void **state)
{
	struct buffer word = unauthenticate(0), much = { 0 };

	(void)state;
	for (int i = 0; i < 1100; i++) {
		buffer_reserve(&much, 1024);
		memset(much.at, 'x', 1024);
		much.length = 1024;
		stream_write(world->far, buffer_span(&much));
		turn();
	}
	assert_string_equal(buffer_string(&world->said), "* BYE [LIMIT] Too much behind UNAUTHENTICATE\r\n");
	assert_true(world->is_closed);
	buffer_free(&much);
	buffer_free(&word);
}

/* A mailbox role that never gives back the rest; who waits for that is a stranger like others. */
static void
test_does_not_come_back(void **state)
{
	struct buffer word = unauthenticate(0);

	(void)state;
	wait_us(61000000);
	assert_non_null(strstr(buffer_string(&world->said), "* BYE Autologout"));
	assert_true(world->is_closed);
	buffer_free(&word);
}

static void
test_comes_back_to_a_role_that_drains(void **state)
{
	struct buffer word = unauthenticate(1);
	bool is_stopped = false;

	(void)state;
	cas_drain(world->cas, 1000000, on_stopped, &is_stopped);
	turn();
	assert_false(world->is_closed);
	stream_write(world->far, span_from(buffer_span(&word), word.length - 1));
	expect("", "* BYE [UNAVAILABLE] Server stops\r\n");
	assert_true(world->is_closed && is_stopped);
	buffer_free(&word);
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
		TEST(test_learned),
		TEST(test_user_limit),
		TEST(test_plaintext_is_refused),
		TEST(test_login_timeout),
		TEST(test_mailbox_ends),
		TEST(test_comes_back),
		TEST(test_almost_comes_back),
		TEST(test_lost_on_the_way_back),
		TEST(test_much_comes_back),
		TEST(test_does_not_come_back),
		TEST(test_comes_back_to_a_role_that_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
