/*
 * Calls: one end of a pair of streams is the control's, on the other the page's request is asked.  The records come in
 * pieces and are turned into JSON as they come, a buffer for each kind.
 */
#include "bridge.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "control/control.h"
#include "control/record.h"
#include "control/words.h"
#include "http/http.h"
#include "loop/loop.h"
#include "net/stream.h"

#define KINDS_MAX  24
#define SILENCE_MS 60000

struct kind {
	char name[32];
	struct buffer members;		/* objects, parted by commas */
};

struct call {
	struct list link;
	struct bridge *bridge;
	struct http_request *request;
	struct stream *stream;
	struct deferred over;		/* frees */
	struct timer timer;
	struct arena *arena;		/* of a record */
	bool is_text;			/* the lines are no records, but what the log says */
	struct kind kinds[KINDS_MAX];
	size_t kind_count, octets;
};


/* What the page has a use for.  All else has its place in imapctl, where no page can be talked into it. */
static const struct {
	const char *verb;
	bool is_text;
} verbs[] = {
	{ "status", false }, { "services", false }, { "who", false }, { "kick", false }, { "acknowledge", false },
	{ "start", false }, { "stop", false }, { "drain", false }, { "restart", false }, { "reload", true },
	{ "log", true }, { "user list", false }, { "quota", false }, { "history", false },
};

/* The index of the verb that the control would run, which may have two words; or -1. */
static int
find_verb(const struct bridge *bridge, struct span line)
{
	struct arena *arena = arena_new();
	struct span words[CONTROL_WORDS_MAX];
	size_t count;
	const char *verb = NULL;
	int found = -1;

	if (control_split_words(line, arena, words, CONTROL_WORDS_MAX, &count))
		verb = control_find_verb(bridge->control, words, count);
	for (size_t i = 0; verb != NULL && i < COUNT_OF(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) == 0)
			found = (int)i;
	}
	arena_free(&arena);
	return found;
}

/* A body would be the next line: it is never needed. */
bool
bridge_knows(const struct bridge *bridge, struct span line)
{
	return line.length > 0 && line.length < CONTROL_LINE_MAX && line.at[line.length - 1] != '}' && find_verb(bridge, line) >= 0;
}

void
bridge_init(struct bridge *bridge, struct loop *loop, struct control *control)
{
	bridge->loop = loop;
	bridge->control = control;
	list_init(&bridge->calls);
}

static void
call_free(void *context)
{
	struct call *call = context;

	list_remove(&call->link);
	call->bridge->call_count--;
	deferred_cancel(&call->over);
	timer_stop(&call->timer);
	stream_free(&call->stream);
	arena_free(&call->arena);
	for (size_t i = 0; i < call->kind_count; i++)
		buffer_free(&call->kinds[i].members);
	free(call);
}

/* The buffer for records of a kind; NULL: there are too many. */
static struct buffer *
members_of(struct call *call, struct span name)
{
	struct kind *kind;

	for (size_t i = 0; i < call->kind_count; i++) {
		if (span_equals(span_from_string(call->kinds[i].name), name))
			return &call->kinds[i].members;
	}
	if (call->kind_count == KINDS_MAX || name.length >= sizeof call->kinds[0].name)
		return NULL;
	kind = &call->kinds[call->kind_count++];
	memcpy(kind->name, name.at, name.length);
	return &kind->members;
}

static void
add_line(struct call *call, struct span line)
{
	struct record record = { .kind = SPAN("line") };
	struct buffer *members;
	size_t before;

	arena_reset(call->arena);
	if (!call->is_text && !record_parse(line, call->arena, &record))
		return;
	members = members_of(call, record.kind);
	if (members == NULL || call->octets > BRIDGE_ANSWER_MAX)
		return;
	before = members->length;
	if (before > 0)
		buffer_add_octet(members, ',');
	if (call->is_text)
		json_add_string(members, line);
	else
		record_add_json(&record, members);
	call->octets += members->length - before;
}

static void
answer(struct call *call, int code, struct span text)
{
	struct http_request *request = call->request;
	struct buffer out = { 0 };

	buffer_add_string(&out, "{\"schema\":1");
	for (size_t i = 0; i < call->kind_count; i++) {
		buffer_add_octet(&out, ',');
		json_add_string(&out, span_from_string(call->kinds[i].name));
		buffer_add_string(&out, ":[");
		buffer_add_span(&out, buffer_span(&call->kinds[i].members));
		buffer_add_octet(&out, ']');
	}
	if (code != EX_OK) {
		buffer_printf(&out, ",\"error\":{\"code\":%d", code);
		json_add_text(&out, "text", text);
		buffer_add_octet(&out, '}');
	}
	buffer_add_octet(&out, '}');
	call->request = NULL;
	http_answer(request, 200, "application/json", buffer_span(&out));
	buffer_free(&out);
}

/* The line that ends an answer: `.CODE text`. */
static void
take_status(struct call *call, struct span line)
{
	size_t space = span_find(line, ' ');
	uint64_t code = EX_SOFTWARE;

	span_to_number(span_slice(line, 0, space), 255, &code);
	if (call->octets > BRIDGE_ANSWER_MAX)
		answer(call, EX_DATAERR, SPAN("the answer is too long for the page; ask imapctl"));
	else
		answer(call, (int)code, span_from(line, space + 1));
}

static void
give_up(struct call *call, int code, const char *text)
{
	if (call->request != NULL)
		answer(call, code, span_from_string(text));
	deferred_schedule(call->bridge->loop, &call->over);
}

static void
on_input(struct stream *stream, void *context)
{
	struct call *call = context;
	struct span input = stream_input_whole(stream), line;
	size_t used = 0, end;

	while (call->request != NULL && (end = span_find(span_from(input, used), '\n')) < input.length - used) {
		line = span_slice(input, used, end);
		used += end + 1;
		if (line.length > 0 && line.at[0] == '+')
			add_line(call, span_from(line, 1));
		else if (line.length > 0)
			take_status(call, span_from(line, 1));
	}
	stream_consume(stream, used);
	if (call->request == NULL)
		deferred_schedule(call->bridge->loop, &call->over);
	else
		timer_start_ms(&call->timer, SILENCE_MS);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	give_up(context, EX_TEMPFAIL, "the server has too much to do, or is stopping");
}

static void
on_silent(void *context)
{
	give_up(context, EX_TEMPFAIL, "the server has not answered for a minute");
}

static const struct stream_events events = { on_input, NULL, on_end };

void
bridge_ask(struct bridge *bridge, const struct identity *who, struct span line, struct http_request *request)
{
	struct stream *theirs;
	struct call *call;

	if (bridge->call_count == BRIDGE_CALLS_MAX) {
		http_answer_field(request, "Retry-After", "1");
		http_answer_text(request, 503, "too many pages ask at once");
		return;
	}
	call = NEW(struct call);
	call->bridge = bridge;
	call->request = request;
	call->arena = arena_new();
	call->is_text = verbs[find_verb(bridge, line)].is_text;
	deferred_init(&call->over, call_free, call);
	timer_init(&call->timer, bridge->loop, on_silent, call);
	timer_start_ms(&call->timer, SILENCE_MS);
	list_push_back(&bridge->calls, &call->link);
	bridge->call_count++;
	stream_pair(bridge->loop, &call->stream, &theirs);
	stream_set_events(call->stream, &events, call);
	stream_write(call->stream, line);
	stream_write(call->stream, SPAN("\n"));
	control_attach(bridge->control, theirs, who->uid, who->gid);
}

void
bridge_fini(struct bridge *bridge)
{
	LIST_FOREACH(&bridge->calls, link) {
		struct call *call = LIST_ENTRY(link, struct call, link);

		if (call->request != NULL)
			http_answer_text(call->request, 503, "the server is stopping");
		call_free(call);
	}
}
