/*
 * Streams over pairs and sockets: order, back-pressure, ends, and splices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "net/stream.h"

/* An end that counts what comes and checks that it is 0, 1, 2 .. 250, 0, .. */
struct end {
	struct stream *stream;
	size_t received, drained, most_held;
	size_t piece;			/* consume at most this much a callback; 0: all */
	bool is_wrong, has_ended, frees_itself;
	enum stream_end reason;
};

static void
take_all(struct end *end)
{
	struct span input;
	size_t left = end->piece == 0 ? SIZE_MAX : end->piece;

	if (stream_input_length(end->stream) > end->most_held)
		end->most_held = stream_input_length(end->stream);
	while (left > 0 && (input = span_slice(stream_input(end->stream), 0, left)).length > 0) {
		for (size_t i = 0; i < input.length; i++)
			end->is_wrong |= input.at[i] != (end->received + i) % 251;
		end->received += input.length;
		left -= input.length;
		stream_consume(end->stream, input.length);
	}
}

static void
on_input(struct stream *stream, void *context)
{
	struct end *end = context;

	(void)stream;
	take_all(end);
	if (end->frees_itself)
		stream_free(&end->stream);
}

static void
on_drained(struct stream *stream, void *context)
{
	(void)stream;
	((struct end *)context)->drained++;
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct end *end = context;

	(void)stream;
	assert_false(end->has_ended);
	end->has_ended = true;
	end->reason = reason;
}

static const struct stream_events events = { on_input, on_drained, on_end };

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
	assert_int_equal(buffer.length, 0);
}

static void
sockets(struct loop *loop, struct stream **a_out, struct stream **b_out)
{
	int descriptors[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, descriptors), 0);
	*a_out = stream_from_socket(loop, descriptors[0]);
	*b_out = stream_from_socket(loop, descriptors[1]);
}

static void (*const kinds[])(struct loop *, struct stream **, struct stream **) = { stream_pair, sockets };

static void
octets_arrive_in_order(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct end a, b;
		struct stream *sa, *sb;
		size_t sent = 0;

		kinds[kind](loop, &sa, &sb);
		end_init(&a, sa);
		end_init(&b, sb);
		b.piece = kind == 0 ? 0 : 100000;
		while (sent < 3000000) {
			size_t length = sent % 3 == 0 ? 1 + sent % 7 : 50000;

			send_counted(sa, sent, length);
			sent += length;
		}
		while (b.received < sent)
			loop_turn(loop, true);
		loop_turn(loop, false);
		loop_turn(loop, false);
		assert_false(b.is_wrong);
		assert_int_equal(b.received, sent);
		assert_int_equal(a.drained, 1);
		assert_int_equal(stream_octets_in(sb), sent);
		assert_int_equal(stream_octets_out(sa), sent);
		stream_free(&sa);
		for (int i = 0; i < 4; i++)
			loop_turn(loop, false);
		assert_true(b.has_ended);
		assert_int_equal(b.reason, STREAM_EOF);
		stream_free(&sb);
		loop_free(&loop);
	}
}

static void
paused_input_waits(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct end a, b;
		struct stream *sa, *sb;

		kinds[kind](loop, &sa, &sb);
		end_init(&a, sa);
		end_init(&b, sb);
		stream_pause_input(sb);
		for (size_t i = 0; i < 100; i++)
			send_counted(sa, i * 50000, 50000);
		stream_end_output(sa);
		for (int i = 0; i < 20; i++)
			loop_turn(loop, false);
		assert_int_equal(b.received, 0);
		assert_true(stream_output_length(sa) > 4000000);
		stream_resume_input(sb);
		while (!b.has_ended)
			loop_turn(loop, true);
		assert_int_equal(b.received, 5000000);
		assert_false(b.is_wrong);
		stream_free(&sa);
		stream_free(&sb);
		loop_free(&loop);
	}
}

/* Half-open: one side has ended, the other still writes. */
static void
answer_after_eof(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct end a, b;
		struct stream *sa, *sb;

		kinds[kind](loop, &sa, &sb);
		end_init(&a, sa);
		end_init(&b, sb);
		stream_end_output(sa);
		while (!b.has_ended)
			loop_turn(loop, true);
		assert_int_equal(b.reason, STREAM_EOF);
		send_counted(sb, 0, 300000);
		stream_close_after_flush(&sb, 60000);
		while (!a.has_ended)
			loop_turn(loop, true);
		assert_int_equal(a.received, 300000);
		stream_free(&sa);
		loop_free(&loop);
	}
}

/* A farewell that nobody takes does not outlive the loop. */
static void
ends_with_the_loop(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct stream *sa, *sb;

		kinds[kind](loop, &sa, &sb);
		stream_pause_input(sa);
		send_counted(sb, 0, 4000000);
		stream_close_after_flush(&sb, 60000);
		for (int i = 0; i < 20; i++)
			loop_turn(loop, false);
		stream_close_after_flush(&sa, 60000);
		loop_free(&loop);
	}
}

static void
tcp_pair(int descriptors[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	descriptors[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(descriptors[1], (struct sockaddr *)&address, sizeof address), 0);
	descriptors[0] = accept(listener, NULL, NULL);
	assert_true(descriptors[0] >= 0);
	close(listener);
}

/* Who is still sending hears why it is sent away, and is not told that the connection was reset. */
static void
farewell_to_who_sends(void **state)
{
	static const char octets[20000];
	struct loop *loop = loop_new();
	char heard[64];
	int descriptors[2];
	struct stream *stream;

	(void)state;
	tcp_pair(descriptors);
	stream = stream_from_socket(loop, descriptors[0]);
	stream_pause_input(stream);
	assert_int_equal(send(descriptors[1], octets, sizeof octets, 0), sizeof octets);
	stream_write(stream, SPAN("BYE too much\r\n"));
	stream_close_after_flush(&stream, 60000);
	for (int i = 0; i < 100; i++) {
		loop_turn(loop, false);
		assert_int_equal(send(descriptors[1], octets, sizeof octets, MSG_NOSIGNAL), sizeof octets);
		loop_turn(loop, true);
	}
	assert_int_equal(recv(descriptors[1], heard, sizeof heard, 0), 14);
	assert_int_equal(recv(descriptors[1], heard, sizeof heard, 0), 0);
	assert_int_equal(leftover_count(loop), 1);
	close(descriptors[1]);
	while (leftover_count(loop) > 0)
		loop_turn(loop, true);
	loop_free(&loop);
}

/* Who reads only when all was sent is not waited for in vain, however much it has to read. */
static void
farewell_to_who_does_not_read(void **state)
{
	enum { UNREAD = 32 * 1024 * 1024, SENT = 64 * 1024 * 1024 };
	static uint8_t octets[1024 * 1024];
	struct loop *loop = loop_new();
	size_t sent = 0, heard = 0;
	int descriptors[2];
	struct stream *stream;
	ssize_t n;

	(void)state;
	tcp_pair(descriptors);
	stream = stream_from_socket(loop, descriptors[0]);
	for (size_t i = 0; i < UNREAD / sizeof octets; i++)
		stream_write(stream, span_of(octets, sizeof octets));
	stream_close_after_flush(&stream, 600000);
	for (int i = 0; sent < SENT && i < 100000; i++) {
		n = send(descriptors[1], octets, sizeof octets, MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(loop, false);
	}
	assert_true(sent >= SENT);
	while ((n = recv(descriptors[1], octets, sizeof octets, MSG_DONTWAIT)) != 0) {
		assert_true(n > 0 || errno == EAGAIN);
		heard += n > 0 ? (size_t)n : 0;
		loop_turn(loop, false);
	}
	assert_int_equal(heard, UNREAD);
	close(descriptors[1]);
	while (leftover_count(loop) > 0)
		loop_turn(loop, true);
	loop_free(&loop);
}

/* Returns the far end. */
static int
send_away(struct loop *loop, struct span word)
{
	int descriptors[2];
	struct stream *stream;

	tcp_pair(descriptors);
	stream = stream_from_socket(loop, descriptors[0]);
	stream_write(stream, word);
	stream_close_after_flush(&stream, 600000);
	loop_turn(loop, false);
	loop_turn(loop, false);
	return descriptors[1];
}

static void
close_all(const int *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(descriptors[i]);
}

/* Peers that never end their side hold no descriptors beyond what is allowed to linger, and take nobody's place there. */
static void
few_linger(void **state)
{
	enum { COUNT = 400, MOST = 128 };
	static const char octets[20000];
	struct loop *loop = loop_new();
	char heard[64];
	int far[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		far[i] = send_away(loop, SPAN("BYE\r\n"));
	assert_int_equal(leftover_count(loop), MOST);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send(far[COUNT - 1], octets, sizeof octets, MSG_NOSIGNAL), sizeof octets);
		loop_turn(loop, false);
	}
	assert_int_equal(recv(far[COUNT - 1], heard, sizeof heard, 0), 5);
	assert_int_equal(recv(far[COUNT - 1], heard, sizeof heard, 0), 0);
	loop_end_leftovers(loop);
	assert_int_equal(leftover_count(loop), 0);
	loop_free(&loop);
	close_all(far, COUNT);
}

/* Nor do those to whom nothing was said. */
static void
nothing_said_nothing_waited_for(void **state)
{
	struct loop *loop = loop_new();
	int far = send_away(loop, SPAN(""));

	(void)state;
	assert_int_equal(leftover_count(loop), 0);
	close(far);
	loop_free(&loop);
}

/* In one process, too, who is still sending hears the end as the other side has meant it. */
static void
farewell_through_a_pair(void **state)
{
	static const uint8_t octets[1024 * 1024];
	struct loop *loop = loop_new();
	struct stream *near, *far;
	struct end end;

	(void)state;
	stream_pair(loop, &near, &far);
	end_init(&end, far);
	stream_pause_input(near);
	stream_write(far, span_of(octets, sizeof octets));
	loop_turn(loop, false);
	stream_write(near, span_of("", 1));
	stream_close_after_flush(&near, 60000);
	while (!end.has_ended) {
		stream_write(far, span_of(octets, sizeof octets));
		loop_turn(loop, false);
	}
	assert_int_equal(end.received, 1);
	assert_int_equal(end.reason, STREAM_EOF);
	stream_free(&far);
	loop_free(&loop);
}

static void *
send_and_read(void *context)
{
	static const char octets[100000];
	int descriptor = *(int *)context;
	char heard[64];
	ssize_t n;

	for (int i = 0; i < 100; i++) {
		if (send(descriptor, octets, sizeof octets, MSG_NOSIGNAL) < 0)
			return "reset";
	}
	n = recv(descriptor, heard, sizeof heard, 0);
	if (n != 5 || recv(descriptor, heard, sizeof heard, 0) != 0)
		return "not heard";
	close(descriptor);
	return NULL;
}

/* At the end who is still sending is waited for, and who does nothing is not. */
static void
leftovers_are_seen_off(void **state)
{
	struct loop *loop = loop_new();
	int far = send_away(loop, SPAN("BYE\r\n")), silent;
	pthread_t peer;
	void *fault;

	(void)state;
	assert_int_equal(pthread_create(&peer, NULL, send_and_read, &far), 0);
	loop_see_off_leftovers(loop, 600000, 600000);
	assert_int_equal(leftover_count(loop), 0);
	assert_int_equal(pthread_join(peer, &fault), 0);
	assert_null(fault);
	silent = send_away(loop, SPAN("BYE\r\n"));
	loop_see_off_leftovers(loop, 1, 600000);
	assert_int_equal(leftover_count(loop), 1);
	close(silent);
	loop_free(&loop);
}

static void
freed_in_its_own_callback(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct end a, b;
		struct stream *sa, *sb;

		kinds[kind](loop, &sa, &sb);
		end_init(&a, sa);
		end_init(&b, sb);
		b.frees_itself = true;
		send_counted(sa, 0, 5);
		while (!a.has_ended)
			loop_turn(loop, true);
		assert_null(b.stream);
		send_counted(sa, 0, 5);		/* into the void */
		loop_turn(loop, false);
		stream_free(&sa);
		loop_free(&loop);
	}
}

static void
stalled_peer_times_out(void **state)
{
	struct loop *loop;
	struct end a;
	struct stream *sa, *sb;

	(void)state;
	clock_fake(1000000, 0);
	loop = loop_new();
	stream_pair(loop, &sa, &sb);
	end_init(&a, sa);
	stream_set_stall_timeout(sa, 1000);
	stream_pause_input(sb);
	send_counted(sa, 0, 10);
	loop_turn(loop, false);
	clock_fake(3000000, 0);
	loop_turn(loop, false);
	assert_true(a.has_ended);
	assert_int_equal(a.reason, STREAM_TIMEOUT);
	stream_free(&sa);
	stream_free(&sb);
	loop_free(&loop);
	clock_fake(0, 0);
}

struct splice_end {
	struct stream *ended;
	enum stream_end reason;
	int count;
};

static void
on_spliced_end(struct stream *ended, enum stream_end reason, void *context)
{
	*(struct splice_end *)context = (struct splice_end){ ended, reason,
		((struct splice_end *)context)->count + 1 };
}

/* writer = left ~ right = reader, where the reader takes a little each time. */
static void
splice_holds_little(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct loop *loop = loop_new();
		struct end writer, reader;
		struct stream *sw, *sr, *left, *right;
		struct splice_end end = { 0 };
		size_t sent = 0, held, most = 0;
		const size_t total = 5000000;

		kinds[kind](loop, &sw, &left);
		kinds[kind](loop, &right, &sr);
		end_init(&writer, sw);
		end_init(&reader, sr);
		stream_splice(left, right, on_spliced_end, &end);
		stream_pause_input(sr);
		for (int turn = 0; reader.received < total; turn++) {
			for (; sent < total && stream_output_length(sw) < 60000; sent += 20000)
				send_counted(sw, sent, 20000);
			if (turn % 5 == 0)
				stream_resume_input(sr);
			else
				stream_pause_input(sr);
			loop_turn(loop, false);
			held = stream_input_length(left) + stream_output_length(right);
			most = held > most ? held : most;
		}
		assert_true(most <= 256 * 1024);
		assert_false(reader.is_wrong);
		/* The other direction, and the last octets before the end. */
		send_counted(sr, 0, 100);
		while (writer.received < 100)
			loop_turn(loop, true);
		send_counted(sw, sent, 150000);
		stream_close_after_flush(&sw, 60000);
		stream_resume_input(sr);
		while (end.count == 0)
			loop_turn(loop, true);
		assert_ptr_equal(end.ended, left);
		assert_int_equal(end.reason, STREAM_EOF);
		stream_close_after_flush(&right, 60000);
		stream_free(&left);
		while (!reader.has_ended)
			loop_turn(loop, true);
		assert_int_equal(reader.received, total + 150000);
		assert_false(reader.is_wrong);
		stream_free(&sr);
		loop_free(&loop);
	}
}

/* What has come out of a splice tells whether a line may follow, also within a piece of DEFLATE. */
static void
splice_knows_deflate(void **state)
{
	static const struct {
		const char *octets;
		size_t length;
		bool is_deflate;
	} pieces[] = {
		{ "a OK\r\n", 6, false }, { "\x12\x34\x00\x00\xff\xff", 6, true }, { "\x12\x34\x56", 3, true },
		{ "\x00\x00\xff", 3, true }, { "\xff", 1, true }, { "\x12\x34\x00\x00", 4, true },
		{ "\x03\x00\x00\xff\xff", 5, true }, { "* plain\r\n", 9, false }, { "* half", 6, false },
	};
	struct loop *loop = loop_new();
	struct end reader;
	struct stream *sw, *sr, *left, *right;
	struct splice_end end = { 0 };
	size_t sent = 0;

	(void)state;
	stream_pair(loop, &sw, &left);
	stream_pair(loop, &right, &sr);
	end_init(&reader, sr);
	stream_splice(left, right, on_spliced_end, &end);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		stream_write(sw, span_of(pieces[i].octets, pieces[i].length));
		sent += pieces[i].length;
		while (reader.received < sent)
			loop_turn(loop, true);
		assert_int_equal(stream_was_spliced_deflate(right), pieces[i].is_deflate);
	}
	stream_unsplice(left);
	stream_free(&sw);
	stream_free(&left);
	stream_free(&right);
	stream_free(&sr);
	loop_free(&loop);
}

struct word_end {
	struct splice_end end;
	int words;
};

static void
on_word(void *context)
{
	((struct word_end *)context)->words++;
}

static void
write_in_pieces(struct loop *loop, struct stream *stream, struct span octets, size_t piece)
{
	for (size_t i = 0; i < octets.length; i += piece) {
		stream_write(stream, span_slice(octets, i, piece));
		loop_turn(loop, false);
	}
}

/* However the octets come, all before the word goes on, what only looks like it, too, and all behind it stays. */
static void
splice_ends_by_a_word(void **state)
{
	const struct span word = SPAN("\0\0word\0of\0mine"), rest = SPAN("\0\0wo");
	uint8_t text[400] = { 0 };
	struct buffer all = { 0 };

	(void)state;
	memcpy(text + 200, word.at, word.length - 1);
	memcpy(text + 220, word.at, word.length - 1);
	text[300] = 'x';
	memcpy(text + 301, word.at + 1, word.length - 1);
	buffer_add(&all, text, sizeof text);
	buffer_add_span(&all, word);
	buffer_add_span(&all, rest);
	for (size_t piece = 1; piece < all.length; piece += piece < 40 ? 1 : 37) {
		struct loop *loop = loop_new();
		struct stream *client, *left, *right, *server;
		struct word_end end = { .words = 0 };

		stream_pair(loop, &client, &left);
		stream_pair(loop, &right, &server);
		stream_splice(left, right, on_spliced_end, &end);
		stream_splice_until(right, word, on_word);
		write_in_pieces(loop, server, buffer_span(&all), piece);
		while (end.words == 0 || stream_input_length(client) < sizeof text ||
		    stream_input_length(right) < rest.length)
			loop_turn(loop, true);
		assert_int_equal(end.words, 1);
		assert_int_equal(end.end.count, 0);
		assert_int_equal(stream_input_length(client), sizeof text);
		assert_memory_equal(stream_input_whole(client).at, text, sizeof text);
		assert_true(span_equals(stream_input_whole(right), rest));
		stream_free(&client);
		stream_free(&left);
		stream_free(&right);
		stream_free(&server);
		loop_free(&loop);
	}
	buffer_free(&all);
}

/* What looks like the beginning of the word is no reason to lose it at the end. */
static void
splice_ends_within_a_word(void **state)
{
	struct loop *loop = loop_new();
	struct stream *client, *left, *right, *server;
	struct word_end end = { .words = 0 };

	(void)state;
	stream_pair(loop, &client, &left);
	stream_pair(loop, &right, &server);
	stream_splice(left, right, on_spliced_end, &end);
	stream_splice_until(right, SPAN("word"), on_word);
	stream_write(server, SPAN("my wor"));
	stream_close_after_flush(&server, 60000);
	while (end.end.count == 0)
		loop_turn(loop, true);
	assert_int_equal(end.words, 0);
	assert_true(span_equals(stream_input_whole(client), SPAN("my wor")));
	stream_free(&client);
	stream_free(&left);
	stream_free(&right);
	loop_free(&loop);
}

/* The peer ends its side, is sent much, and goes: who writes is told that there is room, or would wait for ever. */
static void
output_goes_when_the_peer_has_gone(void **state)
{
	struct loop *loop = loop_new();
	int descriptors[2];
	struct end end;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, descriptors), 0);
	end_init(&end, stream_from_socket(loop, descriptors[0]));
	shutdown(descriptors[1], SHUT_WR);
	while (!end.has_ended)
		loop_turn(loop, true);
	assert_int_equal(end.reason, STREAM_EOF);
	send_counted(end.stream, 0, 3000000);
	for (int i = 0; i < 4; i++)
		loop_turn(loop, false);
	assert_int_equal(end.drained, 0);
	close(descriptors[1]);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, false);
	assert_int_equal(end.drained, 1);
	stream_free(&end.stream);
	loop_free(&loop);
}

static void
credentials_of_a_unix_peer(void **state)
{
	struct loop *loop = loop_new();
	struct stream *a, *b;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	(void)state;
	sockets(loop, &a, &b);
	assert_true(stream_peer_credentials(a, &uid, &gid, &pid));
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	assert_string_equal(stream_peer_address(a), "unix");
	stream_free(&a);
	stream_free(&b);
	stream_pair(loop, &a, &b);
	assert_false(stream_peer_credentials(a, &uid, &gid, &pid));
	stream_free(&a);
	stream_free(&b);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_arrive_in_order),
		cmocka_unit_test(paused_input_waits),
		cmocka_unit_test(answer_after_eof),
		cmocka_unit_test(ends_with_the_loop),
		cmocka_unit_test(farewell_to_who_sends),
		cmocka_unit_test(farewell_to_who_does_not_read),
		cmocka_unit_test(few_linger),
		cmocka_unit_test(nothing_said_nothing_waited_for),
		cmocka_unit_test(farewell_through_a_pair),
		cmocka_unit_test(leftovers_are_seen_off),
		cmocka_unit_test(freed_in_its_own_callback),
		cmocka_unit_test(stalled_peer_times_out),
		cmocka_unit_test(splice_holds_little),
		cmocka_unit_test(splice_knows_deflate),
		cmocka_unit_test(splice_ends_by_a_word),
		cmocka_unit_test(splice_ends_within_a_word),
		cmocka_unit_test(output_goes_when_the_peer_has_gone),
		cmocka_unit_test(credentials_of_a_unix_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
