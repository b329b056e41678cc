/*
 * Two streams joined: what comes in at one goes out at the other.  A side's input moves only while the
 * other side's output is short, so that a slow reader stops a fast writer.  Loop thread.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define OUTPUT_MAX     ((size_t)64 * 1024)
#define FLUSH_LIMIT_MS 10000

struct splice {
	struct stream *sides[2];
	stream_spliced_end *on_end;
	void *context;
	struct stream *ended;		/* whose end will be told, once its octets have left */
	struct timer flush;
};

static void
dissolve(struct splice *splice)
{
	timer_stop(&splice->flush);
	splice->sides[0]->splice = NULL;
	splice->sides[1]->splice = NULL;
	free(splice);
}

static void
tell_end(struct splice *splice)
{
	struct stream *ended = splice->ended;
	stream_spliced_end *on_end = splice->on_end;
	void *context = splice->context;

	dissolve(splice);
	on_end(ended, ended->end, context);
}

static void
on_flush_limit(void *context)
{
	tell_end(context);
}

/*
 * Remember how what leaves ends.  A piece of DEFLATE may leave in parts, of which only the last ends as a flush does:
 * it is DEFLATE until something ends as a line does.
 */
static void
note_tail(struct stream *to, struct evbuffer *moved, size_t length)
{
	size_t count = length < STREAM_TAIL ? length : STREAM_TAIL;
	struct evbuffer_ptr at;

	memmove(to->tail, to->tail + count, STREAM_TAIL - count);
	evbuffer_ptr_set(moved, &at, length - count, EVBUFFER_PTR_SET);
	evbuffer_copyout_from(moved, &at, to->tail + STREAM_TAIL - count, count);
	if (memcmp(to->tail, "\x00\x00\xff\xff", STREAM_TAIL) == 0)
		to->was_deflate = true;
	else if (memcmp(to->tail + STREAM_TAIL - 2, "\r\n", 2) == 0)
		to->was_deflate = false;
}

bool
stream_was_spliced_deflate(const struct stream *stream)
{
	return stream->was_deflate;
}

static void
move(struct stream *from, struct stream *to)
{
	size_t length = evbuffer_get_length(from->input);

	if (length == 0)
		return;
	if (to->has_ended && to->end != STREAM_EOF) {
		stream_consume(from, length);
		return;
	}
	if (stream_output_length(to) >= OUTPUT_MAX)
		return;
	if (from == from->splice->sides[0] && to->descriptor >= 0)
		stream_await_more(from);
	note_tail(to, from->input, length);
	evbuffer_add_buffer(to->output, from->input);
	from->octets_in += length;
	to->octets_out += length;
	stream_advance_later(to);
	stream_advance_later(from);
	if (from->peer != NULL)
		stream_advance_later(from->peer);
}

static bool
is_flushed(const struct stream *ended, const struct stream *other)
{
	if (other->has_ended && other->end != STREAM_EOF)
		return true;
	return evbuffer_get_length(ended->input) == 0 && stream_output_length(other) == 0;
}

void
splice_advance(struct stream *stream)
{
	struct splice *splice = stream->splice;
	struct stream **sides = splice->sides;

	move(sides[0], sides[1]);
	move(sides[1], sides[0]);
	if (splice->ended == NULL && stream->has_ended) {
		splice->ended = stream;
		timer_start_ms(&splice->flush, FLUSH_LIMIT_MS);
	}
	if (splice->ended != NULL &&
	    is_flushed(splice->ended, splice_other(splice->ended)))
		tell_end(splice);
}

void
stream_splice(struct stream *a, struct stream *b, stream_spliced_end *on_end, void *context)
{
	struct splice *splice = NEW(struct splice);

	assert(a != b && a->splice == NULL && b->splice == NULL);
	splice->sides[0] = a;
	splice->sides[1] = b;
	splice->on_end = on_end;
	splice->context = context;
	timer_init(&splice->flush, a->loop, on_flush_limit, splice);
	a->splice = b->splice = splice;
	a->events = b->events = NULL;
	stream_resume_input(a);
	stream_resume_input(b);
	stream_advance_later(a);
	stream_advance_later(b);
}

void
splice_leave(struct stream *stream)
{
	if (stream->splice != NULL)
		dissolve(stream->splice);
}

struct stream *
splice_other(const struct stream *stream)
{
	const struct splice *splice = stream->splice;

	return splice == NULL ? NULL : splice->sides[splice->sides[0] == stream ? 1 : 0];
}

void
stream_unsplice(struct stream *stream)
{
	splice_leave(stream);
}
