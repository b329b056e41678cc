/*
 * A request, for its handler: what was asked, and the answer.  Loop thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "internal.h"
#include "net/tls.h"

struct http_request *
http_request_new(struct http_connection *connection)
{
	struct http_request *request = NEW(struct http_request);

	request->connection = connection;
	request->arena = arena_new();
	request->head.minor = 1;
	return request;
}

void
http_request_free(struct http_request **request_pointer)
{
	struct http_request *request = *request_pointer;

	*request_pointer = NULL;
	if (request == NULL)
		return;
	arena_free(&request->arena);
	buffer_free(&request->body);
	buffer_free(&request->fields);
	free(request);
}

struct span
http_request_path(const struct http_request *request)
{
	return request->head.path;
}

struct span
http_request_body(const struct http_request *request)
{
	return buffer_span(&request->body);
}

struct span
http_request_field(const struct http_request *request, const char *name)
{
	return head_field(&request->head, name);
}

const char *
http_request_peer(const struct http_request *request)
{
	return request->connection == NULL ? "gone" : stream_peer_address(request->connection->stream);
}

bool
http_request_is_tls(const struct http_request *request)
{
	struct tls_facts facts = { 0 };

	if (request->connection != NULL)
		stream_tls_facts(request->connection->stream, &facts);
	return facts.version != NULL;
}

bool
http_request_is_gone(const struct http_request *request)
{
	return request->connection == NULL || request->connection->is_lost;
}

/* False: %XX that is none, or a control character. */
static bool
decode(struct span text, uint8_t *out, size_t *length_out)
{
	uint32_t number;
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		number = text.at[i] == '+' ? ' ' : text.at[i];
		if (text.at[i] == '%') {
			if (!span_to_hex_number(span_slice(text, i + 1, 2), 2, &number))
				return false;
			i += 2;
		}
		if (number < ' ' || number == 0x7f)
			return false;
		out[length++] = (uint8_t)number;
	}
	*length_out = length;
	return true;
}

static bool
is_named(const struct http_request *request, struct span name, struct span wanted)
{
	bool is_caseless = request->connection != NULL && request->connection->http->settings.is_caseless;

	return is_caseless ? span_equals_nocase(name, wanted) : span_equals(name, wanted);
}

bool
http_request_parameter(struct http_request *request, const char *name, struct span *value_out)
{
	struct span query = request->head.query;

	while (query.length > 0) {
		struct span pair = span_slice(query, 0, span_find(query, '&'));
		size_t equals = span_find(pair, '='), length;

		query = span_from(query, pair.length + 1);
		if (is_named(request, span_slice(pair, 0, equals), span_from_string(name))) {
			uint8_t *value = arena_alloc(request->arena, pair.length + 1);

			if (!decode(span_from(pair, equals + 1), value, &length))
				return false;
			*value_out = span_of(value, length);
			return true;
		}
	}
	return false;
}

struct span
http_request_cookie(const struct http_request *request, const char *name)
{
	struct span rest = head_field(&request->head, "Cookie");

	while (rest.length > 0) {
		struct span pair = span_trim(span_slice(rest, 0, span_find(rest, ';')));
		size_t equals = span_find(pair, '=');

		if (equals < pair.length && span_equals(span_slice(pair, 0, equals), span_from_string(name)))
			return span_from(pair, equals + 1);
		rest = span_from(rest, span_find(rest, ';') + 1);
	}
	return SPAN("");
}

void
http_answer_field(struct http_request *request, const char *name, const char *value)
{
	buffer_printf(&request->fields, "%s: ", name);
	for (; *value != '\0'; value++)
		buffer_add_octet(&request->fields, (uint8_t)*value < ' ' || *value == 0x7f ? ' ' : (uint8_t)*value);
	buffer_add_string(&request->fields, "\r\n");
}

/* Unless a handler has said otherwise: nothing is kept, framed, run or looked into by others. */
static const struct {
	const char *name, *value;
} defaults[] = {
	{ "Cache-Control", "no-store" },
	{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
};

static bool
has_answer_field(const struct http_request *request, const char *name)
{
	struct span rest = buffer_span(&request->fields), wanted = span_from_string(name);

	while (rest.length > 0) {
		if (span_starts_with_nocase(rest, wanted) && rest.length > wanted.length && rest.at[wanted.length] == ':')
			return true;
		rest = span_from(rest, span_find(rest, '\n') + 1);
	}
	return false;
}

/* RFC 9110 section 5.6.7; the names are English in every locale. */
static void
add_date(struct buffer *out)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
		"Dec" };
	time_t now = (time_t)clock_calendar_s();
	struct tm utc;

	gmtime_r(&now, &utc);
	buffer_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday], utc.tm_mday,
	    months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/* RFC 9110 section 8.6: no length where there can be no body. */
static void
add_head(struct http_request *request, unsigned status, const char *type, size_t length, struct buffer *out)
{
	buffer_printf(out, "HTTP/1.1 %u %s\r\n", status, status_words(status));
	add_date(out);
	if (type != NULL)
		buffer_printf(out, "Content-Type: %s\r\n", type);
	if (status != 204 && status != 304)
		buffer_printf(out, "Content-Length: %zu\r\n", length);
	for (size_t i = 0; i < COUNT_OF(defaults); i++) {
		if (!has_answer_field(request, defaults[i].name))
			buffer_printf(out, "%s: %s\r\n", defaults[i].name, defaults[i].value);
	}
	buffer_add_span(out, buffer_span(&request->fields));
	if (request->connection->is_closing)
		buffer_add_string(out, "Connection: close\r\n");
	else if (request->head.minor == 0)
		buffer_add_string(out, "Connection: keep-alive\r\n");
	buffer_add_string(out, "\r\n");
}

void
http_answer(struct http_request *request, unsigned status, const char *type, struct span body)
{
	struct http_connection *connection = request->connection;
	struct buffer out = { 0 };

	if (connection != NULL) {
		if (request->head.closes || connection->http->is_draining || status == 429)
			connection->is_closing = true;
		add_head(request, status, type, type == NULL ? 0 : body.length, &out);
		if (type != NULL && !span_equals(request->head.method, SPAN("HEAD")))
			buffer_add_span(&out, body);
		stream_write_buffer(connection->stream, &out);
		connection->request = NULL;
		request->on_answered(connection);
	}
	http_request_free(&request);
}

void
http_answer_text(struct http_request *request, unsigned status, const char *text)
{
	struct buffer body = { 0 };

	buffer_add_string(&body, text);
	buffer_add_octet(&body, '\n');
	http_answer(request, status, "text/plain; charset=utf-8", buffer_span(&body));
	buffer_free(&body);
}
