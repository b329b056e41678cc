/*
 * A link between hosts, both of them here: over TCP and TLS, with the right key and with a wrong one, to a
 * server that is down, comes up, or falls silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "../../src/link/internal.h"
#include "base/clock.h"
#include "base/memory.h"
#include "link/link.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "net/stream.h"
#include "net/tls.h"

#define PATIENCE_MS 300000	/* only there to fail a broken test */
#define CONNECT_MS  60000
#define SILENCE_MS  20000
#define STEP_MS     100

static struct world {
	struct loop *loop;
	struct workers *compute;
	struct tls_context *server_tls, *client_tls;
	struct link *server, *client;
	struct stream *arrived[16];
	size_t arrived_count;
	struct buffer heard;		/* by all of them */
	bool is_silent;			/* the server answers nothing */
	bool is_called, is_lost;
	enum link_status status;
	struct stream *stream;
	struct timer limit;
	bool is_late;
} world;

static const struct link_facts facts = { .session_id = SPAN("s1"), .address = SPAN("192.0.2.1") };

static void
answer_line(struct stream *stream, struct span line)
{
	if (span_starts_with(line, SPAN("P ")))
		stream_write(stream, SPAN("P OK done\r\n"));
	else if (span_starts_with(line, SPAN("L2 AUTHENTICATE PLAIN AGJvYg")))
		stream_write(stream, SPAN("L2 NO [AUTHENTICATIONFAILED] no\r\n"));
	else if (span_starts_with(line, SPAN("L2 ")))
		stream_write(stream, SPAN("L2 OK [CAPABILITY IMAP4rev1] in\r\n"));
}

static void
on_arrived_input(struct stream *stream, void *context)
{
	struct span input = stream_input_whole(stream);

	(void)context;
	buffer_add_span(&world.heard, input);
	while (!world.is_silent && input.length > 0) {
		struct span line = span_slice(input, 0, span_find(input, '\n'));

		answer_line(stream, line);
		input = span_from(input, line.length + 1);
	}
	stream_discard_input(stream);
}

static const struct stream_events arrived_events = { on_arrived_input, NULL, NULL };

static void
on_arrived(struct stream *stream, void *context)
{
	(void)context;
	assert_true(world.arrived_count < COUNT_OF(world.arrived));
	world.arrived[world.arrived_count++] = stream;
	if (!world.is_silent)
		stream_write(stream, SPAN("* OK ready\r\n"));
	stream_set_events(stream, &arrived_events, NULL);
}

static void
on_lost(struct span server, void *context)
{
	(void)context;
	assert_true(span_equals(server, SPAN("mbx1")));
	world.is_lost = true;
}

static void
on_connected(const struct link_result *result, void *context)
{
	(void)context;
	world.is_called = true;
	world.status = result->status;
	world.stream = result->stream;
}

static void
on_limit(void *context)
{
	(void)context;
	world.is_late = true;
}

static void
await(const bool *is_done)
{
	timer_start_ms(&world.limit, PATIENCE_MS);
	while (!*is_done && !world.is_late)
		loop_turn(world.loop, true);
	assert_true(*is_done);
	timer_stop(&world.limit);
}

static void
pass_ms(uint64_t ms)
{
	world.is_late = false;
	timer_start_ms(&world.limit, ms);
	while (!world.is_late)
		loop_turn(world.loop, true);
	world.is_late = false;
}

/* Let the client know the server, by the address where it listens or where nobody does. */
static void
name_server(const char *address)
{
	link_add_server(world.client, SPAN("mbx1"), address, world.client_tls, world.compute);
	link_on_lost(world.client, on_lost, NULL);
}

static enum link_status
ask(struct span server)
{
	world.is_called = false;
	stream_free(&world.stream);
	link_connect(world.client, server, SPAN("alice"), &facts, on_connected, NULL);
	assert_false(world.is_called);
	await(&world.is_called);
	return world.status;
}

static int
set_up(void **state)
{
	static const uint8_t key[32] = { 1, 2, 3 };
	const struct link_patience patience = { CONNECT_MS, SILENCE_MS };
	char *error = NULL;

	(void)state;
	world = (struct world){ .loop = loop_new() };
	world.compute = workers_new(world.loop, "compute", 1);
	world.server_tls = tls_context_new_psk(span_of(key, sizeof key), SPAN("cas/a"), true);
	world.client_tls = tls_context_new_psk(span_of(key, sizeof key), SPAN("cas/a"), false);
	world.server = link_new(world.loop);
	world.client = link_new(world.loop);
	link_set_patience(world.client, &patience);
	link_serve(world.server, on_arrived, NULL);
	link_add_port(world.server, "127.0.0.1:0", world.server_tls, world.compute);
	assert_null(link_listener(world.server, 0));
	assert_true(link_listen(world.server, &error));
	timer_init(&world.limit, world.loop, on_limit, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_fake(0, 0);
	timer_stop(&world.limit);
	stream_free(&world.stream);
	link_free(&world.client);
	link_free(&world.server);
	for (size_t i = 0; i < world.arrived_count; i++)
		stream_free(&world.arrived[i]);
	buffer_free(&world.heard);
	workers_free(&world.compute);
	tls_context_free(&world.server_tls);
	tls_context_free(&world.client_tls);
	loop_free(&world.loop);
	return 0;
}

static void
test_resumed(void **state)
{
	struct link_figures figures;

	(void)state;
	name_server(link_listener(world.server, 0));
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(SPAN("mbx1")), LINK_OK);
	assert_non_null(strstr(buffer_string(&world.heard), "\"x-originating-ip\" \"192.0.2.1\""));
	assert_non_null(strstr(buffer_string(&world.heard), "L2 AUTHENTICATE EXTERNAL YWxpY2U=\r\n"));
	link_figures(world.server, &figures);
	assert_true(figures.accepted >= 3);
	assert_true(figures.resumed >= 2);
	assert_int_equal(figures.refused, 0);
	/* Without a mailbox role of its own, the first server is everybody's home. */
	assert_int_equal(ask(SPAN("")), LINK_OK);
	assert_int_equal(ask(SPAN("mbx2")), LINK_UNREACHABLE);
}

static void
test_password(void **state)
{
	static const struct {
		struct span user;
		enum link_status status;
	} cases[] = { { SPAN("alice"), LINK_OK }, { SPAN("bob"), LINK_DENIED } };

	(void)state;
	name_server(link_listener(world.server, 0));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world.is_called = false;
		stream_free(&world.stream);
		link_connect_with_password(world.client, SPAN("mbx1"), cases[i].user, SPAN("secret"), &facts,
		    on_connected, NULL);
		await(&world.is_called);
		assert_int_equal(world.status, cases[i].status);
	}
	assert_non_null(strstr(buffer_string(&world.heard), "L2 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n"));
}

static void
test_wrong_key(void **state)
{
	static const uint8_t key[32] = { 3, 2, 1 };
	struct link_figures figures;

	(void)state;
	tls_context_free(&world.client_tls);
	world.client_tls = tls_context_new_psk(span_of(key, sizeof key), SPAN("cas/a"), false);
	name_server(link_listener(world.server, 0));
	assert_int_equal(ask(SPAN("mbx1")), LINK_UNREACHABLE);
	link_figures(world.server, &figures);
	assert_true(figures.refused > 0);
	assert_int_equal(figures.accepted, 0);
	assert_int_equal(world.heard.length, 0);
}

static void
test_down_and_up(void **state)
{
	char address[64], *error = NULL;
	bool is_good = false;

	(void)state;
	snprintf(address, sizeof address, "%s", link_listener(world.server, 0));
	link_close_ports(world.server);
	link_add_port(world.server, address, world.server_tls, world.compute);
	name_server(address);
	assert_int_equal(ask(SPAN("mbx1")), LINK_UNREACHABLE);
	assert_true(link_listen(world.server, &error));
	for (int i = 0; i < 200 && !is_good; i++) {
		is_good = ask(SPAN("mbx1")) == LINK_OK;
		pass_ms(20);
	}
	assert_true(is_good);
	assert_false(world.is_lost);
}

/* Its pulse waits for no answer, but for the time of the next question. */
static void
await_pulse(const struct server *server)
{
	while (server->stream == NULL || timer_is_running(&server->limit) || server->asked_us != 0)
		loop_turn(world.loop, true);
}

/* However long a busy machine keeps this process waiting, no more time passes than is said. */
static void
step(void)
{
	clock_fake(clock_monotonic_us() + STEP_MS * 1000, clock_calendar_us());
	loop_turn(world.loop, false);
}

static void
test_silent(void **state)
{
	const struct server *server;

	(void)state;
	name_server(link_listener(world.server, 0));
	server = server_find(world.client, SPAN("mbx1"));
	assert_int_equal(ask(SPAN("mbx1")), LINK_OK);
	await_pulse(server);
	for (unsigned passed_ms = 0; passed_ms < 2 * SILENCE_MS; passed_ms += STEP_MS) {
		step();
		await_pulse(server);
	}
	assert_false(world.is_lost);
	world.is_silent = true;
	for (unsigned passed_ms = 0; passed_ms < SILENCE_MS + STEP_MS; passed_ms += STEP_MS)
		step();
	assert_true(world.is_lost);
	assert_int_equal(ask(SPAN("mbx1")), LINK_UNREACHABLE);
}

static void
test_stopped_role(void **state)
{
	(void)state;
	link_serve(world.server, NULL, NULL);
	name_server(link_listener(world.server, 0));
	assert_int_equal(ask(SPAN("mbx1")), LINK_UNREACHABLE);
	link_serve(world.server, on_arrived, NULL);
}

static void
test_cancelled(void **state)
{
	struct link_attempt *attempt;

	(void)state;
	name_server(link_listener(world.server, 0));
	for (int turns = 0; turns < 8; turns++) {
		world.is_called = false;
		stream_free(&world.stream);	/* a turn may take so long that the login was over before */
		attempt = link_connect(world.client, SPAN("mbx1"), SPAN("alice"), &facts, on_connected, NULL);
		for (int i = 0; i < turns && !world.is_called; i++)
			loop_turn(world.loop, false);
		if (!world.is_called)
			link_cancel(&attempt);
	}
	pass_ms(50);
}

int
main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_resumed),
		WITH_WORLD(test_password),
		WITH_WORLD(test_wrong_key),
		WITH_WORLD(test_down_and_up),
		WITH_WORLD(test_silent),
		WITH_WORLD(test_stopped_role),
		WITH_WORLD(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
