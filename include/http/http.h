/*
 * A small HTTP/1.1 server: operators' pages, metrics, files that clients ask for when they are set up.  A table of
 * handlers by method and path; bounds on everything that a peer chooses; what is malformed or could be read in two ways
 * is told off with a 4xx, and the connection is closed.  src/http/README says what it does and leaves out.  RFC 9110,
 * RFC 9112.  Loop thread.
 *
 * A request is answered now or later, exactly once.  Requests of one connection are handled one after the other, in
 * their order.  HEAD is GET without the body: handlers need not know.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <sys/types.h>

#include "base/span.h"

struct loop;
struct stream;

struct http;
struct http_request;

/* What a peer may take; 0 is the default. */
struct http_settings {
	bool is_local;		/* requests whose Host is not of this machine's loopback get 421: a name that a page from
				 * elsewhere has had rebound to 127.0.0.1 opens nothing */
	bool is_caseless;	/* paths and names of parameters are the same in any case: for programs that spell them as they
				 * like */
	size_t connections_max;	/* 64; one more lets the one go that is idle for longest, or gets 503 */
	size_t body_max;	/* octets; 16 KiB */
	uint64_t head_ms;	/* 10 s from the first octet of a request to the end of its head */
	uint64_t body_ms;	/* 30 s from there to the end of its body */
	uint64_t idle_ms;	/* 60 s without a request */
};

struct http *http_new(struct loop *loop, const struct http_settings *settings);

/*
 * Listen.  May be called more than once, for several addresses.
 *
 *	address	as for listener_new(): "127.0.0.1:9143", "[::1]:9143", or the path of a Unix socket
 *	mode	of the Unix socket's file
 *
 * False: *error_out, given, says why.
 */
bool http_listen(struct http *http, const char *address, mode_t mode, char **error_out);

/*
 * Listen at these addresses and no others from now on; who is connected stays.  False: nothing has changed, and *error_out,
 * given, says why.
 */
bool http_listen_at(struct http *http, const char *const *addresses, size_t count, char **error_out);

/* Where the listener of that index, from 0, really listens; NULL: there are not so many. */
const char *http_listener(const struct http *http, size_t index);

/* Serve a stream that somebody else has accepted, perhaps with TLS begun on it.  Taken. */
void http_serve(struct http *http, struct stream *stream);

/*
 * Drain: close the listeners and the connections that are idle; the others, as soon as their request is answered.
 *
 *	on_drained	once, never from within: no connection is left; NULL: nobody asks
 */
void http_drain(struct http *http, void (*on_drained)(void *context), void *context);

/* Close everything.  Requests that wait for their answer are still answered, to nobody.  Accepts NULL, leaves NULL
 * behind. */
void http_free(struct http **http);

typedef void http_handler(struct http_request *request, void *context);

/*
 * Say who answers.  What no row fits gets 404; a path with rows for other methods alone, 405.
 *
 *	method	"GET" or "POST", a literal
 *	path	"/metrics", a literal, compared octet by octet with what stands before the `?`; with `*` as the last segment
 *		it is all paths with one more segment
 */
void http_register(struct http *http, const char *method, const char *path, http_handler *handler, void *context);

/*
 * Ask of each request, before it is looked at, whether its peer may ask now.  Who may not gets 429, and the connection is
 * closed.
 *
 *	may_ask	answers nothing itself
 */
void http_set_gate(struct http *http, bool (*may_ask)(struct http_request *request, void *context), void *context);

/* Of the request; borrowed until it is answered. */
struct span http_request_path(const struct http_request *request);
struct span http_request_body(const struct http_request *request);

/* A header field by its name in any case; empty when there is none, the first when there are more. */
struct span http_request_field(const struct http_request *request, const char *name);

/*
 * A parameter of the query, `?name=value&...`, with %XX and + decoded (WHATWG URL, section 5.1).
 *
 * False: there is none of that name, or it is not decodable, or holds a control character.
 */
bool http_request_parameter(struct http_request *request, const char *name, struct span *value_out);

/* A cookie by its name; empty when there is none.  RFC 6265 section 5.4. */
struct span http_request_cookie(const struct http_request *request, const char *name);

/* The peer's address as of stream_peer_address(). */
const char *http_request_peer(const struct http_request *request);

/* Whether it came over TLS. */
bool http_request_is_tls(const struct http_request *request);

/* True when the connection is lost: a long answer need not be made.  Answer all the same.  A client that has but ended
 * its side may still listen. */
bool http_request_is_gone(const struct http_request *request);

/*
 * Add a field to the answer.  These need not be: Date, Content-Length, Connection, and, unless said otherwise here,
 * Cache-Control: no-store, Content-Security-Policy: default-src 'none', Cross-Origin-Resource-Policy: same-origin,
 * Referrer-Policy: no-referrer, X-Content-Type-Options: nosniff, X-Frame-Options: DENY.
 *
 *	value	without control characters; those it has are sent as spaces
 */
void http_answer_field(struct http_request *request, const char *name, const char *value);

/*
 * Answer, and end the request.
 *
 *	status	200 and so on: one that src/http/status.c has words for
 *	type	of the body: "text/plain; charset=utf-8"; NULL: there is no body
 *	body	copied
 */
void http_answer(struct http_request *request, unsigned status, const char *type, struct span body);

/* The same with a sentence as text/plain, and a line end behind it. */
void http_answer_text(struct http_request *request, unsigned status, const char *text);

#endif
