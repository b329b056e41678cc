/*
 * Requests and answers, hostile ones above all: every fault has its status, and closes the connection where the next
 * request could begin elsewhere for another reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/http.h"
#include "loop/loop.h"
#include "net/connect.h"
#include "net/stream.h"

static struct loop *loop;
static struct http *http;
static struct http_request *kept;
static bool is_drained;

struct client {
	struct stream *stream;
	struct buffer got;
	bool is_at_end;
};

static void
on_hello(struct http_request *request, void *context)
{
	http_answer(request, 200, "text/plain", span_from_string(context));
}

/* Say what the request holds. */
static void
on_echo(struct http_request *request, void *context)
{
	struct span text = SPAN("none"), cookie = http_request_cookie(request, "session");
	struct span body = http_request_body(request);
	char line[256];

	(void)context;
	http_request_parameter(request, "text", &text);
	snprintf(line, sizeof line, "text=%.*s cookie=%.*s agent=%.*s body=%.*s", SPAN_ARGS(text), SPAN_ARGS(cookie),
	    SPAN_ARGS(http_request_field(request, "user-agent")), SPAN_ARGS(body));
	http_answer_field(request, "X-Line", "a\r\nb");
	http_answer(request, 200, "text/plain", span_from_string(line));
}

static void
on_path(struct http_request *request, void *context)
{
	(void)context;
	http_answer(request, 200, "text/plain", http_request_path(request));
}

static void
on_later(struct http_request *request, void *context)
{
	(void)context;
	kept = request;
}

static void
on_drained(void *context)
{
	(void)context;
	is_drained = true;
}

static void
begin_with(const struct http_settings *settings)
{
	loop = loop_new();
	http = http_new(loop, settings);
	http_register(http, "GET", "/hello", on_hello, (void *)"hello");
	http_register(http, "GET", "/echo", on_echo, NULL);
	http_register(http, "POST", "/echo", on_echo, NULL);
	http_register(http, "POST", "/later", on_later, NULL);
	http_register(http, "GET", "/below/*", on_path, NULL);
	is_drained = false;
}

static int
begin(void **state)
{
	(void)state;
	clock_fake(1000000, 1795920000000000);	/* Sun, 29 Nov 2026 02:40:00 GMT */
	begin_with(&(struct http_settings){ .is_local = true, .connections_max = 3, .body_max = 8 });
	return 0;
}

static int
end(void **state)
{
	(void)state;
	http_free(&http);
	loop_turn(loop, false);
	loop_free(&loop);
	clock_fake(0, 0);
	return 0;
}

static void
turn(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(loop, false);
}

static void
on_input(struct stream *stream, void *context)
{
	struct client *client = context;
	struct span input;

	while ((input = stream_input(stream)).length > 0) {
		buffer_add_span(&client->got, input);
		stream_consume(stream, input.length);
	}
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	((struct client *)context)->is_at_end = true;
}

static const struct stream_events events = { on_input, NULL, on_end };

static struct client *
client_new(void)
{
	struct client *client = NEW(struct client);
	struct stream *other;

	stream_pair(loop, &client->stream, &other);
	stream_set_events(client->stream, &events, client);
	http_serve(http, other);
	return client;
}

static void
client_free(struct client **client)
{
	stream_free(&(*client)->stream);
	buffer_free(&(*client)->got);
	free(*client);
	*client = NULL;
	turn();
}

static const char *
ask(struct client *client, const char *request)
{
	buffer_clear(&client->got);
	stream_write(client->stream, span_from_string(request));
	turn();
	return buffer_string(&client->got);
}

static void
assert_holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#define HOST "Host: localhost:8080\r\n"

static const struct {
	const char *request;
	const char *status;
	bool closes;
} cases[] = {
	{ "GET /hello HTTP/1.1\r\n" HOST "\r\n", "200 OK", false },
	{ "\r\n\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n", "200 OK", false },
	{ "GET /hello?x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", "200 OK", false },
	{ "GET /hello HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", "200 OK", false },
	{ "GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 OK", false },
	{ "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "200 OK", true },
	{ "GET /hello HTTP/1.0\r\n" HOST "\r\n", "200 OK", true },
	{ "GET /hello HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", "200 OK", false },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "200 OK", false },
	{ "GET /none HTTP/1.1\r\n" HOST "\r\n", "404 Not Found", false },
	{ "GET /hello/ HTTP/1.1\r\n" HOST "\r\n", "404 Not Found", false },
	{ "GET /../hello HTTP/1.1\r\n" HOST "\r\n", "404 Not Found", false },
	{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "404 Not Found", false },
	{ "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "405 Method Not Allowed", false },
	{ "get /hello HTTP/1.1\r\n" HOST "\r\n", "501 Not Implemented", false },
	{ "TRACE /hello HTTP/1.1\r\n" HOST "\r\n", "501 Not Implemented", false },
	{ "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	/* Names that a name server may have pointed here. */
	{ "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 Misdirected Request", false },
	{ "GET /hello HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "421 Misdirected Request", false },
	{ "GET /hello HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", "421 Misdirected Request", false },
	{ "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:x\r\n\r\n", "421 Misdirected Request", false },
	{ "GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "421 Misdirected Request", false },
	{ "GET /hello HTTP/1.0\r\n\r\n", "421 Misdirected Request", true },
	/* What is no request line. */
	{ "GET /hello\r\n\r\n", "400 Bad Request", true },
	{ "GET  /hello HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1 \r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET /hel\tlo HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET hello HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET /hello#part HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "G(T /hello HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/11\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "GET /hello http/1.1\r\n" HOST "\r\n", "400 Bad Request", true },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported", true },
	{ "\x16\x03\x01\x02", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\nHost: localhost\n\n", "400 Bad Request", true },
	/* Fields that two readers could read in two ways. */
	{ "GET /hello HTTP/1.1\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n" HOST HOST "\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\nHost: a@localhost\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\nHost : localhost\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n Host: localhost\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n" HOST "A\r\n\r\n", "400 Bad Request", true },
	{ "GET /hello HTTP/1.1\r\n" HOST ": b\r\n\r\n", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400 Bad Request",
	    true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411 Length Required", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
	    "400 Bad Request", true },
	{ "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "400 Bad Request", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n", "413 Content Too Large", true },
	{ "POST /echo HTTP/1.1\r\n" HOST "Expect: wonders\r\n\r\n", "417 Expectation Failed", true },
};

static void
check_case(size_t index, const char *got, bool is_at_end)
{
	char status[80];

	snprintf(status, sizeof status, "HTTP/1.1 %s\r\n", cases[index].status);
	if (strncmp(got, status, strlen(status)) != 0)
		fail_msg("case %zu, %s: %s", index, cases[index].request, got);
	if (is_at_end != cases[index].closes)
		fail_msg("case %zu, %s: closes otherwise", index, cases[index].request);
	assert_holds(got, "Date: Sun, 29 Nov 2026 02:40:00 GMT\r\n");
	assert_holds(got, "X-Content-Type-Options: nosniff\r\n");
	assert_holds(got, "Content-Security-Policy: default-src 'none'");
	assert_int_equal(strstr(got, "Connection: close\r\n") != NULL, cases[index].closes);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct client *client = client_new();

		ask(client, cases[i].request);
		check_case(i, buffer_string(&client->got), client->is_at_end);
		client_free(&client);
	}
}

/* The same octets one by one. */
static void
test_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct client *client = client_new();

		for (const char *at = cases[i].request; *at != '\0'; at++) {
			stream_write(client->stream, span_of(at, 1));
			turn();
		}
		check_case(i, buffer_string(&client->got), client->is_at_end);
		client_free(&client);
	}
}

static void
test_echo(void **state)
{
	struct client *client = client_new();
	const char *got;

	(void)state;
	got = ask(client, "POST /echo?a=b&text=%41+%c3%a9&text=2 HTTP/1.1\r\n" HOST
	    "Cookie: other=1; session=s3cret; x\r\nUser-Agent: test\r\nContent-Length: 2\r\n\r\nhi");
	assert_holds(got, "\r\n\r\ntext=A \xc3\xa9 cookie=s3cret agent=test body=hi");
	assert_holds(got, "X-Line: a  b\r\n");
	assert_holds(ask(client, "GET /echo?text=%zz HTTP/1.1\r\n" HOST "\r\n"), "text=none cookie= agent= body=");
	assert_holds(ask(client, "GET /echo?text=%0d HTTP/1.1\r\n" HOST "\r\n"), "text=none");
	assert_holds(ask(client, "GET /echo?text=% HTTP/1.1\r\n" HOST "\r\n"), "text=none");
	assert_holds(ask(client, "GET /echo?text HTTP/1.1\r\n" HOST "\r\n"), "text= cookie");
	client_free(&client);
}

/* One more segment, whatever it is, and nothing else. */
static void
test_star(void **state)
{
	struct client *client = client_new();

	(void)state;
	assert_holds(ask(client, "GET /below/me@example.org?x HTTP/1.1\r\n" HOST "\r\n"), "\r\n\r\n/below/me@example.org");
	assert_holds(ask(client, "GET /below/.. HTTP/1.1\r\n" HOST "\r\n"), "\r\n\r\n/below/..");
	assert_holds(ask(client, "GET /below/* HTTP/1.1\r\n" HOST "\r\n"), "200 OK");
	assert_holds(ask(client, "POST /below/a HTTP/1.1\r\n" HOST "\r\n"), "405 Method Not Allowed");
	assert_holds(ask(client, "GET /below/ HTTP/1.1\r\n" HOST "\r\n"), "404 Not Found");
	assert_holds(ask(client, "GET /below HTTP/1.1\r\n" HOST "\r\n"), "404 Not Found");
	assert_holds(ask(client, "GET /below/a/b HTTP/1.1\r\n" HOST "\r\n"), "404 Not Found");
	assert_holds(ask(client, "GET /Below/a HTTP/1.1\r\n" HOST "\r\n"), "404 Not Found");
	client_free(&client);
}

static int
begin_caseless(void **state)
{
	(void)state;
	clock_fake(1000000, 1795920000000000);
	begin_with(&(struct http_settings){ .is_caseless = true });
	return 0;
}

static void
test_caseless(void **state)
{
	struct client *client = client_new();

	(void)state;
	assert_holds(ask(client, "GET /ECHO?TEXT=aB HTTP/1.1\r\n" HOST "\r\n"), "text=aB");
	assert_holds(ask(client, "GET /BELOW/aB HTTP/1.1\r\n" HOST "\r\n"), "\r\n\r\n/BELOW/aB");
	assert_holds(ask(client, "get /echo HTTP/1.1\r\n" HOST "\r\n"), "501 Not Implemented");
	client_free(&client);
}

static bool
may_ask(struct http_request *request, void *context)
{
	assert_false(http_request_is_tls(request));
	return (*(unsigned *)context)++ < 2;
}

/* Who asks too often is not listened to any more, wherever it asks. */
static void
test_gate(void **state)
{
	struct client *client = client_new();
	unsigned asked = 0;
	const char *got;

	(void)state;
	http_set_gate(http, may_ask, &asked);
	got = ask(client, "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\n"
	    "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_holds(got, "hello");
	got = strstr(got, "429 Too Many Requests");
	assert_non_null(got);
	assert_holds(got, "Retry-After: ");
	assert_null(strstr(got + 1, "HTTP/1.1 "));
	assert_int_equal(asked, 3);
	assert_true(client->is_at_end);
	client_free(&client);
}

static void
test_head(void **state)
{
	struct client *client = client_new();
	const char *got = ask(client, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");

	(void)state;
	assert_holds(got, "Content-Length: 5\r\n");
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
	assert_holds(ask(client, "POST /hello HTTP/1.1\r\n" HOST "\r\n"), "Allow: GET, HEAD\r\n");
	client_free(&client);
}

/* Answers come in the order of the requests, and none is lost behind one that waits. */
static void
test_pipelined(void **state)
{
	struct client *client = client_new();
	const char *got, *second;

	(void)state;
	got = ask(client, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
	    "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /none HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(got, "");
	http_answer_text(kept, 503, "later");
	turn();
	got = buffer_string(&client->got);
	assert_holds(got, "HTTP/1.1 503 ");
	second = strstr(got, "\r\n\r\nlater\n");
	assert_non_null(second);
	assert_holds(second, "hello");
	assert_holds(second, "404 Not Found");
	client_free(&client);
}

/* Octets that no request may take: told off before there is an end to them. */
static void
check_too_long(const char *begin, const char *again, const char *status)
{
	struct client *client = client_new();

	stream_write(client->stream, span_from_string(begin));
	for (int i = 0; i < 40000 && !client->is_at_end; i++) {
		stream_write(client->stream, span_from_string(again));
		if (i % 50 == 0)
			turn();
	}
	assert_true(client->is_at_end);
	assert_holds(buffer_string(&client->got), status);
	client_free(&client);
}

static void
test_too_long(void **state)
{
	(void)state;
	check_too_long("GET /", "aaaaaaaa", "414 URI Too Long");
	check_too_long("GET / HTTP/1.1\r\nA: ", "aaaaaaaa", "431 Request Header");
	check_too_long("GET / HTTP/1.1\r\n", "A: b\r\n", "431 Request Header");
	check_too_long("", "\r\n", "414 URI Too Long");
}

static void
test_expect(void **state)
{
	struct client *client = client_new();
	const char *got = ask(client, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");

	(void)state;
	assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_holds(ask(client, "hi"), "body=hi");
	client_free(&client);
}

static void
pass(uint64_t ms)
{
	static uint64_t now_us = 1000000;

	now_us += ms * 1000;
	clock_fake(now_us, 1795920000000000);
	turn();
}

/* A client that sends an octet now and then does not stay for it. */
static void
test_slow(void **state)
{
	struct client *head = client_new(), *body = client_new(), *idle = client_new();

	(void)state;
	ask(head, "GET /hello HTTP/1.1\r\n");
	ask(body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 8\r\n\r\n");
	for (int i = 0; i < 9; i++) {
		pass(1000);
		assert_string_equal(ask(head, "A: b\r\n"), "");
	}
	pass(2000);
	assert_holds(buffer_string(&head->got), "408 Request Timeout");
	assert_true(head->is_at_end);
	pass(20000);
	assert_holds(buffer_string(&body->got), "408 Request Timeout");
	assert_false(idle->is_at_end);
	pass(40000);
	assert_true(idle->is_at_end);
	assert_int_equal(idle->got.length, 0);
	client_free(&head);
	client_free(&body);
	client_free(&idle);
}

/* More than three: who has asked for nothing goes; who waits for an answer stays. */
static void
test_crowd(void **state)
{
	struct client *waits = client_new(), *others[4];

	(void)state;
	ask(waits, "POST /later HTTP/1.1\r\n" HOST "\r\n");
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		others[i] = client_new();
		ask(others[i], "GET /hel");
	}
	assert_true(others[0]->is_at_end);
	assert_true(others[1]->is_at_end);
	assert_holds(ask(others[3], "lo HTTP/1.1\r\n" HOST "\r\n"), "200 OK");
	http_answer_text(kept, 200, "you have waited");
	turn();
	assert_holds(buffer_string(&waits->got), "you have waited");
	client_free(&waits);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		client_free(&others[i]);
}

static void
test_all_wait(void **state)
{
	struct client *waiting[3], *late;
	struct http_request *requests[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		waiting[i] = client_new();
		ask(waiting[i], "POST /later HTTP/1.1\r\n" HOST "\r\n");
		requests[i] = kept;
	}
	late = client_new();
	turn();
	assert_holds(buffer_string(&late->got), "503 Service Unavailable");
	assert_true(late->is_at_end);
	client_free(&late);
	for (size_t i = 0; i < 3; i++) {
		client_free(&waiting[i]);	/* a client that goes meanwhile */
		http_answer_text(requests[i], 200, "nobody reads this");
	}
	turn();
}

static void
test_drain(void **state)
{
	struct client *idle = client_new(), *waits = client_new(), *late;

	(void)state;
	ask(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	ask(waits, "POST /later HTTP/1.1\r\n" HOST "\r\n");
	http_drain(http, on_drained, NULL);
	turn();
	assert_true(idle->is_at_end);
	assert_false(waits->is_at_end);
	late = client_new();
	turn();
	assert_holds(buffer_string(&late->got), "503 ");
	http_answer_text(kept, 200, "the last");
	turn();
	assert_holds(buffer_string(&waits->got), "the last");
	assert_holds(buffer_string(&waits->got), "Connection: close");
	assert_true(waits->is_at_end);
	assert_true(is_drained);	/* and does not wait for clients to close */
	client_free(&idle);
	client_free(&waits);
	client_free(&late);
}

/* The server goes before the answer does. */
static void
test_free_before_answer(void **state)
{
	struct client *client = client_new();

	(void)state;
	ask(client, "POST /later HTTP/1.1\r\n" HOST "\r\n");
	http_free(&http);
	turn();
	assert_true(http_request_is_gone(kept));
	assert_string_equal(http_request_peer(kept), "gone");
	http_answer_text(kept, 200, "nobody reads this");
	client_free(&client);
}

static void
on_connected(struct stream *stream, const char *error, void *context)
{
	struct client *client = context;

	assert_null(error);
	client->stream = stream;
	stream_set_events(stream, &events, client);
}

/* By a socket in the file system, and by TCP. */
static void
test_listeners(void **state)
{
	char path[] = "/tmp/http_server.XXXXXX", unix_path[64], *error = NULL;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(unix_path, sizeof unix_path, "%s/socket", path);
	assert_true(http_listen(http, unix_path, 0600, &error));
	assert_true(http_listen(http, "127.0.0.1:0", 0, &error));
	assert_false(http_listen(http, "nowhere", 0, &error));
	free(error);
	assert_null(http_listener(http, 2));
	for (size_t i = 0; i < 2; i++) {
		struct client *client = NEW(struct client);

		net_connect(loop, NULL, http_listener(http, i), 1000, on_connected, client);
		for (int n = 0; n < 100000 && client->stream == NULL; n++)
			loop_turn(loop, false);
		stream_write(client->stream, SPAN("GET /hello HTTP/1.1\r\n" HOST "\r\n"));
		for (int n = 0; n < 100000 && client->got.length == 0; n++)
			loop_turn(loop, false);
		assert_holds(buffer_string(&client->got), "hello");
		client_free(&client);
	}
	http_free(&http);
	assert_int_not_equal(access(unix_path, F_OK), 0);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cases, begin, end),
		cmocka_unit_test_setup_teardown(test_in_pieces, begin, end),
		cmocka_unit_test_setup_teardown(test_echo, begin, end),
		cmocka_unit_test_setup_teardown(test_star, begin, end),
		cmocka_unit_test_setup_teardown(test_caseless, begin_caseless, end),
		cmocka_unit_test_setup_teardown(test_gate, begin, end),
		cmocka_unit_test_setup_teardown(test_head, begin, end),
		cmocka_unit_test_setup_teardown(test_pipelined, begin, end),
		cmocka_unit_test_setup_teardown(test_too_long, begin, end),
		cmocka_unit_test_setup_teardown(test_expect, begin, end),
		cmocka_unit_test_setup_teardown(test_slow, begin, end),
		cmocka_unit_test_setup_teardown(test_crowd, begin, end),
		cmocka_unit_test_setup_teardown(test_all_wait, begin, end),
		cmocka_unit_test_setup_teardown(test_drain, begin, end),
		cmocka_unit_test_setup_teardown(test_free_before_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_listeners, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
