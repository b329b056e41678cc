/*
 * Traces: each is a stream to an operator, and a test for sessions.  Loop thread.
 */
#include "control/trace.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/control.h"
#include "control/words.h"
#include "net/stream.h"

#define OUTPUT_MAX (256 * 1024)		/* octets that wait for the operator */
#define OUTPUT_LOW (64 * 1024)		/* below this lines are told again */
#define FLUSH_MS 5000

struct trace {
	struct list link;
	struct traces *traces;
	struct stream *stream;
	struct trace_wish wish;
	bool is_full;
	uint64_t lost;			/* lines, since it is */
};

static void
forget(struct trace *trace)
{
	struct traces *traces = trace->traces;

	list_remove(&trace->link);
	traces->count--;
	stream_close_after_flush(&trace->stream, FLUSH_MS);
	trace->wish.on_end(trace->wish.context);
	free(trace);
	traces->on_change(traces->context);
}

void
trace_end(struct trace *trace)
{
	stream_write(trace->stream, SPAN(".0\n"));
	forget(trace);
}

void
traces_init(struct traces *traces, void (*on_change)(void *context), void *context)
{
	*traces = (struct traces){ .on_change = on_change, .context = context };
	list_init(&traces->all);
}

static void
nothing(void *context)
{
	(void)context;
}

void
traces_fini(struct traces *traces)
{
	traces->on_change = nothing;
	LIST_FOREACH(&traces->all, link)
		forget(LIST_ENTRY(link, struct trace, link));
}

static void
write_line(struct trace *trace, struct buffer *line)
{
	buffer_add_octet(line, '\n');
	stream_write_buffer(trace->stream, line);
	buffer_free(line);
}

static const char *const from_names[] = { [TRACE_CLIENT] = "client", [TRACE_SERVER] = "server", [TRACE_NOTE] = "note" };

static void
tell(struct trace *trace, const struct session_facts *facts, enum trace_from from, struct span text)
{
	char time[LOG_PREFIX_SIZE];
	struct buffer line = { 0 };

	log_time(time);
	buffer_add_string(&line, "+line");
	control_add_field(&line, "time", span_trim(span_from_string(time)));
	control_add_field(&line, "sid", facts->sid);
	control_add_field(&line, "user", facts->user);
	control_add_field(&line, "address", span_from_string(facts->address == NULL ? "" : facts->address));
	control_add_field(&line, "role", facts->is_at_mailbox ? SPAN("mailbox") : SPAN("cas"));
	control_add_field(&line, "from", span_from_string(from_names[from]));
	control_add_field(&line, "text", text);
	write_line(trace, &line);
}

void
trace_note(struct trace *trace, struct span text)
{
	const struct session_facts nobody = { .state = NULL };

	tell(trace, &nobody, TRACE_NOTE, text);
}

static void
tell_lost(struct trace *trace)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "%llu lines were lost: they came faster than they were read", (unsigned long long)trace->lost);
	trace->lost = 0;
	trace->is_full = false;
	trace_note(trace, buffer_span(&text));
	buffer_free(&text);
}

static void
on_input(struct stream *stream, void *context)
{
	(void)context;
	stream_discard_input(stream);
}

static void
on_drained(struct stream *stream, void *context)
{
	struct trace *trace = context;

	(void)stream;
	if (trace->lost > 0)
		tell_lost(trace);
	trace->is_full = false;
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	forget(context);
}

static const struct stream_events events = { on_input, on_drained, on_end };

struct trace *
trace_begin(struct traces *traces, struct stream *stream, const struct trace_wish *wish)
{
	struct trace *trace = NEW(struct trace);

	trace->traces = traces;
	trace->stream = stream;
	trace->wish = *wish;
	list_push_back(&traces->all, &trace->link);
	traces->count++;
	stream_set_low_mark(stream, OUTPUT_LOW);
	stream_set_events(stream, &events, trace);
	traces->on_change(traces->context);
	return trace;
}

/* False: the operator does not read them as fast as they come. */
static bool
has_room(struct trace *trace)
{
	trace->is_full = trace->is_full || stream_output_length(trace->stream) > OUTPUT_MAX;
	trace->lost += trace->is_full;
	return !trace->is_full;
}

void
trace_pass(struct trace *trace, struct span line)
{
	struct buffer copy = { 0 };

	if (!has_room(trace))
		return;
	buffer_add_span(&copy, line);
	write_line(trace, &copy);
}

bool
traces_want(const struct traces *traces, const struct session_facts *facts)
{
	if (!traces_are_on(traces))
		return false;
	LIST_FOREACH(&traces->all, link) {
		const struct trace *trace = LIST_ENTRY(link, struct trace, link);

		if (trace->wish.fits(facts, trace->wish.context))
			return true;
	}
	return false;
}

void
traces_say(struct traces *traces, const struct session_facts *facts, enum trace_from from, struct span text)
{
	LIST_FOREACH(&traces->all, link) {
		struct trace *trace = LIST_ENTRY(link, struct trace, link);

		if (trace->wish.fits(facts, trace->wish.context) && has_room(trace))
			tell(trace, facts, from, text);
	}
}

void
traces_end_session(struct traces *traces, const struct session_facts *facts)
{
	if (!traces_are_on(traces))
		return;
	LIST_FOREACH(&traces->all, link) {
		struct trace *trace = LIST_ENTRY(link, struct trace, link);

		if (!trace->wish.is_of_session || !trace->wish.fits(facts, trace->wish.context))
			continue;
		if (trace->wish.on_over != NULL)
			trace->wish.on_over(trace->wish.context);
		else
			trace_end(trace);
	}
}
