/*
 * From a request to the handler of its verb: who asks, and whether they may.  Loop thread.
 */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "loop/job.h"

#define NO_SUCH_VERB "this server has no such verb"
#define RIGHTS_US 2000000	/* for how long a lookup is good: a console asks each second */

/* Asks the user databases; outlives its connection if that goes first. */
struct lookup {
	struct job job;
	struct control_call *call;	/* loop thread only; NULL: gone */
	struct peer peer;
};

/* Who asks again and again for what they may not does not fill the log. */
static bool
is_worth_telling(struct control_call *call)
{
	uint64_t now_us = loop_now_us(call->control->loop);

	if (call->caller == NULL)
		return true;
	if (call->caller->refused_us != 0 && now_us - call->caller->refused_us < CALLER_REFUSED_US)
		return false;
	call->caller->refused_us = now_us;
	return true;
}

static void
refuse(struct control_call *call, const struct verb *verb)
{
	char text[160];

	if (is_worth_telling(call))
		log_warning("control-refused", log_text("peer", call->peer.name), log_text("verb", verb->name));
	snprintf(text, sizeof text, "no permission: become a member of the group %s%s",
	    verb->right == CONTROL_VIEW ? GROUP_VIEW " or " : "", GROUP_CHANGE);
	control_finish(call, EX_NOPERM, text);
}

static void
on_may(struct control_call *call, void *context)
{
	(void)context;
	control_finish(call, EX_OK, NULL);
}

void
dispatch_init(struct control *control)
{
	control_register(control, "may", CONTROL_VIEW, on_may, control);
}

/* Of "may user add" the verb that it asks about, else its own; NULL: there is none. */
static const struct verb *
find_meant(const struct control_call *call)
{
	size_t used;

	if (call->verb->handler != on_may)
		return call->verb;
	return verb_resolve(call->control, call->words + 1, call->word_count - 1, &used);
}

/* Call the handler, if the peer may and there is one. */
static void
run(struct control_call *call)
{
	const struct verb *verb = call->verb, *meant = find_meant(call);

	if (meant == NULL) {
		control_finish(call, EX_USAGE, NO_SUCH_VERB);
	} else if (!peer_may(&call->peer, meant->right)) {
		call->verb = NULL;
		refuse(call, meant);
	} else if (meant->handler == NULL) {
		call->verb = NULL;
		control_finish(call, EX_UNAVAILABLE,
		    "the service that could answer is stopped or not of this host; see `imapctl status`");
	} else {
		verb->handler(call, verb->context);
	}
}

static void
work_lookup(struct job *job)
{
	peer_look_up(&CONTAINER_OF(job, struct lookup, job)->peer);
}

static void
on_looked_up(struct job *job)
{
	struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
	struct control_call *call = lookup->call;

	if (call != NULL) {
		call->lookup = NULL;
		call->peer = lookup->peer;
		call->looked_up_us = loop_now_us(call->control->loop);
		run(call);
	}
	free(lookup);
}

static void
look_up(struct control_call *call)
{
	struct lookup *lookup = NEW(struct lookup);

	call->lookup = lookup;
	lookup->call = call;
	lookup->peer = call->peer;
	lookup->job.work = work_lookup;
	lookup->job.done = on_looked_up;
	workers_submit(call->control->workers, &lookup->job);
}

/* Root need not be looked up. */
bool
call_is_known(const struct control_call *call)
{
	return call->peer.uid == 0 || (call->looked_up_us != 0 &&
	    loop_now_us(call->control->loop) - call->looked_up_us < RIGHTS_US);
}

void
call_dispatch(struct control_call *call)
{
	const struct verb *verb = verb_resolve(call->control, call->words, call->word_count, &call->verb_words);

	timer_stop(&call->timer);
	call->is_running = true;
	if (verb == NULL) {
		control_finish(call, EX_USAGE, NO_SUCH_VERB);
		return;
	}
	call->verb = verb;
	if (call_is_known(call))
		run(call);
	else
		look_up(call);
}

void
call_forget_lookup(struct control_call *call)
{
	if (call->lookup != NULL)
		call->lookup->call = NULL;
	call->lookup = NULL;
}
