/*
 * The control socket: its connections.  Framing as in control/control.h; a connection has one call at a
 * time, and what is pipelined behind it waits in the stream.  Loop thread.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define CONNECTIONS_MAX 100
#define REQUEST_TIMEOUT_MS 60000
#define FLUSH_MS 5000
#define OUTPUT_LOW (64 * 1024)	/* a long answer goes on below */

static void
call_free(struct control_call *call)
{
	deferred_cancel(&call->again);
	timer_stop(&call->timer);
	timer_stop(&call->turn);
	if (call->caller != NULL)
		callers_leave(&call->control->callers, call->caller);
	call_forget_lookup(call);
	list_remove(&call->link);
	call->control->call_count--;
	arena_free(&call->arena);
	buffer_wipe(&call->body);
	stream_close_after_flush(&call->stream, FLUSH_MS);
	free(call);
}

static bool
is_trusted(const struct control_call *call)
{
	return call->caller == NULL || (call_is_known(call) && peer_may(&call->peer, CONTROL_CHANGE));
}

/* Who may only look on, or nothing, cannot keep the server busy with requests: false, and comes again when it is its turn. */
static bool
take_turn(struct control_call *call)
{
	uint64_t wait_us = 0;

	if (!call->has_turn && !is_trusted(call))
		wait_us = caller_take_turn(call->caller, loop_now_us(call->control->loop));
	call->has_turn = wait_us == 0;
	if (wait_us > 0)
		timer_start_ms(&call->turn, wait_us / 1000 + 1);
	return call->has_turn;
}

static void
on_turn(void *context)
{
	struct control_call *call = context;

	deferred_schedule(call->control->loop, &call->again);
}

/* Let a long answer go on. */
static void
give_room(struct control_call *call)
{
	control_room *on_room = call->on_room;

	if (on_room == NULL || (!call->is_gone && stream_output_length(call->stream) > OUTPUT_LOW))
		return;
	call->on_room = NULL;
	on_room(call, call->room_context);
}

/* Run the request that has come, if none runs; free the connection when it is over. */
static void
advance(void *context)
{
	struct control_call *call = context;

	if (call->is_running) {
		give_room(call);
		return;
	}
	if (call->stream == NULL || call->is_gone) {
		call_free(call);
		return;
	}
	if (!call->has_line)
		call->has_line = request_take_line(call);
	if (call->has_line && !take_turn(call))
		return;
	if (call->has_line && request_take_body(call)) {
		call_dispatch(call);
		return;
	}
	if (call->is_at_end)
		call_free(call);
	else if (!timer_is_running(&call->timer))
		timer_start_ms(&call->timer, REQUEST_TIMEOUT_MS);
}

static void
on_input(struct stream *stream, void *context)
{
	struct control_call *call = context;

	(void)stream;
	if (!call->is_running)
		deferred_schedule(call->control->loop, &call->again);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct control_call *call = context;

	(void)stream;
	call->is_at_end = true;
	call->is_gone = reason != STREAM_EOF;
	deferred_schedule(call->control->loop, &call->again);
}

static void
on_too_slow(void *context)
{
	struct control_call *call = context;

	request_give_up(call, "the request did not come in time");
	deferred_schedule(call->control->loop, &call->again);
}

static void
on_drained(struct stream *stream, void *context)
{
	struct control_call *call = context;

	(void)stream;
	if (call->is_running)
		deferred_schedule(call->control->loop, &call->again);
}

static const struct stream_events events = { on_input, on_drained, on_end };

/* False: there are too many.  Root and the server's own user find the room that is left for them. */
static bool
enter(struct control *control, uid_t uid, struct caller **caller_out)
{
	*caller_out = NULL;
	if (control->call_count == CONNECTIONS_MAX)
		return false;
	if (uid == 0 || uid == geteuid())
		return true;
	*caller_out = callers_enter(&control->callers, uid, loop_now_us(control->loop));
	return *caller_out != NULL;
}

void
control_attach(struct control *control, struct stream *stream, uid_t uid, gid_t gid)
{
	struct control_call *call;
	struct caller *caller;

	if (!enter(control, uid, &caller)) {
		stream_write(stream, SPAN(".75 too many callers, in all or of this user; try again\n"));
		stream_close_after_flush(&stream, FLUSH_MS);
		return;
	}
	call = NEW(struct control_call);
	call->control = control;
	call->caller = caller;
	call->stream = stream;
	call->arena = arena_new();
	call->peer.uid = uid;
	call->peer.gid = gid;
	snprintf(call->peer.name, sizeof call->peer.name, "%s", "root");	/* until looked up */
	deferred_init(&call->again, advance, call);
	timer_init(&call->timer, control->loop, on_too_slow, call);
	timer_init(&call->turn, control->loop, on_turn, call);
	timer_start_ms(&call->timer, REQUEST_TIMEOUT_MS);
	list_push_back(&control->calls, &call->link);
	control->call_count++;
	stream_set_low_mark(stream, OUTPUT_LOW);
	stream_set_events(stream, &events, call);
}

static void
on_accepted(struct stream *stream, void *context)
{
	uid_t uid;
	gid_t gid;
	pid_t pid;

	if (!stream_peer_credentials(stream, &uid, &gid, &pid)) {
		uid = (uid_t)-1;
		gid = (gid_t)-1;
	}
	control_attach(context, stream, uid, gid);
}

/* The socket's file is ours; whoever starts the server as a member of the group gives it away. */
static void
share_socket(const char *path)
{
	gid_t gid;

	if (peer_find_group(GROUP_CHANGE, &gid) && chown(path, (uid_t)-1, gid) != 0)
		log_debug("control-group", log_text("path", path), log_text("reason", strerror(errno)));
}

struct control *
control_new(struct loop *loop, struct workers *workers, const char *path, char **error_out)
{
	struct control *control = NEW(struct control);
	gid_t view;

	control->loop = loop;
	list_init(&control->verbs);
	list_init(&control->calls);
	callers_init(&control->callers);
	control->workers = workers;
	control->listener = listener_new(loop, path, peer_find_group(GROUP_VIEW, &view) ? 0666 : 0660,
	    on_accepted, control, error_out);
	dispatch_init(control);
	if (control->listener == NULL) {
		control_free(&control);
		return NULL;
	}
	share_socket(path);
	listener_keep_spare(control->listener);	/* who is to see why nobody gets in has to get in */
	return control;
}

void
control_free(struct control **control)
{
	if (*control == NULL)
		return;
	listener_free(&(*control)->listener);
	LIST_FOREACH(&(*control)->calls, link)
		call_free(LIST_ENTRY(link, struct control_call, link));
	LIST_FOREACH(&(*control)->verbs, link)
		free(LIST_ENTRY(link, struct verb, link));
	callers_fini(&(*control)->callers);
	free(*control);
	*control = NULL;
}

