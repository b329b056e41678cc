/*
 * Attempts to reach a mailbox role, and the mailbox role of this process that can be reached.  What is
 * said on the wire stands in README.  Loop thread.
 */
#include "link/link.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "conversation.h"
#include "loop/loop.h"
#include "net/stream.h"

#define ATTEMPT_TIMEOUT_MS 30000

struct link {
	struct loop *loop;
	link_arrived *on_arrived;	/* NULL: no mailbox role here, or stopped */
	void *context;
	size_t attempts;
};

struct link_attempt {
	struct link *link;
	struct stream *stream;		/* NULL: there is nobody to talk to */
	struct timer timer;
	struct deferred failure;	/* tells in the next turn */
	bool is_greeted;
	link_connected *on_connected;
	void *context;
};

struct link *
link_new(struct loop *loop)
{
	struct link *link = NEW(struct link);

	link->loop = loop;
	return link;
}

void
link_free(struct link **link)
{
	assert(*link == NULL || (*link)->attempts == 0);
	free(*link);
	*link = NULL;
}

void
link_serve(struct link *link, link_arrived *on_arrived, void *context)
{
	link->on_arrived = on_arrived;
	link->context = context;
}

const char *
link_status_name(enum link_status status)
{
	static const char *const names[] = {
		[LINK_OK] = "ok",
		[LINK_REFUSED] = "refused",
		[LINK_UNREACHABLE] = "unreachable",
		[LINK_TIMEOUT] = "timeout",
		[LINK_PROTOCOL] = "protocol",
	};

	return names[status];
}

void
link_cancel(struct link_attempt **attempt)
{
	if (*attempt == NULL)
		return;
	timer_stop(&(*attempt)->timer);
	deferred_cancel(&(*attempt)->failure);
	stream_free(&(*attempt)->stream);
	(*attempt)->link->attempts--;
	free(*attempt);
	*attempt = NULL;
}

static const struct stream_events nobody = { NULL, NULL, NULL };

/* The attempt's owner forgets it in the callback, so it is freed behind it. */
static void
finish(struct link_attempt *attempt, struct link_result *result)
{
	link_connected *on_connected = attempt->on_connected;
	void *context = attempt->context;

	if (result->status == LINK_OK) {
		result->stream = attempt->stream;
		attempt->stream = NULL;
		stream_set_events(result->stream, &nobody, NULL);
	}
	on_connected(result, context);
	link_cancel(&attempt);
}

static void
fail(struct link_attempt *attempt, enum link_status status)
{
	finish(attempt, &(struct link_result){ .status = status });
}

/* One line at a time: what stands behind L2 belongs to the session. */
static void
on_input(struct stream *stream, void *context)
{
	struct link_attempt *attempt = context;

	for (;;) {
		struct span input = stream_input_whole(stream);
		size_t end = span_find(input, '\n');
		struct link_result result;
		struct buffer line = { 0 };
		bool is_over;

		if (end == input.length && end <= LINK_LINE_MAX)
			return;
		buffer_add_span(&line, span_slice(input, 0, end > 0 ? end - 1 : 0));
		stream_consume(stream, end == input.length ? end : end + 1);
		is_over = conversation_read(buffer_span(&line), !attempt->is_greeted, &result);
		attempt->is_greeted = true;
		if (is_over)
			finish(attempt, &result);
		buffer_free(&line);
		if (is_over)
			return;
	}
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	fail(context, LINK_UNREACHABLE);
}

static void
on_timeout(void *context)
{
	fail(context, LINK_TIMEOUT);
}

static void
on_failure(void *context)
{
	fail(context, LINK_UNREACHABLE);
}

static const struct stream_events events = { on_input, NULL, on_end };

/* The mailbox role of this process: give it one end of a pair. */
static struct stream *
reach_local(struct link *link)
{
	struct stream *near, *far;

	if (link->on_arrived == NULL)
		return NULL;
	stream_pair(link->loop, &near, &far);
	link->on_arrived(far, link->context);
	return near;
}

struct link_attempt *
link_connect(struct link *link, struct span server, struct span user, const struct link_facts *facts,
    link_connected *on_connected, void *context)
{
	struct link_attempt *attempt = NEW(struct link_attempt);
	struct buffer opening = { 0 };

	assert(user.length > 0 && user.length <= LINK_USER_MAX);
	link->attempts++;
	attempt->link = link;
	attempt->on_connected = on_connected;
	attempt->context = context;
	timer_init(&attempt->timer, link->loop, on_timeout, attempt);
	deferred_init(&attempt->failure, on_failure, attempt);
	attempt->stream = server.length == 0 ? reach_local(link) : NULL;
	if (attempt->stream == NULL) {
		deferred_schedule(link->loop, &attempt->failure);
		return attempt;
	}
	timer_start_ms(&attempt->timer, ATTEMPT_TIMEOUT_MS);
	stream_set_events(attempt->stream, &events, attempt);
	conversation_open(&opening, user, facts);
	stream_write_buffer(attempt->stream, &opening);
	buffer_free(&opening);
	return attempt;
}
