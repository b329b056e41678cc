/*
 * The server and its connections, as the files of this room share them.
 */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "base/buffer.h"
#include "base/list.h"
#include "head.h"
#include "http/http.h"
#include "loop/loop.h"
#include "net/stream.h"

struct route {
	struct list link;
	const char *method, *path;
	http_handler *handler;
	void *context;
};

struct http_connection;

struct http {
	struct loop *loop;
	struct http_settings settings;
	struct list routes;
	bool (*may_ask)(struct http_request *request, void *context);	/* NULL: everybody may */
	void *gate_context;
	struct list listeners;
	struct list connections;	/* those idle for longest first */
	size_t connection_count;
	bool is_draining;
	/* What connections have to tell: set by http_new(). */
	void (*on_request)(struct http *http, struct http_request *request);	/* whole: to be answered */
	void (*on_gone)(struct http_connection *connection);
	void (*on_drained)(void *context);
	void *drained_context;
	struct deferred drained;
};

struct http_connection {
	struct list link;
	struct http *http;
	struct stream *stream;
	struct deferred again;		/* advance() */
	struct timer timer;		/* idle, or something of a request lacks */
	struct http_request *request;	/* being read or answered; NULL: none */
	bool is_at_end;			/* the peer has ended its side */
	bool is_lost;			/* nothing can be written any more */
	bool is_closing;		/* after the answer that was written last */
};

struct http_request {
	struct http_connection *connection;	/* NULL: it has gone */
	struct arena *arena;		/* the head, and what handlers ask for */
	struct head head;
	struct buffer body;
	struct buffer fields;		/* of the answer, each with its CRLF */
	bool is_running;		/* a handler has it */
	void (*on_answered)(struct http_connection *connection);
};

struct http_connection *http_connection_new(struct http *http, struct stream *stream);

/* Close at once; a request that runs is answered to nobody. */
void http_connection_free(struct http_connection *connection);

/* No request of it is being answered: it may be closed. */
bool http_connection_is_spare(const struct http_connection *connection);

/* Close after what was written, once no request runs. */
void http_connection_close(struct http_connection *connection);

/* A request that is to be read, or an answer to what was none; on_answered is the caller's to set. */
struct http_request *http_request_new(struct http_connection *connection);
void http_request_free(struct http_request **request);

/* "Not Found"; "" for a number that this server has no use for. */
const char *status_words(unsigned status);

#endif
