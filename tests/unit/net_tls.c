/*
 * TLS on streams: bulk both ways, resumption, refusals, injection before STARTTLS, and what many
 * handshakes cost the loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "../../src/net/tls_internal.h"
#include "../../src/net/tls_primitives.h"
#include "net_fixture.h"

struct end {
	struct stream *stream;
	size_t received;
	size_t piece;			/* consume at most this much a callback; 0: all */
	bool is_wrong, has_ended;
	enum stream_end reason;
};

static struct fixture {
	struct loop *loop;
	struct workers *compute;
	struct tls_context *server, *client;
	char certificate[64], key[64];
} fixture;

static void
on_input(struct stream *stream, void *context)
{
	struct end *end = context;
	size_t left = end->piece == 0 ? SIZE_MAX : end->piece;
	struct span input;

	while (left > 0 && (input = span_slice(stream_input(stream), 0, left)).length > 0) {
		for (size_t i = 0; i < input.length; i++)
			end->is_wrong |= input.at[i] != (end->received + i) % 251;
		end->received += input.length;
		left -= input.length;
		stream_consume(stream, input.length);
	}
	/* What is left is announced again by resuming. */
	stream_pause_input(stream);
	stream_resume_input(stream);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct end *end = context;

	(void)stream;
	end->has_ended = true;
	end->reason = reason;
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
end_init(struct end *end, struct stream *stream)
{
	*end = (struct end){ .stream = stream };
	stream_set_events(stream, &events, end);
}

static void
send_counted(struct stream *stream, size_t from, size_t length)
{
	struct buffer buffer = { 0 };
	uint8_t *at = buffer_reserve(&buffer, length);

	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)((from + i) % 251);
	buffer.length = length;
	stream_write_buffer(stream, &buffer);
}

static void
write_file(char *path, const char *text)
{
	int descriptor;

	strcpy(path, "/tmp/net_tls.XXXXXX");
	descriptor = mkstemp(path);
	assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
	close(descriptor);
}

static int
set_up(void **state)
{
	char *error = NULL;

	(void)state;
	write_file(fixture.certificate, FIXTURE_CERTIFICATE);
	write_file(fixture.key, FIXTURE_KEY);
	fixture.loop = loop_new();
	fixture.compute = workers_new(fixture.loop, "compute", 2);
	fixture.server = tls_context_new(fixture.certificate, fixture.key, &error);
	fixture.client = tls_context_new_client(fixture.certificate, &error);
	assert_non_null(fixture.server);
	assert_non_null(fixture.client);
	tls_context_set_server_name(fixture.client, "imap.example.org");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_context_free(&fixture.server);
	tls_context_free(&fixture.client);
	workers_free(&fixture.compute);
	loop_free(&fixture.loop);
	unlink(fixture.certificate);
	unlink(fixture.key);
	return 0;
}

static void
plain_pair(bool is_socket, struct end *server, struct end *client)
{
	struct stream *a, *b;
	int descriptors[2];

	if (is_socket) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, descriptors), 0);
		a = stream_from_socket(fixture.loop, descriptors[0]);
		b = stream_from_socket(fixture.loop, descriptors[1]);
	} else {
		stream_pair(fixture.loop, &a, &b);
	}
	end_init(server, a);
	end_init(client, b);
}

static void
tls_pair(bool is_socket, struct end *server, struct end *client)
{
	plain_pair(is_socket, server, client);
	stream_start_tls(server->stream, fixture.server, fixture.compute);
	stream_start_tls(client->stream, fixture.client, fixture.compute);
}

static void
free_ends(struct end *server, struct end *client)
{
	stream_free(&server->stream);
	stream_free(&client->stream);
}

static void
bulk_both_ways(void **state)
{
	const size_t total = 10 * 1024 * 1024;

	(void)state;
	for (int is_socket = 0; is_socket < 2; is_socket++) {
		struct end server, client;
		struct tls_facts facts;

		tls_pair(is_socket, &server, &client);
		server.piece = 1;	/* tiny reads at first */
		send_counted(client.stream, 0, 3);
		while (server.received < 3)
			loop_turn(fixture.loop, true);
		server.piece = 1000;
		for (size_t sent = 0; sent < total; sent += 1024 * 1024) {
			send_counted(server.stream, sent, 1024 * 1024);
			send_counted(client.stream, sent + 3, 1024 * 1024);
		}
		while (server.received < total + 3 || client.received < total)
			loop_turn(fixture.loop, true);
		assert_false(server.is_wrong || client.is_wrong);
		stream_tls_facts(server.stream, &facts);
		assert_string_equal(facts.server_name, "imap.example.org");
		assert_true(strncmp(facts.version, "TLSv1.", 6) == 0);
		assert_non_null(strstr(facts.cipher, tls_is_aes_fast() ? "AES-128-GCM" : "CHACHA20"));
		stream_close_after_flush(&client.stream, 60000);
		while (!server.has_ended)
			loop_turn(fixture.loop, true);
		assert_int_equal(server.reason, STREAM_EOF);
		stream_free(&server.stream);
	}
}

/* How many pages within a record buffer take memory. */
static unsigned
pages_in_memory(const unsigned char *buffer)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)buffer + 16384;
	unsigned count = 0;
	unsigned char is_there;

	for (uintptr_t at = ((uintptr_t)buffer + 2 * page - 1) / page * page; at + page <= end; at += page) {
		assert_int_equal(mincore((void *)at, page, &is_there), 0);
		count += is_there & 1;
	}
	return count;
}

static unsigned
record_pages(const struct end *end)
{
	const mbedtls_ssl_context *ssl = end->stream->tls->ssl;

	return pages_in_memory(ssl->MBEDTLS_PRIVATE(in_buf)) + pages_in_memory(ssl->MBEDTLS_PRIVATE(out_buf));
}

static void
buffers_rest(void **state)
{
	const size_t total = 100000;
	struct end server, client;

	(void)state;
	tls_pair(true, &server, &client);
	for (size_t sent = 0; sent < 3 * total; sent += total) {
		send_counted(server.stream, sent, total);
		send_counted(client.stream, sent, total);
		while (server.received < sent + total || client.received < sent + total)
			loop_turn(fixture.loop, true);
		assert_true(record_pages(&server) > 0);
		while (record_pages(&server) + record_pages(&client) > 0)
			loop_turn(fixture.loop, true);
	}
	assert_false(server.is_wrong || client.is_wrong);
	free_ends(&server, &client);
}

/* A record that has come in part stays. */
static void
buffers_in_use_do_not_rest(void **state)
{
	uint8_t record[2000];
	struct end server, client;
	ssize_t length;
	size_t before;

	(void)state;
	tls_pair(true, &server, &client);
	send_counted(server.stream, 0, 10);
	while (client.received < 10)
		loop_turn(fixture.loop, true);
	stream_pause_input(client.stream);
	send_counted(server.stream, 10, 1000);
	while ((length = recv(client.stream->descriptor, record, sizeof record, MSG_DONTWAIT)) < 1000)
		loop_turn(fixture.loop, false);
	evbuffer_add(client.stream->tls->received, record, 500);
	stream_resume_input(client.stream);
	before = client.received;
	loop_turn(fixture.loop, false);
	assert_int_equal(client.stream->tls->ssl->MBEDTLS_PRIVATE(in_left), 500);
	assert_int_equal(client.received, before);
	tls_rest(client.stream->tls);
	evbuffer_add(client.stream->tls->received, record + 500, (size_t)length - 500);
	stream_advance_later(client.stream);
	while (client.received < 1010)
		loop_turn(fixture.loop, true);
	assert_false(client.is_wrong);
	free_ends(&server, &client);
}

static bool
is_resumed(struct tls_context *server_context, struct tls_context *client_context)
{
	struct end server, client;
	struct tls_facts facts;

	plain_pair(true, &server, &client);
	stream_start_tls(server.stream, server_context, fixture.compute);
	stream_start_tls(client.stream, client_context, fixture.compute);
	send_counted(server.stream, 0, 1000);
	while (client.received < 1000)
		loop_turn(fixture.loop, true);
	stream_tls_facts(server.stream, &facts);
	free_ends(&server, &client);
	return facts.is_resumed;
}

static void
tickets_resume(void **state)
{
	struct tls_context *client, *reloaded;
	char *error = NULL;

	(void)state;
	client = tls_context_new_client(NULL, &error);
	assert_false(is_resumed(fixture.server, client));
	assert_true(is_resumed(fixture.server, client));
	reloaded = tls_context_new(fixture.certificate, fixture.key, &error);
	tls_context_share_tickets(reloaded, fixture.server);
	assert_true(is_resumed(reloaded, client));
	tls_context_free(&reloaded);
	reloaded = tls_context_new(fixture.certificate, fixture.key, &error);
	assert_false(is_resumed(reloaded, client));
	tls_context_free(&reloaded);
	tls_context_free(&client);
}

static void
psk_of_the_link(void **state)
{
	struct span key = SPAN("0123456789abcdef0123456789abcdef");
	struct tls_context *server = tls_context_new_psk(key, SPAN("link"), true);
	struct tls_context *client = tls_context_new_psk(key, SPAN("link"), false);

	(void)state;
	assert_false(is_resumed(server, client));
	assert_true(is_resumed(server, client));
	tls_context_free(&server);
	tls_context_free(&client);
}

static void
assert_refused(struct tls_context *server_context, struct tls_context *client_context)
{
	struct end server, client;
	struct tls_facts facts;

	plain_pair(true, &server, &client);
	stream_start_tls(server.stream, server_context, fixture.compute);
	stream_start_tls(client.stream, client_context, fixture.compute);
	while (!server.has_ended || !client.has_ended)
		loop_turn(fixture.loop, true);
	stream_tls_facts(server.stream, &facts);
	assert_non_null(facts.error);
	assert_null(facts.version);
	free_ends(&server, &client);
}

static void
wrong_peers_are_refused(void **state)
{
	struct tls_context *server, *client;
	char *error = NULL;

	(void)state;
	server = tls_context_new_psk(SPAN("0123456789abcdef"), SPAN("link"), true);
	client = tls_context_new_psk(SPAN("0123456789abcdeX"), SPAN("link"), false);
	assert_refused(server, client);		/* another key */
	tls_context_free(&client);
	client = tls_context_new_psk(SPAN("0123456789abcdef"), SPAN("knil"), false);
	assert_refused(server, client);		/* another name */
	tls_context_free(&client);
	client = tls_context_new_client(NULL, &error);
	assert_refused(server, client);		/* no key at all */
	tls_context_offer_protocol(client, "http/1.1");
	assert_refused(fixture.server, client);	/* RFC 7301: another protocol's client */
	tls_context_free(&client);
	client = tls_context_new_client(NULL, &error);
	tls_context_offer_protocol(client, "imap");
	assert_false(is_resumed(fixture.server, client));
	tls_context_free(&client);
	client = tls_context_new_client(fixture.certificate, &error);
	tls_context_set_server_name(client, "other.example.org");
	assert_refused(fixture.server, client);
	tls_context_free(&client);
	tls_context_free(&server);
}

static void
garbage_ends_the_stream(void **state)
{
	struct end server, client;

	(void)state;
	plain_pair(true, &server, &client);
	stream_start_tls(server.stream, fixture.server, fixture.compute);
	stream_write(client.stream, SPAN("a1 LOGIN user password\r\n"));
	while (!server.has_ended)
		loop_turn(fixture.loop, true);
	assert_int_equal(server.reason, STREAM_ERROR);
	assert_int_equal(server.received, 0);
	free_ends(&server, &client);
	plain_pair(true, &server, &client);
	stream_start_tls(server.stream, fixture.server, fixture.compute);
	stream_free(&client.stream);
	while (!server.has_ended)
		loop_turn(fixture.loop, true);
	assert_int_equal(server.reason, STREAM_ERROR);
	stream_free(&server.stream);
}

static void
ignore_input(struct stream *stream, void *context)
{
	(void)stream;
	(void)context;
}

/* What came in plaintext behind STARTTLS is seen by the caller, and never by TLS's reader. */
static void
injected_octets_are_seen(void **state)
{
	static const struct stream_events waiting = { ignore_input, NULL, on_end };
	struct end server, client;

	(void)state;
	plain_pair(true, &server, &client);
	stream_set_events(server.stream, &waiting, &server);
	stream_write(client.stream, SPAN("a STARTTLS\r\nb NOOP\r\n"));
	while (!stream_has_input(server.stream))
		loop_turn(fixture.loop, true);
	stream_consume(server.stream, strlen("a STARTTLS\r\n"));
	assert_true(stream_has_input(server.stream));
	stream_start_tls(server.stream, fixture.server, fixture.compute);
	while (!server.has_ended)
		loop_turn(fixture.loop, true);
	assert_int_equal(server.reason, STREAM_ERROR);
	assert_false(stream_has_input(server.stream));
	free_ends(&server, &client);
}

/* The reply to STARTTLS leaves in plaintext, then TLS begins. */
static void
starttls_after_a_reply(void **state)
{
	struct end server, client;

	(void)state;
	plain_pair(true, &server, &client);
	send_counted(server.stream, 0, 5);
	stream_start_tls(server.stream, fixture.server, fixture.compute);
	send_counted(server.stream, 5, 7);
	while (client.received < 5)
		loop_turn(fixture.loop, true);
	assert_int_equal(client.received, 5);
	stream_start_tls(client.stream, fixture.client, fixture.compute);
	while (client.received < 12)
		loop_turn(fixture.loop, true);
	assert_false(client.is_wrong);
	free_ends(&server, &client);
}

static void
freed_during_the_handshake(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		struct end server, client;

		tls_pair(turns % 2 == 0, &server, &client);
		for (int i = 0; i < turns; i++)
			loop_turn(fixture.loop, false);
		free_ends(&server, &client);
	}
	loop_turn(fixture.loop, false);
}

static void
silent_client_times_out(void **state)
{
	struct end server, client;

	(void)state;
	clock_fake(clock_monotonic_us(), clock_calendar_us());
	plain_pair(true, &server, &client);
	stream_start_tls(server.stream, fixture.server, fixture.compute);
	loop_turn(fixture.loop, false);
	clock_fake(clock_monotonic_us() + (uint64_t)TLS_HANDSHAKE_MS * 1000 + 1, clock_calendar_us());
	loop_turn(fixture.loop, false);
	assert_true(server.has_ended);
	assert_int_equal(server.reason, STREAM_TIMEOUT);
	free_ends(&server, &client);
	clock_fake(0, 0);
}

static uint64_t
processor_us(clockid_t whose)
{
	struct timespec used;

	clock_gettime(whose, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* Measured in time of the processor: how busy the machine is does not count. */
static void
many_handshakes_are_no_work_of_the_loop(void **state)
{
	enum { COUNT = 60 };
	static struct end servers[COUNT], clients[COUNT];
	uint64_t all_us = processor_us(CLOCK_PROCESS_CPUTIME_ID), loop_us = processor_us(CLOCK_THREAD_CPUTIME_ID);
	size_t ready = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		tls_pair(true, &servers[i], &clients[i]);
		send_counted(servers[i].stream, 0, 10);
	}
	while (ready < COUNT) {
		loop_turn(fixture.loop, true);
		ready = 0;
		for (int i = 0; i < COUNT; i++)
			ready += clients[i].received == 10;
	}
	loop_us = processor_us(CLOCK_THREAD_CPUTIME_ID) - loop_us;
	all_us = processor_us(CLOCK_PROCESS_CPUTIME_ID) - all_us;
	print_message("the loop: %u us of %u us\n", (unsigned)loop_us, (unsigned)all_us);
	/* A third is usual; if it did the handshakes, it would be all of it. */
	assert_true(loop_us < all_us * 3 / 4);
	for (int i = 0; i < COUNT; i++)
		free_ends(&servers[i], &clients[i]);
}

static void
bad_files_are_named(void **state)
{
	struct tls_validity validity;
	char *error = NULL;

	(void)state;
	assert_null(tls_context_new("/nowhere/cert.pem", fixture.key, &error));
	assert_non_null(strstr(error, "/nowhere/cert.pem"));
	free(error);
	assert_null(tls_context_new(fixture.certificate, fixture.certificate, &error));
	assert_non_null(strstr(error, fixture.certificate));
	free(error);
	assert_true(tls_context_validity(fixture.server, NULL, NULL, &validity) && validity.ends_s > 4000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_both_ways),
		cmocka_unit_test(buffers_rest),
		cmocka_unit_test(buffers_in_use_do_not_rest),
		cmocka_unit_test(tickets_resume),
		cmocka_unit_test(psk_of_the_link),
		cmocka_unit_test(wrong_peers_are_refused),
		cmocka_unit_test(garbage_ends_the_stream),
		cmocka_unit_test(injected_octets_are_seen),
		cmocka_unit_test(starttls_after_a_reply),
		cmocka_unit_test(freed_during_the_handshake),
		cmocka_unit_test(silent_client_times_out),
		cmocka_unit_test(many_handshakes_are_no_work_of_the_loop),
		cmocka_unit_test(bad_files_are_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
