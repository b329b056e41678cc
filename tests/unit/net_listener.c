/*
 * Listening and connecting: TCP, Unix sockets, stale files, names, refusals.
 */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net/stream.h"

struct fixture {
	struct loop *loop;
	struct workers *workers;
	struct listener *listener;
	struct stream *accepted, *connected;
	int count;
	bool is_told, frees_listener;
	char error[128];
};

/* Of this run alone: others may test at the same time. */
static char folder[] = "/tmp/net_listener.XXXXXX", live[64], stale[64];

static void
on_accepted(struct stream *stream, void *context)
{
	struct fixture *fixture = context;

	stream_free(&fixture->accepted);
	fixture->accepted = stream;
	fixture->count++;
	if (fixture->frees_listener)
		listener_free(&fixture->listener);
}

static void
on_connected(struct stream *stream, const char *error, void *context)
{
	struct fixture *fixture = context;

	assert_false(fixture->is_told);
	fixture->is_told = true;
	fixture->connected = stream;
	if (error != NULL)
		snprintf(fixture->error, sizeof fixture->error, "%s", error);
}

static void
fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){ 0 };
	fixture->loop = loop_new();
	fixture->workers = workers_new(fixture->loop, "names", 1);
}

static void
fixture_fini(struct fixture *fixture)
{
	stream_free(&fixture->accepted);
	stream_free(&fixture->connected);
	listener_free(&fixture->listener);
	workers_free(&fixture->workers);
	loop_free(&fixture->loop);
}

static void
listen_at(struct fixture *fixture, const char *address)
{
	char *error = NULL;

	fixture->listener = listener_new(fixture->loop, address, 0600, on_accepted, fixture, &error);
	if (fixture->listener == NULL)
		fail_msg("%s", error);
}

static void
clients_are_accepted(void **state)
{
	static const char *const addresses[] = { "127.0.0.1:0", "[::]:0", live };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct fixture fixture;
		const char *expected = i == 2 ? "unix" : "127.0.0.1";
		char address[128];

		fixture_init(&fixture);
		listen_at(&fixture, addresses[i]);
		snprintf(address, sizeof address, i == 1 ? "127.0.0.1%s" : "%s",
		    i == 1 ? strrchr(listener_address(fixture.listener), ':') :
			     listener_address(fixture.listener));
		net_connect(fixture.loop, NULL, address, 5000, on_connected, &fixture);
		assert_false(fixture.is_told);
		while (fixture.connected == NULL || fixture.accepted == NULL)
			loop_turn(fixture.loop, true);
		assert_string_equal(stream_peer_address(fixture.accepted), expected);
		assert_string_equal(stream_peer_address(fixture.connected), expected);
		assert_int_equal(stream_peer_port(fixture.accepted), stream_local_port(fixture.connected));
		fixture_fini(&fixture);
	}
}

static void
names_are_looked_up(void **state)
{
	struct fixture fixture;
	struct connector *connector;
	struct addrinfo *found;
	char address[128];

	(void)state;
	if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
		print_message("skipped: no hosts file or name server here knows localhost\n");
		skip();
	}
	freeaddrinfo(found);
	fixture_init(&fixture);
	listen_at(&fixture, "127.0.0.1:0");
	snprintf(address, sizeof address, "localhost%s",
	    strrchr(listener_address(fixture.listener), ':'));
	net_connect(fixture.loop, fixture.workers, address, 5000, on_connected, &fixture);
	connector = net_connect(fixture.loop, fixture.workers, address, 5000, on_connected, &fixture);
	net_connect_cancel(&connector);
	while (fixture.accepted == NULL || fixture.connected == NULL)
		loop_turn(fixture.loop, true);
	fixture_fini(&fixture);
}

static void
failures_are_told(void **state)
{
	static const struct { const char *address, *error; } cases[] = {
		{ "127.0.0.1:1", "Connection refused" },
		{ live, "No such file or directory" },
		{ "nonsense", "not an address" },
		{ "::1:143", "not an address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fixture fixture;

		fixture_init(&fixture);
		net_connect(fixture.loop, NULL, cases[i].address, 5000, on_connected, &fixture);
		while (!fixture.is_told)
			loop_turn(fixture.loop, true);
		assert_string_equal(fixture.error, cases[i].error);
		fixture_fini(&fixture);
	}
}

static void
bad_addresses_are_refused(void **state)
{
	static const char *const addresses[] = { "", "127.0.0.1", "127.0.0.1:", "::1:143", "host:143",
		"[::1:143", "/nowhere/at/all/socket", "127.0.0.1:99999999" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct fixture fixture;
		char *error = NULL;

		fixture_init(&fixture);
		assert_null(listener_new(fixture.loop, addresses[i], 0600, on_accepted, &fixture, &error));
		assert_non_null(error);
		free(error);
		fixture_fini(&fixture);
	}
}

static void
leave_stale_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
	close(descriptor);
}

static void
stale_socket_is_replaced(void **state)
{
	struct fixture fixture;
	struct stat status;
	char *error = NULL;

	(void)state;
	leave_stale_socket(stale);
	fixture_init(&fixture);
	listen_at(&fixture, stale);
	assert_int_equal(stat(stale, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* A live one is not. */
	assert_null(listener_new(fixture.loop, stale, 0600, on_accepted, &fixture, &error));
	assert_non_null(strstr(error, "Address already in use"));
	free(error);
	fixture_fini(&fixture);
	assert_int_not_equal(stat(stale, &status), 0);
}

static void
freed_while_accepting(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture);
	listen_at(&fixture, "127.0.0.1:0");
	fixture.frees_listener = true;
	net_connect(fixture.loop, NULL, listener_address(fixture.listener), 5000, on_connected, &fixture);
	while (fixture.accepted == NULL || fixture.connected == NULL)
		loop_turn(fixture.loop, true);
	assert_null(fixture.listener);
	fixture_fini(&fixture);
}

static void
paused_listener_waits(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture);
	listen_at(&fixture, "127.0.0.1:0");
	listener_pause(fixture.listener);
	net_connect(fixture.loop, NULL, listener_address(fixture.listener), 5000, on_connected, &fixture);
	while (fixture.connected == NULL)
		loop_turn(fixture.loop, true);
	loop_turn(fixture.loop, false);
	assert_int_equal(fixture.count, 0);
	listener_resume(fixture.listener);
	while (fixture.accepted == NULL)
		loop_turn(fixture.loop, true);
	fixture_fini(&fixture);
}

static void
count_line(enum log_level level, struct span line, void *context)
{
	(void)level;
	*(unsigned *)context += span_find(line, '\n') < line.length;
}

/* Without descriptors nobody is taken on, which is said once; and then who has waited is. */
static void
no_descriptors_are_told_once(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rlimit before, none;
	struct fixture fixture;
	unsigned lines = 0;
	uint64_t began_us;

	(void)state;
	fixture_init(&fixture);
	listen_at(&fixture, live);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", live);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	log_set_sink(count_line, &lines);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (began_us = clock_monotonic_us(); lines == 0 || clock_monotonic_us() - began_us < 400000;)
		loop_turn(fixture.loop, true);		/* the listener's rests end */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	log_set_sink(NULL, NULL);
	assert_int_equal(lines, 1);
	assert_null(fixture.accepted);
	while (fixture.accepted == NULL)
		loop_turn(fixture.loop, true);
	close(client);
	fixture_fini(&fixture);
}

/* A listener that keeps a descriptor back takes on one when there is no other, and one more when there is one again. */
static void
spare_is_for_one(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rlimit before, none;
	struct fixture fixture;
	int clients[2], descriptor;
	unsigned lines = 0;

	(void)state;
	fixture_init(&fixture);
	listen_at(&fixture, live);
	listener_keep_spare(fixture.listener);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", live);
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof address), 0);
	}
	descriptor = dup(clients[0]);		/* the lowest that is free, beyond which none is allowed */
	close(descriptor);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ (rlim_t)descriptor, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	log_set_sink(count_line, &lines);
	while (fixture.count == 0)
		loop_turn(fixture.loop, true);
	for (uint64_t began_us = clock_monotonic_us(); clock_monotonic_us() - began_us < 200000;)
		loop_turn(fixture.loop, true);
	assert_int_equal(fixture.count, 1);
	stream_free(&fixture.accepted);
	while (fixture.count == 1)
		loop_turn(fixture.loop, true);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	log_set_sink(NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(clients); i++)
		close(clients[i]);
	fixture_fini(&fixture);
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(live, sizeof live, "%s/live", folder);
	snprintf(stale, sizeof stale, "%s/stale", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);	/* fails when a listener has left its socket behind */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_accepted),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(stale_socket_is_replaced),
		cmocka_unit_test(freed_while_accepting),
		cmocka_unit_test(paused_listener_waits),
		cmocka_unit_test(no_descriptors_are_told_once),
		cmocka_unit_test(spare_is_for_one),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
