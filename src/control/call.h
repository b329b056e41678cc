/*
 * Connections of the control socket, as the files of this room share them.
 */
#ifndef CALL_H
#define CALL_H

#include "base/arena.h"
#include "base/list.h"
#include "callers.h"
#include "control/control.h"
#include "control/words.h"
#include "loop/loop.h"
#include "net/listener.h"
#include "net/stream.h"
#include "peer.h"

struct verb {
	struct list link;
	const char *name;
	enum control_right right;
	control_handler *handler;
	void *context;
};

struct control {
	struct loop *loop;
	struct listener *listener;
	struct list verbs;
	struct list calls;
	struct workers *workers;
	struct callers callers;
	size_t call_count;
};

/* A connection; it is a call while is_running. */
struct control_call {
	struct list link;
	struct control *control;
	struct stream *stream;		/* NULL: taken */
	struct deferred again;		/* advance(), or free */
	struct timer timer;		/* a request must be whole in time */
	struct caller *caller;		/* NULL: root, or the server's own user, who are not counted */
	struct timer turn;		/* runs while the next request has to wait for its turn */
	bool has_turn;			/* it need not any more */
	struct peer peer;
	uint64_t looked_up_us;		/* 0: not yet */
	struct lookup *lookup;		/* under way, or NULL */
	bool is_running, is_gone, is_at_end;
	control_room *on_room;		/* NULL: nobody waits for it */
	void *room_context;

	struct arena *arena;		/* of the request */
	const struct verb *verb;
	struct span words[CONTROL_WORDS_MAX];
	size_t word_count, verb_words;
	size_t body_length;
	bool has_line;			/* the line is read, the body may lack */
	struct buffer body;
};

/* verb.c: the verb that words begin with, two words before one; NULL: there is none.  used_out: how many they are. */
const struct verb *verb_resolve(const struct control *control, const struct span *words, size_t count, size_t *used_out);

/* request.c: read the line of the next request; false when there is none yet, or never will be. */
bool request_take_line(struct control_call *call);

/* The same for the body that the line tells of. */
bool request_take_body(struct control_call *call);

/* The framing is lost: say so and go. */
void request_give_up(struct control_call *call, const char *why);

/* dispatch.c: register the verb by which one asks what one may. */
void dispatch_init(struct control *control);

/* Whether who asks has been looked up, or need not be: root can ask even when the user database hangs. */
bool call_is_known(const struct control_call *call);

/* Call the handler of the verb, once who asks is known, if they may; else answer. */
void call_dispatch(struct control_call *call);

/* Nobody waits for what is looked up. */
void call_forget_lookup(struct control_call *call);

/* Write the line that ends an answer; text may be NULL. */
void call_write_status(struct control_call *call, int code, const char *text);

#endif
