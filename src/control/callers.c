/*
 * Connections and requests by user.  Requests are counted by the time that they take up: one that comes when as many as may
 * come at once lie ahead of now has to wait.  Loop thread.
 */
#include "callers.h"

#include <stdlib.h>

#include "base/memory.h"

void
callers_init(struct callers *callers)
{
	list_init(&callers->all);
	callers->connection_count = 0;
}

static void
forget(struct caller *caller)
{
	list_remove(&caller->link);
	free(caller);
}

void
callers_fini(struct callers *callers)
{
	LIST_FOREACH(&callers->all, link)
		forget(LIST_ENTRY(link, struct caller, link));
}

/* Who has gone is known until what they asked for is paid: a new connection is no new beginning. */
static struct caller *
find(struct callers *callers, uid_t uid, uint64_t now_us)
{
	struct caller *found = NULL;

	LIST_FOREACH(&callers->all, link) {
		struct caller *caller = LIST_ENTRY(link, struct caller, link);

		if (caller->uid == uid)
			found = caller;
		else if (caller->connection_count == 0 && caller->paid_us <= now_us)
			forget(caller);
	}
	return found;
}

static struct caller *
caller_new(struct callers *callers, uid_t uid)
{
	struct caller *caller = NEW(struct caller);

	caller->uid = uid;
	list_push_back(&callers->all, &caller->link);
	return caller;
}

struct caller *
callers_enter(struct callers *callers, uid_t uid, uint64_t now_us)
{
	struct caller *caller = find(callers, uid, now_us);

	if (callers->connection_count == CALLERS_CONNECTIONS ||
	    (caller != NULL && caller->connection_count == CALLER_CONNECTIONS))
		return NULL;
	if (caller == NULL)
		caller = caller_new(callers, uid);
	caller->connection_count++;
	callers->connection_count++;
	return caller;
}

void
callers_leave(struct callers *callers, struct caller *caller)
{
	caller->connection_count--;
	callers->connection_count--;
}

uint64_t
caller_take_turn(struct caller *caller, uint64_t now_us)
{
	const uint64_t ahead_us = (uint64_t)CALLER_TURNS * CALLER_TURN_US;

	if (caller->paid_us < now_us)
		caller->paid_us = now_us;
	if (caller->paid_us + CALLER_TURN_US > now_us + ahead_us)
		return caller->paid_us + CALLER_TURN_US - now_us - ahead_us;
	caller->paid_us += CALLER_TURN_US;
	return 0;
}
