/*
 * Requests and answers over a real socket in the file system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/control/callers.h"
#include "../../src/control/peer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "net/stream.h"

static struct loop *loop;
static struct workers *workers;
static struct control *control;
static struct control_call *kept;
static struct stream *taken;
static char path[64];

static void
on_echo(struct control_call *call, void *context)
{
	(void)context;
	for (size_t i = 0; i < control_call_count(call); i++)
		control_reply(call, control_call_word(call, i));
	control_replyf(call, "body %zu", control_call_body(call).length);
	control_finish(call, 0, NULL);
}

static void
on_later(struct control_call *call, void *context)
{
	(void)context;
	kept = call;
}

static void
on_take(struct control_call *call, void *context)
{
	(void)context;
	taken = control_take_stream(call);
}

static int
begin(void **state)
{
	char *error = NULL;

	(void)state;
	strcpy(path, "/tmp/control-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/socket");
	loop = loop_new();
	workers = workers_new(loop, "test", 0);
	control = control_new(loop, workers, path, &error);
	assert_non_null(control);
	control_register(control, "echo", CONTROL_VIEW, on_echo, NULL);
	control_register(control, "echo loud", CONTROL_CHANGE, on_echo, NULL);
	control_register(control, "later", CONTROL_CHANGE, on_later, NULL);
	control_register(control, "take", CONTROL_CHANGE, on_take, NULL);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	stream_free(&taken);
	control_free(&control);
	for (int i = 0; i < 10; i++)
		loop_turn(loop, false);
	workers_free(&workers);
	loop_free(&loop);
	assert_int_not_equal(access(path, F_OK), 0);
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

static int
connect_to_it(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
	fcntl(descriptor, F_SETFL, O_NONBLOCK);
	return descriptor;
}

/* Send and give all that comes within some turns. */
static const char *
ask(int descriptor, const char *request)
{
	static char answer[65536];
	size_t length = 0;
	ssize_t got;

	assert_int_equal(write(descriptor, request, strlen(request)), strlen(request));
	for (int i = 0; i < 50; i++) {
		loop_turn(loop, false);
		got = read(descriptor, answer + length, sizeof answer - 1 - length);
		if (got > 0)
			length += (size_t)got;
	}
	answer[length] = '\0';
	return answer;
}

static const struct {
	const char *request, *answer;
} cases[] = {
	{ "echo a \"b c\"\n", "+a\n+b c\n+body 0\n.0\n" },
	{ "echo\r\n", "+body 0\n.0\n" },
	{ "echo loud x\n", "+x\n+body 0\n.0\n" },
	{ "echo x {5}\nab\nde", "+x\n+body 5\n.0\n" },
	{ "echo {0}\necho\n", "+body 0\n.0\n+body 0\n.0\n" },
	{ "echo 1\necho 2\n", "+1\n+body 0\n.0\n+2\n+body 0\n.0\n" },
	{ "nothing\n", ".64 this server has no such verb\n" },
	{ "\n", ".64 this server has no such verb\n" },
	{ "echo \"open\n", ".64 the request cannot be understood\n" },
	{ "echo {99999}\n", ".64 the request cannot be understood\n" },
	{ "echo {x}\n", ".64 the request cannot be understood\n" },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int descriptor = connect_to_it();

		assert_string_equal(ask(descriptor, cases[i].request), cases[i].answer);
		close(descriptor);
	}
}

static void
test_long_line(void **state)
{
	int descriptor = connect_to_it();
	char line[CONTROL_LINE_MAX + 100];

	(void)state;
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	assert_string_equal(ask(descriptor, line), ".64 the request is too long\n");
	close(descriptor);
}

static void
test_octet_by_octet(void **state)
{
	const char *request = "echo \"a b\" {3}\nxyz";
	int descriptor = connect_to_it();
	char octet[2] = "";

	(void)state;
	for (; request[1] != '\0'; request++) {
		octet[0] = *request;
		assert_string_equal(ask(descriptor, octet), "");
	}
	assert_string_equal(ask(descriptor, request), "+a b\n+body 3\n.0\n");
	close(descriptor);
}

static void
test_later(void **state)
{
	int descriptor = connect_to_it();

	(void)state;
	assert_string_equal(ask(descriptor, "later\necho\n"), "");
	assert_non_null(kept);
	control_finish(kept, 75, "try again");
	assert_string_equal(ask(descriptor, ""), ".75 try again\n+body 0\n.0\n");
	close(descriptor);
}

static void
test_gone_meanwhile(void **state)
{
	int descriptor = connect_to_it();

	(void)state;
	ask(descriptor, "later\n");
	close(descriptor);
	for (int i = 0; i < 10; i++)
		loop_turn(loop, false);
	control_reply(kept, SPAN("nobody listens"));
	control_finish(kept, 0, NULL);
	for (int i = 0; i < 10; i++)
		loop_turn(loop, false);
}

static void
test_take(void **state)
{
	int descriptor = connect_to_it();

	(void)state;
	assert_string_equal(ask(descriptor, "take\n"), ".0\n");
	assert_non_null(taken);
	stream_write(taken, SPAN("* PREAUTH\r\n"));
	assert_string_equal(ask(descriptor, "x"), "* PREAUTH\r\n");
	close(descriptor);
}

static void
test_rights(void **state)
{
	static const struct {
		struct peer peer;
		bool may_view, may_change;
	} peers[] = {
		{ { .uid = 0 }, true, true },
		{ { .uid = 8 }, false, false },
		{ { .uid = 8, .is_in_view = true }, true, false },
		{ { .uid = 8, .is_in_change = true }, true, true },
	};
	struct peer own = { .uid = geteuid() };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(peers); i++) {
		assert_int_equal(peer_may(&peers[i].peer, CONTROL_VIEW), peers[i].may_view);
		assert_int_equal(peer_may(&peers[i].peer, CONTROL_CHANGE), peers[i].may_change);
	}
	assert_true(peer_may(&own, CONTROL_CHANGE));
}

static void
test_names(void **state)
{
	struct peer root = { .uid = 0 }, nobody = { .uid = 3999999, .gid = 3999999 };

	(void)state;
	peer_look_up(&root);
	assert_string_equal(root.name, "root");
	peer_look_up(&nobody);
	assert_string_equal(nobody.name, "3999999");
	assert_false(nobody.is_in_change || nobody.is_in_view);
}

/* A verb may change hands, and be there while nobody answers it. */
static void
test_registered_again(void **state)
{
	int descriptor = connect_to_it();

	(void)state;
	control_register(control, "echo", CONTROL_VIEW, NULL, NULL);
	assert_non_null(strstr(ask(descriptor, "echo\n"), ".69 the service"));
	control_register(control, "echo", CONTROL_VIEW, on_echo, NULL);
	assert_string_equal(ask(descriptor, "echo\n"), "+body 0\n.0\n");
	close(descriptor);
}

/* What is asked over one end of a pair of streams, in the name of somebody. */
struct asked {
	struct stream *stream;
	unsigned answers;		/* lines that end one */
	bool is_over;
};

static void
on_answer(struct stream *stream, void *context)
{
	struct asked *asked = context;
	struct span input = stream_input_whole(stream);

	for (size_t i = 0; i < input.length; i++)
		asked->answers += input.at[i] == '.';
	stream_discard_input(stream);
}

static void
on_over(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	((struct asked *)context)->is_over = true;
}

static void
attach(struct asked *asked, uid_t uid)
{
	static const struct stream_events heard = { on_answer, NULL, on_over };
	struct stream *theirs;

	stream_pair(loop, &asked->stream, &theirs);
	stream_set_events(asked->stream, &heard, asked);
	control_attach(control, theirs, uid, uid);
}

static void
turn(unsigned times)
{
	while (times-- > 0)
		loop_turn(loop, false);
}

/* Whoever may open the socket's file may not keep root out, nor those of another user. */
static void
test_crowds_of_connections(void **state)
{
	struct asked asked[5 * (CALLER_CONNECTIONS + 5)] = { 0 }, other = { 0 }, root = { 0 };
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < CALLER_CONNECTIONS + 5; i++)
		attach(&asked[i], 3999999);
	attach(&other, 3999998);
	turn(20);
	for (size_t i = 0; i < CALLER_CONNECTIONS + 5; i++) {
		refused += asked[i].is_over;
		assert_int_equal(asked[i].answers, asked[i].is_over);
	}
	assert_int_equal(refused, 5);
	assert_false(other.is_over);
	for (size_t i = CALLER_CONNECTIONS + 5; i < COUNT_OF(asked); i++)
		attach(&asked[i], (uid_t)(3000000 + i));
	turn(20);
	for (size_t i = refused = 0; i < COUNT_OF(asked); i++)
		refused += asked[i].is_over;
	assert_int_equal(COUNT_OF(asked) - refused + 1, CALLERS_CONNECTIONS);
	attach(&root, 0);
	stream_write(root.stream, SPAN("echo loud\n"));
	turn(20);
	assert_int_equal(root.answers, 1);
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		stream_free(&asked[i].stream);
	turn(20);
	attach(&asked[0], 3999999);		/* they have gone, so there is room */
	turn(20);
	assert_false(asked[0].is_over);
	stream_free(&asked[0].stream);
	stream_free(&other.stream);
	stream_free(&root.stream);
}

/* Who may do nothing asks as often as they like, and is answered so often. */
static void
test_crowds_of_requests(void **state)
{
	struct asked asked = { 0 }, again = { 0 };

	(void)state;
	clock_fake(1000000, 0);
	attach(&asked, 3999999);
	for (unsigned i = 0; i < CALLER_TURNS + 10; i++)
		stream_write(asked.stream, SPAN("echo\n"));
	while (asked.answers < CALLER_TURNS)
		loop_turn(loop, true);
	turn(100);
	assert_int_equal(asked.answers, CALLER_TURNS);
	stream_free(&asked.stream);
	turn(20);
	attach(&again, 3999999);		/* another connection is no new beginning */
	stream_write(again.stream, SPAN("echo\n"));
	turn(100);
	assert_int_equal(again.answers, 0);
	clock_fake(1000000 + 2 * CALLER_TURN_US, 0);
	while (again.answers == 0)
		loop_turn(loop, true);
	stream_free(&again.stream);
	clock_fake(0, 0);
}

static void
test_socket_mode(void **state)
{
	struct stat facts;

	(void)state;
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0007 & ~0006, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_long_line),
		TEST(test_octet_by_octet),
		TEST(test_later),
		TEST(test_gone_meanwhile),
		TEST(test_take),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_names),
		TEST(test_registered_again),
		TEST(test_crowds_of_connections),
		TEST(test_crowds_of_requests),
		TEST(test_socket_mode),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
