/*
 * The control socket: connections and requests.  Framing as in control/control.h; a connection has one call at a
 * time, and what is pipelined behind it waits in the stream.  Loop thread.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/job.h"

#define CONNECTIONS_MAX 100
#define REQUEST_TIMEOUT_MS 60000
#define FLUSH_MS 5000
#define OUTPUT_LOW (64 * 1024)	/* a long answer goes on below */
#define NO_SUCH_VERB "this server has no such verb"
#define RIGHTS_US 2000000	/* for how long a lookup is good: a console asks each second */

/* Asks the user databases; outlives its connection if that goes first. */
struct lookup {
	struct job job;
	struct control_call *call;	/* loop thread only; NULL: gone */
	struct peer peer;
};

static void
call_free(struct control_call *call)
{
	deferred_cancel(&call->again);
	timer_stop(&call->timer);
	timer_stop(&call->turn);
	if (call->caller != NULL)
		callers_leave(&call->control->callers, call->caller);
	if (call->lookup != NULL)
		call->lookup->call = NULL;
	list_remove(&call->link);
	call->control->call_count--;
	arena_free(&call->arena);
	if (call->body.at != NULL)
		memory_wipe(call->body.at, call->body.capacity);
	buffer_free(&call->body);
	stream_close_after_flush(&call->stream, FLUSH_MS);
	free(call);
}

static struct verb *
find_verb(const struct control *control, const struct span *words, size_t count)
{
	struct buffer name = { 0 };
	struct verb *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_octet(&name, ' ');
		buffer_add_span(&name, words[i]);
	}
	LIST_FOREACH((struct list *)&control->verbs, link) {
		struct verb *verb = LIST_ENTRY(link, struct verb, link);

		if (span_equals(span_from_string(verb->name), buffer_span(&name)))
			found = verb;
	}
	buffer_free(&name);
	return found;
}

/* Two words first: "user add" before "user". */
static const struct verb *
resolve(const struct control *control, const struct span *words, size_t count, size_t *used_out)
{
	const struct verb *verb = NULL;

	for (*used_out = count < 2 ? count : 2; *used_out > 0; (*used_out)--) {
		if ((verb = find_verb(control, words, *used_out)) != NULL)
			break;
	}
	return verb;
}

const char *
control_find_verb(const struct control *control, const struct span *words, size_t count)
{
	size_t used;
	const struct verb *verb = resolve(control, words, count, &used);

	return verb == NULL ? NULL : verb->name;
}

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

/* Of "may user add" the verb that it asks about, else its own; NULL: there is none. */
static const struct verb *
find_meant(const struct control_call *call)
{
	size_t used;

	if (call->verb->handler != on_may)
		return call->verb;
	return resolve(call->control, call->words + 1, call->word_count - 1, &used);
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

/* Root need not be looked up, and so can ask even when the user database hangs. */
static bool
is_known(const struct control_call *call)
{
	return call->peer.uid == 0 || (call->looked_up_us != 0 &&
	    loop_now_us(call->control->loop) - call->looked_up_us < RIGHTS_US);
}

static void
dispatch(struct control_call *call)
{
	const struct verb *verb = resolve(call->control, call->words, call->word_count, &call->verb_words);

	timer_stop(&call->timer);
	call->is_running = true;
	if (verb == NULL) {
		control_finish(call, EX_USAGE, NO_SUCH_VERB);
		return;
	}
	call->verb = verb;
	if (is_known(call))
		run(call);
	else
		look_up(call);
}

/* Take ` {N}` off the end of the line; false when N is too large. */
static bool
take_body_length(struct control_call *call, struct span *line)
{
	size_t open = line->length;
	uint64_t length;

	call->body_length = 0;
	if (line->length == 0 || line->at[line->length - 1] != '}')
		return true;
	while (open > 0 && line->at[open - 1] != '{')
		open--;
	if (open < 2 || line->at[open - 2] != ' ' ||
	    !span_to_number(span_slice(*line, open, line->length - open - 1), CONTROL_BODY_MAX, &length))
		return false;
	call->body_length = length;
	line->length = open - 2;
	return true;
}

/* The framing is lost with a bad line: say so and go. */
static void
give_up(struct control_call *call, const char *why)
{
	call_write_status(call, EX_USAGE, why);
	call->is_at_end = true;
	stream_discard_input(call->stream);
}

/* Read the line of the next request; false when there is none yet, or never will be. */
static bool
take_line(struct control_call *call)
{
	struct span input = stream_input_whole(call->stream);
	size_t end = span_find(input, '\n');
	struct span line = span_slice(input, 0, end);

	if (end > CONTROL_LINE_MAX) {
		give_up(call, "the request is too long");
		return false;
	}
	if (end == input.length)
		return false;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (!take_body_length(call, &line) ||
	    !control_split_words(line, call->arena, call->words, CONTROL_WORDS_MAX,
		&call->word_count)) {
		give_up(call, "the request cannot be understood");
		return false;
	}
	stream_consume(call->stream, end + 1);
	return true;
}

static bool
take_body(struct control_call *call)
{
	if (stream_input_length(call->stream) < call->body_length)
		return false;
	if (call->body_length > 0) {
		buffer_add_span(&call->body,
		    span_slice(stream_input_whole(call->stream), 0, call->body_length));
		stream_consume(call->stream, call->body_length);
	}
	return true;
}

static bool
is_trusted(const struct control_call *call)
{
	return call->caller == NULL || (is_known(call) && peer_may(&call->peer, CONTROL_CHANGE));
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
		call->has_line = take_line(call);
	if (call->has_line && !take_turn(call))
		return;
	if (call->has_line && take_body(call)) {
		dispatch(call);
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

	give_up(call, "the request did not come in time");
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
	control_register(control, "may", CONTROL_VIEW, on_may, control);
	if (control->listener == NULL)
		control_free(&control);
	else
		share_socket(path);
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

void
control_register(struct control *control, const char *name, enum control_right right,
    control_handler *handler, void *context)
{
	struct span words = span_from_string(name);
	struct verb *verb = find_verb(control, &words, 1);

	if (verb == NULL) {
		verb = NEW(struct verb);
		list_push_back(&control->verbs, &verb->link);
	}
	verb->name = name;
	verb->right = right;
	verb->handler = handler;
	verb->context = context;
}

void
control_forget(struct control *control, const void *context)
{
	LIST_FOREACH(&control->verbs, link) {
		struct verb *verb = LIST_ENTRY(link, struct verb, link);

		if (verb->context != context)
			continue;
		verb->handler = NULL;
		verb->context = NULL;
	}
}
