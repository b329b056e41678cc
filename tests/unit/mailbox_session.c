/*
 * Sessions of the mailbox role in one process: a real store in a temporary folder, the client at the other
 * end of a pair of streams.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "config/config.h"
#include "directory/directory.h"
#include "folder_fixture.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "mailbox/mailbox.h"
#include "net/stream.h"

#define PATIENCE_MS 300000	/* only there to fail a broken test */

struct world;

struct client {
	struct world *world;
	struct stream *stream;
	struct buffer in;
	const char *pauses_at;		/* when this has come nothing more is read; or NULL */
	bool has_ended;
};

struct world {
	char folder[64];
	struct loop *loop;
	struct workers *storage, *compute;
	struct config config;
	struct directory *directory;
	struct mailbox_role *role;
	bool is_stopped;
	struct timer patience;
	struct timer progress;		/* ends the wait of this turn */
	bool has_waited;
	struct client one, two;		/* here, since a test that fails does not return */
};

static void
on_input(struct stream *stream, void *context)
{
	struct client *client = context;

	timer_start_ms(&client->world->progress, 0);
	while (stream_has_input(stream)) {
		struct span input = stream_input(stream);

		buffer_add_span(&client->in, input);
		stream_consume(stream, input.length);
	}
	if (client->pauses_at != NULL && strstr(buffer_string(&client->in), client->pauses_at) != NULL)
		stream_pause_input(stream);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct client *client = context;

	(void)stream;
	(void)reason;
	client->has_ended = true;
	timer_start_ms(&client->world->progress, 0);
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
client_open(struct world *world, struct client *client)
{
	struct stream *server;

	*client = (struct client){ .world = world };
	stream_pair(world->loop, &client->stream, &server);
	stream_set_events(client->stream, &events, client);
	mailbox_role_accept(world->role, server);
}

static void
client_close(struct client *client)
{
	if (client->stream != NULL)
		stream_free(&client->stream);
	buffer_free(&client->in);
}

static void
send_text(struct client *client, const char *text)
{
	stream_write(client->stream, span_from_string(text));
}

/* Turn the loop until this text has come; what came before it is forgotten with it. */
static void
expect(struct client *client, const char *text)
{
	timer_start_ms(&client->world->patience, PATIENCE_MS);
	for (;;) {
		const char *found = strstr(buffer_string(&client->in), text);

		if (found != NULL) {
			buffer_consume(&client->in, (size_t)(found - (const char *)client->in.at) + strlen(text));
			return;
		}
		if (client->has_ended || client->world->has_waited)
			break;
		loop_turn(client->world->loop, true);
	}
	fail_msg("expected \"%s\", got \"%s\"", text, buffer_string(&client->in));
}

static void
say(struct client *client, const char *text, const char *answer)
{
	send_text(client, text);
	expect(client, answer);
}

static void
log_in(struct client *client)
{
	expect(client, "* OK [CAPABILITY ");
	say(client, "L1 ID (\"x-session-id\" \"abc\" \"x-originating-ip\" \"192.0.2.1\")\r\n", "L1 OK");
	say(client, "L2 AUTHENTICATE EXTERNAL YWxpY2U=\r\n", "L2 OK [CAPABILITY IMAP4rev1");
}

static void
on_waited(void *context)
{
	((struct world *)context)->has_waited = true;
}

static void
on_progress(void *context)
{
	(void)context;
}

static void
make_directory(struct world *world)
{
	char path[128];

	snprintf(path, sizeof path, "%s/directory.db", world->folder);
	assert_int_equal(directory_open_sqlite(path, &world->directory), DIRECTORY_OK);
	assert_int_equal(directory_add(world->directory, SPAN("alice"), SPAN("secret")), DIRECTORY_OK);
}

/* Here the credential is the password. */
static bool
fits(struct span password, struct span credential)
{
	return credential.length > 0 && span_equals(password, credential);
}

static int
set_up(void **state)
{
	struct world *world = NEW(struct world);
	struct mailbox_parts parts = { 0 };
	char *error = NULL;

	folder_make(world->folder, sizeof world->folder, "imapd-session");
	make_directory(world);
	world->loop = loop_new();
	timer_init(&world->progress, world->loop, on_progress, world);
	timer_init(&world->patience, world->loop, on_waited, world);
	world->storage = workers_new(world->loop, "storage", 2);
	world->compute = workers_new(world->loop, "compute", 1);
	world->config = (struct config){ .hostname = (char *)"test", .data_directory = world->folder,
		.max_command_size_octets = 65536,
		.idle_timeout_s = 1800, .command_cpu_limit_ms = 60000, .message_size_limit_octets = 1 << 20, .open_databases = 2 };
	parts = (struct mailbox_parts){ .loop = world->loop, .storage = world->storage,
		.compute = world->compute, .directory = world->directory, .config = &world->config,
		.fits = fits };
	world->role = mailbox_role_new(&parts, &error);
	assert_non_null(world->role);
	*state = world;
	return 0;
}

static void
on_stopped(void *context)
{
	struct world *world = context;

	world->is_stopped = true;
	timer_start_ms(&world->progress, 0);
}

static int
tear_down(void **state)
{
	struct world *world = *state;
	char command[128];

	client_close(&world->one);
	client_close(&world->two);
	mailbox_role_stop(world->role, on_stopped, world);
	world->has_waited = false;
	timer_start_ms(&world->patience, PATIENCE_MS);
	while (!world->is_stopped && !world->has_waited)
		loop_turn(world->loop, true);
	assert_true(world->is_stopped);
	timer_stop(&world->patience);
	timer_stop(&world->progress);
	mailbox_role_free(&world->role);
	workers_free(&world->storage);
	workers_free(&world->compute);
	loop_free(&world->loop);
	directory_close(&world->directory);
	snprintf(command, sizeof command, "rm -rf %s", world->folder);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

/* A cas without a directory hands over what its client says (src/link/README). */
static void
test_password(void **state)
{
	static const struct {
		const char *message, *answer;
	} cases[] = {
		{ "AGJvYgBzZWNyZXQ=", "NO [AUTHENTICATIONFAILED]" },		/* bob, who is nobody */
		{ "AGFsaWNlAHNlY3JlVA==", "NO [AUTHENTICATIONFAILED]" },	/* secreT */
		{ "AGFsaWNlAA==", "NO [AUTHENTICATIONFAILED]" },		/* no password */
		{ "AGFsaWNlAHMAdA==", "NO [AUTHENTICATIONFAILED]" },		/* NUL in it */
		{ "cm9vdABhbGljZQBzZWNyZXQ=", "NO [AUTHENTICATIONFAILED]" },	/* on behalf of somebody */
		{ "AGFsaWNl", "NO [AUTHENTICATIONFAILED]" },
		{ "=", "NO [AUTHENTICATIONFAILED]" },
		{ "AGFsaWNlAHNlY3JldA==", "OK [CAPABILITY" },
	};
	struct world *world = *state;
	struct client *client = &world->one;

	client_open(world, client);
	expect(client, "* OK");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char command[96], answer[64];

		snprintf(command, sizeof command, "L%zu AUTHENTICATE PLAIN %s\r\n", i, cases[i].message);
		snprintf(answer, sizeof answer, "L%zu %s", i, cases[i].answer);
		say(client, command, answer);
	}
	say(client, "a LOGOUT\r\n", "a OK");
	client_close(client);
}

static void
test_login(void **state)
{
	struct world *world = *state;
	struct client *client = &world->one;

	client_open(world, client);
	expect(client, "* OK");
	say(client, "a1 SELECT INBOX\r\n", "a1 BAD");
	say(client, "a2 AUTHENTICATE EXTERNAL Ym9i\r\n", "a2 NO [AUTHORIZATIONFAILED]");
	say(client, "a3 AUTHENTICATE PLAIN AGFsaWNlAHg=\r\n", "a3 NO [AUTHENTICATIONFAILED]");
	say(client, "b3 AUTHENTICATE LOGIN\r\n", "b3 NO [CANNOT]");
	say(client, "a4 AUTHENTICATE EXTERNAL\r\n", "+ ");
	say(client, "YWxpY2U=\r\n", "a4 OK [CAPABILITY");
	say(client, "a5 AUTHENTICATE EXTERNAL YWxpY2U=\r\n", "a5 BAD");
	say(client, "a6 LOGOUT\r\n", "* BYE");
	expect(client, "a6 OK");
	client_close(client);
}

static void
test_append(void **state)
{
	struct world *world = *state;
	struct client *client = &world->one;

	client_open(world, client);
	log_in(client);
	say(client, "a1 APPEND nowhere {4}\r\n", "a1 NO [TRYCREATE]");
	say(client, "a2 APPEND INBOX (\\Seen $Work) {4}\r\n", "+ ");
	say(client, "x\n\ny\r\n", "a2 OK [APPENDUID ");
	say(client, "a3 APPEND INBOX {4+}\r\n1\r\n\n {4+}\r\n2\r\n\n\r\n", " 2:3] ");
	say(client, "a4 APPEND INBOX {0+}\r\n\r\n", "a4 NO");
	say(client, "a5 STATUS INBOX (MESSAGES RECENT UNSEEN)\r\n", "(MESSAGES 3 RECENT 3 UNSEEN 2)");
	say(client, "a6 SELECT INBOX\r\n", "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)");
	expect(client, "* 3 EXISTS");
	expect(client, "* OK [UNSEEN 2]");
	expect(client, "a6 OK [READ-WRITE]");
	client_close(client);
}

static void
test_two_sessions(void **state)
{
	struct world *world = *state;
	struct client *one = &world->one, *two = &world->two;

	client_open(world, one);
	client_open(world, two);
	log_in(one);
	log_in(two);
	say(one, "a1 APPEND INBOX {4+}\r\n1\r\n\n {4+}\r\n2\r\n\n {4+}\r\n3\r\n\n\r\n", "a1 OK");
	say(one, "a2 SELECT INBOX\r\n", "a2 OK");
	say(two, "b2 SELECT INBOX\r\n", "b2 OK");
	say(two, "b3 IDLE\r\n", "+ idling");
	say(one, "a3 STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n", "a3 OK");
	expect(two, "* 2 FETCH (FLAGS (\\Deleted))");
	say(one, "a4 EXPUNGE\r\n", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 RECENT\r\na4 OK");
	expect(two, "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n");
	say(one, "a5 APPEND INBOX {4+}\r\n1\r\n\n\r\n", "a5 OK");
	expect(two, "* 2 EXISTS");
	say(two, "DONE\r\n", "b3 OK");
	say(one, "a6 CREATE Target/Sub\r\n", "a6 OK");
	say(one, "a7 MOVE 1 Target/Sub\r\n", "* OK [COPYUID ");
	expect(one, "* 1 EXPUNGE");
	expect(one, "a7 OK");
	say(two, "b4 STORE 1 +FLAGS \\Seen\r\n", "b4 NO [EXPUNGEISSUED]");
	say(two, "b5 NOOP\r\n", "* 1 EXPUNGE");
	say(two, "b6 SELECT Target/Sub\r\n", "b6 OK");
	say(one, "a8 DELETE Target/Sub\r\n", "a8 OK");
	expect(two, "* BYE");
	client_close(one);
	client_close(two);
}

static void
test_list(void **state)
{
	struct world *world = *state;
	struct client *client = &world->one;

	client_open(world, client);
	log_in(client);
	say(client, "a1 LIST \"\" \"\"\r\n", "* LIST (\\Noselect) \"/\" \"\"\r\na1 OK");
	say(client, "a2 CREATE Lists/Deep/Down\r\n", "a2 OK");
	say(client, "a3 LIST \"\" Lists*\r\n", "* LIST (\\HasChildren) \"/\" Lists\r\n");
	expect(client, "* LIST (\\HasNoChildren) \"/\" Lists/Deep/Down\r\na3 OK");
	say(client, "a4 RENAME Lists Other\r\n", "a4 OK");
	say(client, "a5 SUBSCRIBE Other/Deep\r\n", "a5 OK");
	say(client, "a6 LSUB \"\" Other%\r\n", "* LSUB (\\Noselect) \"/\" Other\r\na6 OK");
	say(client, "a7 DELETE INBOX\r\n", "a7 NO [CANNOT]");
	say(client, "a8 LIST (SPECIAL-USE) \"\" *\r\n", "* LIST (\\HasNoChildren \\Archive) \"/\" Archive\r\n");
	expect(client, "a8 OK");
	say(client, "a9 ENABLE IMAP4rev2\r\n", "* ENABLED IMAP4rev2");
	say(client, "b1 SELECT INBOX\r\n", "* LIST () \"/\" INBOX\r\nb1 OK");
	say(client, "b2 SELECT Drafts\r\n", "* OK [CLOSED]");
	expect(client, "b2 OK");
	client_close(client);
}

/* A client that goes in the middle of everything leaves nothing behind. */
static void
test_going_away(void **state)
{
	static const char *const last_words[] = {
		"a1 APPEND INBOX {100}\r\n", "a1 APPEND INBOX {100+}\r\nabc", "a1 APPEND INBOX {3+}\r\nabc\r\n",
		"a1 SELECT INBOX\r\n", "a1 SELECT INBOX\r\na2 STORE 1:* +FLAGS \\Seen\r\n", "a1 LIST \"\" *\r\n",
		"a1 SELECT INBOX\r\na2 IDLE\r\n", "a1 CREATE x\r\na2 DELETE x\r\n", "a1 RENAME INBOX y\r\n",
		"a1 ESEARCH IN (personal) BODY x\r\n", "a1 SELECT INBOX\r\na2 ESEARCH IN (selected personal) ALL\r\n",
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNT_OF(last_words); i++) {
		struct client *client = &world->one;

		client_open(world, client);
		log_in(client);
		send_text(client, last_words[i]);
		for (size_t turn = 0; turn < i; turn++)
			loop_turn(world->loop, false);
		client_close(client);
	}
}

static void
test_bad_commands(void **state)
{
	struct world *world = *state;
	struct client *client = &world->one;

	client_open(world, client);
	log_in(client);
	for (size_t i = 0; i < 20; i++)
		send_text(client, "a1 FROBNICATE\r\n");
	expect(client, "* BYE");
	client_close(client);
}

/*
 * RFC 9585: a search that takes long says so, with the tag unless that could end the code.  Each looks for another text,
 * since what was found out is not looked for again.
 */
static void
test_progress(void **state)
{
	struct world *world = *state;
	struct client *client = &world->one;
	struct buffer append = { 0 };

	client_open(world, client);
	log_in(client);
	buffer_add_string(&append, "P1 APPEND INBOX");
	for (int i = 0; i < 700; i++)
		buffer_add_string(&append, " {15+}\r\nSubject: a\r\n\r\na");
	buffer_add_string(&append, "\r\n");
	say(client, buffer_string(&append), "P1 OK");
	say(client, buffer_string(&append), "P1 OK");
	say(client, "P2 SELECT INBOX\r\n", "P2 OK");
	for (int i = 0; i < 2; i++) {
		clock_fake(clock_monotonic_us(), clock_calendar_us());
		send_text(client, i == 0 ? "P3 SEARCH BODY zz\r\n" : "P] SEARCH BODY yy\r\n");
		loop_turn(world->loop, true);		/* the command has begun */
		clock_fake(clock_monotonic_us() + 11000000, clock_calendar_us());
		expect(client, i == 0 ? "* OK [INPROGRESS (\"P3\" " : "* OK [INPROGRESS (NIL ");
		expect(client, " 1400)] ");
		clock_fake(0, 0);
		expect(client, i == 0 ? "P3 OK" : "P] OK");
	}
	buffer_free(&append);
	say(client, "P4 CREATE x\r\n", "P4 OK");
	say(client, "P5 COPY 1:* x\r\n", "P5 OK");
	clock_fake(clock_monotonic_us(), clock_calendar_us());
	send_text(client, "P6 ESEARCH IN (personal) BODY xx\r\n");
	loop_turn(world->loop, true);
	clock_fake(clock_monotonic_us() + 11000000, clock_calendar_us());
	expect(client, "* OK [INPROGRESS (\"P6\" ");
	expect(client, " 2800)] ");			/* of both mailboxes: RFC 7377 */
	clock_fake(0, 0);
	expect(client, "P6 OK");
}

/* Eleven seconds pass in each turn, until the command has ended; gives what was said meanwhile. */
static const char *
run_slowly(struct world *world, struct client *client, const char *command)
{
	timer_stop(&world->patience);
	send_text(client, command);
	while (strstr(buffer_string(&client->in), "O1 OK") == NULL && !client->has_ended) {
		clock_fake(clock_monotonic_us() + 11000000, clock_calendar_us());
		loop_turn(world->loop, true);
	}
	clock_fake(0, 0);
	return buffer_string(&client->in);
}

/* The last number of messages that was told: none is lower than the one before, and the goal stays. */
static unsigned
last_progress(const char *said)
{
	unsigned done = 0, now, goal;

	while ((said = strstr(said, "* OK [INPROGRESS (")) != NULL) {
		assert_int_equal(sscanf(said, "* OK [INPROGRESS (\"O1\" %u %u)]", &now, &goal), 2);
		assert_true(now >= done && now < 300 && goal == 300);
		done = now;
		said++;
	}
	return done;
}

/*
 * Searching, gathering and putting in order are one count of messages: RFC 9585 section 4.  Two of them may fall into one
 * turn, in which no time passes, as often as the processors have other work: the same is asked of others until the last is seen.
 */
static void
test_progress_of_order(void **state)
{
	static const char *const commands[] = {
		"SORT (SUBJECT) UTF-8 BODY a", "SORT (ARRIVAL REVERSE DATE) UTF-8", "THREAD REFERENCES UTF-8",
		"THREAD REFS UTF-8", "THREAD ORDEREDSUBJECT UTF-8",
	};
	struct world *world = *state;
	struct client *client = &world->one;
	struct buffer append = { 0 };

	client_open(world, client);
	log_in(client);
	buffer_add_string(&append, "O0 APPEND INBOX");
	for (int i = 0; i < 300; i++)
		buffer_add_string(&append, " {17+}\r\nSubject: a\r\n\r\na\r\n");
	buffer_add_string(&append, "\r\n");
	say(client, buffer_string(&append), "O0 OK");
	buffer_free(&append);
	say(client, "O0 SELECT INBOX\r\n", "O0 OK");
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		unsigned done = 0;

		for (int try = 0; try < 10000 && done < 200; try++) {
			char command[100];

			snprintf(command, sizeof command, "O1 %s NOT UID %d,%d\r\n", commands[i], try % 300 + 1, try / 300 + 1);
			done = last_progress(run_slowly(world, client, command));
			buffer_clear(&client->in);
		}
		assert_true(done >= 200);
	}
}

static void
let_pass(struct world *world, uint64_t seconds)
{
	timer_stop(&world->patience);
	clock_fake(clock_monotonic_us() + seconds * 1000000, clock_calendar_us());
	for (int i = 0; i < 10; i++)
		loop_turn(world->loop, false);
	clock_fake(0, 0);
}

/* In IDLE the client is told that we are still here, but not within the message that NOTIFY fetches. */
static void
test_still_here(void **state)
{
	struct world *world = *state;
	struct client *one = &world->one, *two = &world->two;
	struct buffer append = { 0 };

	buffer_add_string(&append, "b1 APPEND INBOX {900000+}\r\nSubject: long\r\n\r\n");
	for (int i = 0; i < 900000 - 17; i++)
		buffer_add_octet(&append, 'x');
	buffer_add_string(&append, "\r\n");
	client_open(world, one);
	client_open(world, two);
	log_in(one);
	log_in(two);
	say(one, "a1 SELECT INBOX\r\n", "a1 OK");
	say(one, "a2 NOTIFY SET (SELECTED (MessageNew (BODY.PEEK[]) MessageExpunge))\r\n", "a2 OK");
	say(one, "a3 IDLE\r\n", "+ ");
	let_pass(world, 121);
	expect(one, "* OK still here\r\n");
	say(one, "DONE\r\n", "a3 OK");
	say(one, "a4 IDLE\r\n", "+ ");
	one->pauses_at = "BODY[] {";
	say(two, buffer_string(&append), "b1 OK");
	expect(one, "BODY[] {900000}\r\n");
	let_pass(world, 121);
	one->pauses_at = NULL;
	stream_resume_input(one->stream);
	append.length -= strlen("\r\n");
	buffer_add_string(&append, ")\r\n");
	expect(one, strstr(buffer_string(&append), "Subject: "));	/* in one piece */
	say(one, "DONE\r\n", "a4 OK");
	buffer_free(&append);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_append, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_sessions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_going_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_commands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_progress, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_progress_of_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_still_here, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
