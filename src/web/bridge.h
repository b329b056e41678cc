/*
 * A call of the control, asked for by the page: a request in words goes out, records come back and become JSON.  Loop
 * thread.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include "base/list.h"
#include "sessions.h"

#define BRIDGE_CALLS_MAX  32			/* under way for all pages */
#define BRIDGE_ANSWER_MAX (16 * 1024 * 1024)	/* octets of JSON; 100,000 users have some 10 MB */

struct control;
struct http_request;
struct loop;

struct bridge {
	struct loop *loop;
	struct control *control;
	struct list calls;
	size_t call_count;
};

void bridge_init(struct bridge *bridge, struct loop *loop, struct control *control);

/* What is under way is answered with 503. */
void bridge_fini(struct bridge *bridge);

/* Whether the page may ask this, whoever looks at it: a line of words that calls a verb of the list in bridge.c, no other. */
bool bridge_knows(const struct bridge *bridge, struct span line);

/*
 * Ask as somebody, and answer the request with what `imapctl --json` would print: 200 also for what the control
 * refuses, which is the member error.
 *
 *	line	a control line, without its end
 */
void bridge_ask(struct bridge *bridge, const struct identity *who, struct span line, struct http_request *request);

#endif
