/*
 * LMTP sessions on a pair of streams, with a directory and a store that are tables here: the same commands
 * whole, cut at every octet, and pipelined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/lmtp/session.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "lmtp/lmtp.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "loop/spool.h"
#include "net/stream.h"

#define MESSAGE_MAX 100

struct fixture {
	struct loop *loop;
	struct workers *workers;
	struct stream *client;
	struct lmtp_session *session;
	struct lmtp_settings settings;
	struct buffer stored;		/* "user:message;" for each delivery */
	struct buffer told;		/* "sender>address by client;" for each, with "utf8 " before it */
	struct lmtp_lookup *held[32];	/* with is_slow: not yet answered */
	size_t held_count;
	bool is_slow, is_closed;
};

static void
answer(struct lmtp_lookup *lookup)
{
	struct lmtp_recipient recipient = { 0 };

	for (size_t i = 0; i < lookup->name_count; i++) {
		if (span_equals(lookup->names[i], SPAN("broken"))) {
			lmtp_lookup_done(lookup, LMTP_TRY_AGAIN, NULL);
			return;
		}
		if (span_equals(lookup->names[i], SPAN("small")) && lookup->size_octets > 50) {
			lmtp_lookup_done(lookup, LMTP_OVER_QUOTA, NULL);
			return;
		}
		if (lookup->names[i].length == 1 || span_equals(lookup->names[i], SPAN("small"))) {
			recipient.user[0] = (char)lookup->names[i].at[0];
			lmtp_lookup_done(lookup, LMTP_OK, &recipient);
			return;
		}
	}
	lmtp_lookup_done(lookup, LMTP_NO_USER, NULL);
}

static void
lookup(void *context, struct lmtp_lookup *asked)
{
	struct fixture *fixture = context;

	if (fixture->is_slow)
		fixture->held[fixture->held_count++] = asked;
	else
		answer(asked);
}

/* Reads the message on a worker, as whoever stores it does. */
struct reading {
	struct job job;
	struct fixture *fixture;
	struct lmtp_delivery *delivery;
	struct span message;
};

static void
read_message(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);

	assert_true(spool_contents(reading->delivery->message, &reading->message));
}

/* "q" is over quota; answers come in the wrong order. */
static void
on_read(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);
	struct lmtp_delivery *delivery = reading->delivery;
	struct buffer *stored = &reading->fixture->stored, *told = &reading->fixture->told;

	assert_int_equal(reading->message.length, delivery->size_octets);
	for (size_t i = 0; i < delivery->recipient_count; i++) {
		buffer_add_string(stored, delivery->recipients[i].user);
		buffer_add_octet(stored, ':');
		buffer_add_span(stored, reading->message);
		buffer_add_octet(stored, ';');
		buffer_add_string(told, delivery->trace.is_utf8 ? "utf8 " : "");
		buffer_add_span(told, delivery->trace.sender);
		buffer_add_octet(told, '>');
		buffer_add_span(told, delivery->addresses[i]);
		buffer_add_string(told, " by ");
		buffer_add_span(told, delivery->trace.client_name);
		buffer_add_octet(told, ';');
	}
	for (size_t i = delivery->recipient_count; i-- > 0;)
		lmtp_delivery_done(delivery, i,
		    delivery->recipients[i].user[0] == 'q' ? LMTP_OVER_QUOTA : LMTP_OK, 7);
	free(reading);
}

static void
deliver(void *context, struct lmtp_delivery *delivery)
{
	struct reading *reading = NEW(struct reading);

	reading->fixture = context;
	reading->delivery = delivery;
	reading->job.work = read_message;
	reading->job.done = on_read;
	workers_submit(reading->fixture->workers, &reading->job);
}

static void
on_closed(void *context, struct lmtp_session *session)
{
	struct fixture *fixture = context;

	assert_ptr_equal(session, fixture->session);
	fixture->is_closed = true;
}

static void
on_disk_failed(void *context, const char *user, const struct spool *spool)
{
	(void)context, (void)user, (void)spool;
	fail();
}

static const struct lmtp_ops ops = { lookup, deliver, on_disk_failed, on_closed };

static void
setup(struct fixture *fixture)
{
	struct stream *server;

	*fixture = (struct fixture){ .loop = loop_new() };
	fixture->workers = workers_new(fixture->loop, "test", 0);
	fixture->settings = (struct lmtp_settings){ .loop = fixture->loop, .storage = fixture->workers,
		.hostname = "mx", .spool_directory = "/tmp", .message_octets_max = MESSAGE_MAX,
		.idle_timeout_ms = 300000, .ops = &ops, .context = fixture };
	stream_pair(fixture->loop, &server, &fixture->client);
	fixture->session = lmtp_session_new(&fixture->settings, server, "s1");
}

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < 8; i++)
		loop_turn(fixture->loop, false);
}

static void
teardown(struct fixture *fixture)
{
	stream_free(&fixture->client);
	turn(fixture);
	assert_true(fixture->is_closed);
	workers_free(&fixture->workers);
	turn(fixture);
	loop_free(&fixture->loop);
	buffer_free(&fixture->stored);
	buffer_free(&fixture->told);
}

/* The codes of all lines that came, such as "220 250-250 ". */
static void
read_codes(struct fixture *fixture, struct buffer *codes)
{
	struct span input = stream_input_whole(fixture->client);

	while (input.length > 0) {
		struct span line = span_slice(input, 0, span_find(input, '\n') + 1);

		buffer_add_span(codes, span_slice(line, 0, 4));
		input = span_from(input, line.length);
	}
	stream_discard_input(fixture->client);
}

#define HELLO "LHLO x\r\n"
#define HELLO_CODES "220 250-250-250-250-250-250-250 "

static const struct {
	const char *input, *codes, *stored;
} cases[] = {
	{ HELLO "MAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\nDATA\r\nS: 1\r\n\r\n..b\r\n.\r\nQUIT\r\n",
	    HELLO_CODES "250 250 354 250 221 ", "a:S: 1\r\n\r\n.b\r\n;" },
	/* One unknown, one over quota: a reply for each accepted recipient, in their order. */
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<nobody@x>\r\nRCPT TO:<q>\r\nRCPT TO:<b+d@x>\r\nDATA\r\nm\r\n.\r\n",
	    HELLO_CODES "250 550 250 250 354 452 250 ", "q:m\r\n;b:m\r\n;" },
	/* RFC 2033 section 4.2: no recipient, no DATA */
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<nobody@x>\r\nDATA\r\nRSET\r\n",
	    HELLO_CODES "250 550 503 250 ", "" },
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<broken>\r\n", HELLO_CODES "250 451 ", "" },
	/* RFC 1870 section 6.1: the size is that of this MAIL, not of one before */
	{ HELLO "MAIL FROM:<> SIZE=51\r\nRCPT TO:<small>\r\nRCPT TO:<a>\r\nDATA\r\nm\r\n.\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<small>\r\nRSET\r\nMAIL FROM:<> SIZE=51 X=1\r\nMAIL FROM:<> SIZE=50\r\nRCPT TO:<small>\r\n",
	    HELLO_CODES "250 452 250 354 250 250 250 250 555 250 250 ", "a:m\r\n;" },
	/* RFC 3030: chunks, also empty ones; their octets are not looked at */
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nBDAT 4\r\n.\r\n.BDAT 0\r\nBDAT 3 LAST\r\nxyzNOOP\r\n",
	    HELLO_CODES "250 250 250 250 250 250 ", "a:.\r\n.xyz;" },
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nBDAT 1\r\nmBDAT 0 LAST\r\n",
	    HELLO_CODES "250 250 250 250 250 250 ", "a:m;b:m;" },
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nBDAT 1\r\nmDATA\r\nRSET\r\n",
	    HELLO_CODES "250 250 250 503 250 ", "" },
	/* RFC 2033 section 4.3: no recipient, no reply to the last chunk */
	{ HELLO "MAIL FROM:<>\r\nBDAT 2\r\nabBDAT 2 LAST\r\ncdNOOP\r\n", HELLO_CODES "250 503 250 ", "" },
	{ HELLO "BDAT 5 LAST\r\nQUIT\nNOOP\r\n", HELLO_CODES "503 250 ", "" },
	{ HELLO "BDAT x\r\nNOOP\r\n", HELLO_CODES "501 ", "" },
	/* The order of commands */
	{ "MAIL FROM:<>\r\nEHLO x\r\nHELO x\r\nNOOP\r\nHELP\r\nLHLO\r\n", "220 503 500 500 250 214 501 ", "" },
	{ HELLO "RCPT TO:<a>\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nLHLO y\r\nDATA\r\n",
	    HELLO_CODES "503 250 503 250-250-250-250-250-250-250 503 ", "" },
	/* Parameters */
	{ HELLO "MAIL FROM:<> SIZE=101\r\nMAIL FROM:<> BODY=BINARYMIME\r\nMAIL FROM:<> X=1\r\n"
	    "MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<a> NOTIFY=NEVER\r\nVRFY a\r\n",
	    HELLO_CODES "552 501 555 250 555 252 ", "" },
	/* Too big: thrown away as it comes, and the session goes on */
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"
	    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
	    ".\r\nNOOP\r\n", HELLO_CODES "250 250 250 354 552 552 250 ", "" },
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nBDAT 101\r\n"
	    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	    "BDAT 1\r\nxBDAT 1 LAST\r\nyNOOP\r\n", HELLO_CODES "250 250 552 552 552 250 ", "" },
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\n.\r\n", HELLO_CODES "250 250 354 250 ", "a:;" },
	/* Smuggling: nothing but CR LF . CR LF ends a message */
	{ HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\na\n.\nMAIL FROM:<>\r\n\n.\r\nb\r.\r\n.\r\n",
	    HELLO_CODES "250 250 354 250 ", "a:a\n.\nMAIL FROM:<>\r\n\n.\r\nb\r.\r\n;" },
};

static void
check(struct fixture *fixture, size_t i)
{
	struct buffer codes = { 0 };

	turn(fixture);
	read_codes(fixture, &codes);
	assert_string_equal(buffer_string(&codes), cases[i].codes);
	assert_string_equal(buffer_string(&fixture->stored), cases[i].stored);
	buffer_free(&codes);
	teardown(fixture);
}

static void
test_pipelined(void **state)
{
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		setup(&fixture);
		stream_write(fixture.client, span_from_string(cases[i].input));
		check(&fixture, i);
	}
}

static void
test_octet_by_octet(void **state)
{
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		setup(&fixture);
		for (const char *at = cases[i].input; *at != '\0'; at++) {
			stream_write(fixture.client, span_of(at, 1));
			turn(&fixture);
		}
		check(&fixture, i);
	}
}

/* Addresses as they were written, whatever case, detail, quotes and route they have; each transaction its own. */
static void
test_envelope(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	stream_write(fixture.client, SPAN("LHLO mx.example\r\n"
	    "MAIL FROM:<@r1,@r2:Bounces+17@Example.ORG> SMTPUTF8\r\n"
	    "RCPT TO:<nobody@x>\r\nRCPT TO:<a+Shop@x>\r\nRCPT TO:<\"b\"@[IPv6:::1]>\r\nDATA\r\n.\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<\xc3\xa4@x>\r\nRCPT TO:<c>\r\nBDAT 1 LAST\r\nm"
	    "MAIL FROM:<\xff@x>\r\nLHLO a b\r\nMAIL FROM:<\xc3\xa4@x>\r\nRCPT TO:<a>\r\nBDAT 0 LAST\r\n"));
	turn(&fixture);
	assert_string_equal(buffer_string(&fixture.told),
	    "utf8 Bounces+17@Example.ORG>a+Shop@x by mx.example;"
	    "utf8 Bounces+17@Example.ORG>\"b\"@[IPv6:::1] by mx.example;"
	    ">c by mx.example;"
	    "\xc3\xa4@x>a by a b;");
	teardown(&fixture);
}

/* A line without end costs no more than its limit, and what follows is understood. */
static void
test_long_line(void **state)
{
	struct fixture fixture;
	struct buffer codes = { 0 };
	char many[1000];

	(void)state;
	memset(many, 'x', sizeof many);
	setup(&fixture);
	for (int i = 0; i < 20; i++) {
		stream_write(fixture.client, span_of(many, sizeof many));
		turn(&fixture);
	}
	stream_write(fixture.client, SPAN("\r\nNOOP\r\n"));
	turn(&fixture);
	read_codes(&fixture, &codes);
	assert_string_equal(buffer_string(&codes), "220 500 250 ");
	buffer_free(&codes);
	teardown(&fixture);
}

static void
test_too_many_errors(void **state)
{
	struct fixture fixture;
	struct buffer codes = { 0 };

	(void)state;
	setup(&fixture);
	for (int i = 0; i < 30; i++)
		stream_write(fixture.client, SPAN("GET / HTTP/1.1\r\n"));
	turn(&fixture);
	assert_true(fixture.is_closed);
	read_codes(&fixture, &codes);
	assert_int_equal(codes.length, 4 * (1 + 20 + 1));
	assert_true(span_equals(span_from(buffer_span(&codes), codes.length - 4), SPAN("421 ")));
	buffer_free(&codes);
	teardown(&fixture);
}

/* The client goes, or the operator ends the session, while a lookup is under way. */
static void
test_end_while_waiting(void **state)
{
	struct fixture fixture;

	(void)state;
	for (int by_operator = 0; by_operator < 2; by_operator++) {
		setup(&fixture);
		fixture.is_slow = true;
		stream_write(fixture.client, SPAN(HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nNOOP\r\n"));
		turn(&fixture);
		assert_int_equal(fixture.held_count, 1);
		if (by_operator)
			lmtp_session_close(fixture.session);
		else
			stream_free(&fixture.client);
		turn(&fixture);
		assert_false(fixture.is_closed);
		answer(fixture.held[0]);
		turn(&fixture);
		teardown(&fixture);
	}
}

static void
assert_codes(struct fixture *fixture, const char *expected)
{
	struct buffer codes = { 0 };

	turn(fixture);
	read_codes(fixture, &codes);
	assert_string_equal(buffer_string(&codes), expected);
	buffer_free(&codes);
}

/* RCPTs that were sent together are looked up together and answered in their order; what is behind them waits. */
static void
test_side_by_side(void **state)
{
	struct fixture fixture;

	(void)state;
	setup(&fixture);
	fixture.is_slow = true;
	stream_write(fixture.client, SPAN(HELLO "MAIL FROM:<>\r\nRCPT TO:<a>\r\nrcpt to:<nobody>\r\nRCPT TO:<c>\r\n"
	    "RCPT TO:<d> X=1\r\nRCPT TO:<e>\r\nRCPT TO:<f"));
	assert_codes(&fixture, HELLO_CODES "250 ");
	assert_int_equal(fixture.held_count, 3);
	answer(fixture.held[2]);
	assert_codes(&fixture, "");
	answer(fixture.held[0]);
	assert_codes(&fixture, "250 ");
	answer(fixture.held[1]);
	assert_codes(&fixture, "550 250 555 ");
	assert_int_equal(fixture.held_count, 4);
	stream_write(fixture.client, SPAN("@x>\r\nDATA\r\nm\r\n.\r\n"));
	assert_codes(&fixture, "");
	assert_int_equal(fixture.held_count, 5);
	answer(fixture.held[4]);
	answer(fixture.held[3]);
	assert_codes(&fixture, "250 250 354 250 250 250 250 ");
	assert_true(span_equals(buffer_span(&fixture.stored), SPAN("a:m\r\n;c:m\r\n;e:m\r\n;f:m\r\n;")));
	teardown(&fixture);
}

/* Not more than a few, and none any more when the client has gone or the session is to end. */
static void
test_side_by_side_bounds(void **state)
{
	struct fixture fixture;

	(void)state;
	for (int by_operator = 0; by_operator < 2; by_operator++) {
		setup(&fixture);
		fixture.is_slow = true;
		stream_write(fixture.client, SPAN(HELLO "MAIL FROM:<>\r\n"));
		for (int i = 0; i < 30; i++)
			stream_write(fixture.client, SPAN("RCPT TO:<a>\r\n"));
		turn(&fixture);
		assert_int_equal(fixture.held_count, LMTP_ASKED_MAX);
		answer(fixture.held[0]);
		turn(&fixture);
		assert_int_equal(fixture.held_count, LMTP_ASKED_MAX + 1);
		if (by_operator)
			lmtp_session_close(fixture.session);
		else
			stream_free(&fixture.client);
		for (size_t i = 1; i < fixture.held_count; i++) {
			assert_false(fixture.is_closed);
			answer(fixture.held[i]);
		}
		if (by_operator)
			assert_int_equal(fixture.held_count, LMTP_ASKED_MAX + 1);
		teardown(&fixture);
	}
}

/* Answer the oldest lookup that is held. */
static void
answer_first(struct fixture *fixture)
{
	struct lmtp_lookup *first = fixture->held[0];

	memmove(fixture->held, fixture->held + 1, --fixture->held_count * sizeof fixture->held[0]);
	answer(first);
	turn(fixture);
}

/* Who reads no replies is asked about no more recipients, also while some are looked up at any time; and then goes on. */
static void
test_side_by_side_unread(void **state)
{
	enum { RECIPIENTS = 20000 };
	struct buffer codes = { 0 };
	struct fixture fixture;
	size_t unread;

	(void)state;
	setup(&fixture);
	fixture.is_slow = true;
	stream_write(fixture.client, SPAN(HELLO "MAIL FROM:<>\r\n"));
	for (int i = 0; i < RECIPIENTS; i++)
		stream_write(fixture.client, SPAN("RCPT TO:<nobody>\r\n"));
	turn(&fixture);
	while (fixture.held_count > 0)
		answer_first(&fixture);
	unread = stream_output_length(fixture.session->stream);
	assert_in_range(unread, LMTP_OUTPUT_MAX, LMTP_OUTPUT_MAX + LMTP_ASKED_MAX * 100);
	while (codes.length < strlen(HELLO_CODES "250 ") + RECIPIENTS * strlen("550 ")) {
		read_codes(&fixture, &codes);
		turn(&fixture);
		while (fixture.held_count > 0)
			answer_first(&fixture);
	}
	buffer_free(&codes);
	teardown(&fixture);
}

static int
quiet(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_end_while_waiting),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_side_by_side_bounds),
		cmocka_unit_test(test_side_by_side_unread),
	};

	return cmocka_run_group_tests(tests, quiet, NULL);
}
