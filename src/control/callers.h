/*
 * How much of the control socket one user of this system may take.  Its file is open to all where there is a group imapd-view,
 * and who asks is only known behind it: whoever floods it must leave room for root.  Loop thread.
 */
#ifndef CALLERS_H
#define CALLERS_H

#include <sys/types.h>

#include <stdint.h>

#include "base/list.h"

#define CALLERS_CONNECTIONS 80		/* of all users but root and the server's own */
#define CALLER_CONNECTIONS  20		/* of one of them */
#define CALLER_TURNS	    100		/* requests at once, and then one each */
#define CALLER_TURN_US	    20000
#define CALLER_REFUSED_US   1000000	/* the log is told of refusals so often */

struct callers {
	struct list all;
	size_t connection_count;
};

/* One user who has connections, or had some a moment ago. */
struct caller {
	struct list link;
	uid_t uid;
	size_t connection_count;
	uint64_t refused_us;		/* when the log was told last that they lack a right */
	uint64_t paid_us;		/* until then their requests have used up what they may ask */
};

void callers_init(struct callers *callers);
void callers_fini(struct callers *callers);

/* Count a connection.  NULL: there are too many. */
struct caller *callers_enter(struct callers *callers, uid_t uid, uint64_t now_us);

/* It is over. */
void callers_leave(struct callers *callers, struct caller *caller);

/* 0: the next request may run, and is counted; else how long it has to wait. */
uint64_t caller_take_turn(struct caller *caller, uint64_t now_us);

#endif
