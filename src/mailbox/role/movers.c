/*
 * Streams on which users are moved: lines, and octets that lines announce.  Loop thread.
 */
#include "movers.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "life.h"
#include "net/stream.h"

#define LINE_MAX_OCTETS 65536	/* facts of a user, groups among them */
#define FLUSH_MS	5000
#define INPUT_MAX	(2 * MOVER_FRAME_MAX)

void
mover_lose(struct mover *mover)
{
	stream_free(&mover->stream);
	mover->kind->on_lost(mover);
}

/* One line, or all the octets that are awaited, at a time. */
static void
advance(struct mover *mover)
{
	struct buffer copy = { 0 };
	struct span input;
	size_t end;

	if (mover->is_busy || mover->stream == NULL || !stream_has_input(mover->stream))
		return;
	input = stream_input_whole(mover->stream);
	end = mover->expected > 0 ? mover->expected : span_find(input, '\n') + 1;
	if (end > input.length) {
		if (input.length > LINE_MAX_OCTETS && mover->expected == 0)
			mover_refuse(mover, "the line is too long");
		return;
	}
	buffer_add_span(&copy, span_slice(input, 0, end));
	stream_consume(mover->stream, end);
	mover->is_busy = true;
	if (mover->expected > 0) {
		mover->expected = 0;
		mover->kind->on_octets(mover, buffer_span(&copy));
	} else {
		mover->kind->on_line(mover, span_without_line_end(buffer_span(&copy)));
	}
	buffer_free(&copy);
}

static void
on_input(struct stream *stream, void *context)
{
	(void)stream;
	advance(context);
}

static void
on_drained(struct stream *stream, void *context)
{
	struct mover *mover = context;

	(void)stream;
	if (mover->kind->on_drained != NULL)
		mover->kind->on_drained(mover);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	mover_lose(context);
}

static const struct stream_events events = { on_input, on_drained, on_end };

void
mover_init(struct mover *mover, struct mailbox_role *role, const struct mover_kind *kind, struct stream *stream,
    const struct mover_wish *wish)
{
	mover->role = role;
	mover->kind = kind;
	mover->stream = stream;
	directory_prepare_name(wish->words[1], &mover->name);
	memcpy(mover->move_id, wish->words[2].at, wish->words[2].length);
	mover->is_busy = true;
	list_push_back(&role->movers, &mover->link);
	role->jobs++;
	stream_set_input_limit(stream, INPUT_MAX);
	stream_set_low_mark(stream, MOVER_OUTPUT_LOW);
	stream_set_events(stream, &events, mover);
}

void
mover_fini(struct mover *mover)
{
	struct mailbox_role *role = mover->role;

	stream_close_after_flush(&mover->stream, FLUSH_MS);
	list_remove(&mover->link);
	role->jobs--;
	role->on_ended(role);
}

void
mover_say(struct mover *mover, const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text - 2, format, arguments);
	va_end(arguments);
	if (mover->stream == NULL || length < 0)
		return;
	stream_write(mover->stream, span_from_string(text));
	stream_write(mover->stream, SPAN("\r\n"));
}

void
mover_refuse(struct mover *mover, const char *why)
{
	log_info("move-refused", log_span("user", directory_name_span(&mover->name)), log_text("move", mover->move_id),
	    log_text("reason", why));
	mover_say(mover, "no %s", why);
	stream_close_after_flush(&mover->stream, FLUSH_MS);
	mover->kind->on_lost(mover);
}

void
mover_go_on(struct mover *mover)
{
	mover->is_busy = false;
	if (mover->stream != NULL)
		stream_set_events(mover->stream, &events, mover);	/* announces what is there */
}

void
mover_expect(struct mover *mover, size_t octets)
{
	mover->expected = octets;
	mover_go_on(mover);
}

static void
on_answer_lost(struct mover *mover)
{
	(void)mover;		/* what was asked of the directory comes home first */
}

static void
on_answer_line(struct mover *mover, struct span line)
{
	(void)mover;
	(void)line;
}

const struct mover_kind mover_answer_kind = { on_answer_line, NULL, NULL, on_answer_lost };

struct mover *
mover_find(struct mailbox_role *role, const struct mover_kind *kind, struct span name)
{
	LIST_FOREACH(&role->movers, link) {
		struct mover *mover = LIST_ENTRY(link, struct mover, link);

		if (mover->kind == kind && span_equals(directory_name_span(&mover->name), name))
			return mover;
	}
	return NULL;
}
