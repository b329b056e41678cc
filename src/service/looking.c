/*
 * The verb trace: who looks on what is said in sessions.  What this process sees it tells itself; what the mailbox servers of
 * other hosts see comes over the link, from those that are there when the looking begins.  Loop thread.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/memory.h"
#include "internal.h"
#include "link/trace.h"
#include "net/stream.h"
#include "whom.h"

#define GRACE_MS 500		/* for what another host has still to tell of a session that is over */
#define LINE_MAX_OCTETS 65536	/* of another host */

struct looking {
	struct service *service;
	struct trace *trace;
	struct whom whom;
	struct list others;
	struct timer grace;
	char word[];
};

/* A mailbox server on another host that looks on for us. */
struct other {
	struct list link;
	struct looking *looking;
	struct link_attempt *attempt;	/* under way, or NULL */
	struct stream *stream;		/* NULL: not yet */
	bool is_over;			/* the session is, it says */
	char name[];
};

static void
other_free(struct other *other)
{
	list_remove(&other->link);
	link_cancel(&other->attempt);
	stream_free(&other->stream);
	free(other);
}

static void
on_looking_end(void *context)
{
	struct looking *looking = context;

	LIST_FOREACH(&looking->others, link)
		other_free(LIST_ENTRY(link, struct other, link));
	timer_stop(&looking->grace);
	free(looking);
}

/* It cannot look on, or no longer: what is said there is not shown. */
static void
other_lose(struct other *other, const char *why)
{
	struct looking *looking = other->looking;
	struct buffer text = { 0 };

	buffer_printf(&text, "the mailbox server %s does not tell what is said there (%s); on that host: imapctl trace %s", other->name,
	    why, looking->word);
	other_free(other);
	trace_note(looking->trace, buffer_span(&text));
	buffer_free(&text);
}

static void
on_input(struct stream *stream, void *context)
{
	struct other *other = context;
	struct span input = stream_input_whole(stream);
	size_t used = 0, end;

	while ((end = span_find(span_from(input, used), '\n')) < input.length - used) {
		other->is_over = input.at[used] == '.';
		if (input.at[used] == '+')
			trace_pass(other->looking->trace, span_slice(input, used, end));
		used += end + 1;
	}
	if (input.length - used > LINE_MAX_OCTETS)
		other_lose(other, "what came cannot be understood");
	else
		stream_consume(stream, used);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct other *other = context;

	(void)stream;
	(void)reason;
	if (other->is_over)
		other_free(other);
	else
		other_lose(other, "it has gone");
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
on_connected(const struct link_result *result, void *context)
{
	struct other *other = context;

	other->attempt = NULL;
	if (result->status != LINK_OK) {
		other_lose(other, link_status_name(result->status));
		return;
	}
	other->stream = result->stream;
	stream_set_events(other->stream, &events, other);
	on_input(other->stream, other);
}

static void
ask_others(struct looking *looking)
{
	struct link *link = looking->service->link;
	struct link_server_state server;

	for (size_t i = 0; looking->service->cas != NULL && link_server_state(link, i, &server); i++) {
		struct other *other = memory_new(sizeof *other + strlen(server.name) + 1);

		strcpy(other->name, server.name);
		other->looking = looking;
		list_push_back(&looking->others, &other->link);
		other->attempt = link_connect_to_trace(link, span_from_string(server.name), looking->whom.word, on_connected, other);
	}
}

static bool
is_looked_on(const struct session_facts *facts, void *context)
{
	const struct looking *looking = context;

	return whom_fits(&looking->whom, facts);
}

static void
on_grace(void *context)
{
	struct looking *looking = context;

	trace_end(looking->trace);
}

static void
on_over(void *context)
{
	struct looking *looking = context;

	if (list_is_empty(&looking->others))
		trace_end(looking->trace);
	else if (!timer_is_running(&looking->grace))
		timer_start_ms(&looking->grace, GRACE_MS);
}

/* Goes on until it has found the session with this id. */
static bool
is_another(const struct session_facts *facts, void *context)
{
	const struct span *sid = context;

	return !span_equals(facts->sid, *sid);
}

static bool
is_session(struct service *service, struct span word)
{
	return (service->cas != NULL &&
	    (cas_walk_sessions(service->cas, true, 0, is_another, &word) != SESSION_WALK_END ||
	    cas_walk_sessions(service->cas, false, 0, is_another, &word) != SESSION_WALK_END)) ||
	    (service->mailbox != NULL &&
	    mailbox_role_walk_sessions(service->mailbox, 0, is_another, &word) != SESSION_WALK_END);
}

static struct looking *
look_on(struct service *service, struct stream *stream, struct span word)
{
	struct looking *looking = memory_new(sizeof *looking + word.length + 1);

	memcpy(looking->word, word.at, word.length);
	whom_init(&looking->whom, span_from_string(looking->word));
	looking->service = service;
	list_init(&looking->others);
	timer_init(&looking->grace, service->loop, on_grace, looking);
	looking->trace = trace_begin(&service->traces, stream, &(struct trace_wish){ .fits = is_looked_on, .on_over = on_over,
		.on_end = on_looking_end, .context = looking, .is_of_session = is_session(service, looking->whom.word) });
	return looking;
}

void
looking_take(struct stream *stream, struct span word, void *context)
{
	struct service *service = context;

	log_info("trace", log_text("peer", "link"), log_span("of", word));
	if (service->traces.count == TRACES_MAX || word.length == 0 || span_find(word, '\0') < word.length)
		stream_free(&stream);
	else
		look_on(service, stream, word);
}

static void
on_trace(struct control_call *call, void *context)
{
	struct service *service = context;
	struct stream *stream;
	struct buffer word = { 0 };

	if (control_call_count(call) != 1 || control_call_word(call, 0).length == 0) {
		control_finish(call, EX_USAGE, "trace needs a user, a session id or an address");
		return;
	}
	if (service->traces.count == TRACES_MAX) {
		control_finish(call, EX_TEMPFAIL, "too many look on already");
		return;
	}
	buffer_add_span(&word, control_call_word(call, 0));
	log_info("trace", log_text("peer", control_call_peer(call)), log_span("of", buffer_span(&word)));
	if ((stream = control_take_stream(call)) != NULL)
		ask_others(look_on(service, stream, buffer_span(&word)));
	buffer_free(&word);
}

static void
on_traces_changed(void *context)
{
	struct service *service = context;

	if (service->cas != NULL)
		cas_onlook(service->cas);
	if (service->mailbox != NULL)
		mailbox_role_onlook(service->mailbox);
}

void
looking_on_begin(struct service *service)
{
	traces_init(&service->traces, on_traces_changed, service);
}

void
looking_on_end(struct service *service)
{
	traces_fini(&service->traces);
}

void
looking_register(struct service *service)
{
	control_register(service->control, "trace", CONTROL_CHANGE, on_trace, service);
}
