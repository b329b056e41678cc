/*
 * A stream: its buffers, what its owner has asked for, and the one function that moves everything on.
 * Callbacks come only from stream_advance(), which only the loop calls.  Loop thread.
 */
#include "internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/tls.h"

#define STALL_MS (5 * 60 * 1000)

static void
advance_deferred(void *context)
{
	stream_advance(context);
}

static void
on_stall(void *context)
{
	struct stream *stream = context;

	stream_note_end(stream, STREAM_TIMEOUT);
	stream_advance(stream);
}

static void
on_lingering(void *context)
{
	struct stream *stream = context;

	stream_free(&stream);
}

struct stream *
stream_new(struct loop *loop)
{
	struct stream *stream = NEW(struct stream);

	stream->loop = loop;
	stream->input = evbuffer_new();
	stream->output = evbuffer_new();
	if (stream->input == NULL || stream->output == NULL)
		abort();
	stream->input_limit = STREAM_INPUT_LIMIT;
	stream->stall_ms = STALL_MS;
	stream->descriptor = -1;
	deferred_init(&stream->step, advance_deferred, stream);
	timer_init(&stream->stall, loop, on_stall, stream);
	timer_init(&stream->lingering, loop, on_lingering, stream);
	return stream;
}

static void
destroy(struct stream *stream)
{
	evbuffer_free(stream->input);
	evbuffer_free(stream->output);
	free(stream);
}

struct evbuffer *
stream_arrived(const struct stream *stream)
{
	struct evbuffer *deflated = stream->deflate == NULL ? NULL : deflate_received(stream->deflate);

	return deflated != NULL ? deflated : stream->input;
}

void
stream_note_arrived(struct stream *stream)
{
	if (stream_arrived(stream) == stream->input)
		stream->is_input_new = true;
}

struct evbuffer *
stream_received(struct stream *stream)
{
	return stream->tls != NULL ? tls_received(stream->tls) : stream_arrived(stream);
}

struct evbuffer *
stream_wire(const struct stream *stream)
{
	return stream->tls != NULL ? tls_wire(stream->tls) : stream->output;
}

bool
stream_wants_input(const struct stream *stream)
{
	return !stream->is_paused && !stream->has_ended && !stream->is_closing &&
	    evbuffer_get_length(stream_arrived(stream)) < stream->input_limit;
}

/* A handshake goes on while its owner has paused: nothing of it is input. */
bool
stream_wants_wire(const struct stream *stream)
{
	if (stream->has_ended || stream->is_wire_ended)
		return false;
	if (stream->tls == NULL)
		return stream_wants_input(stream);
	return (stream_wants_input(stream) || !stream_is_tls_established(stream)) &&
	    evbuffer_get_length(tls_received(stream->tls)) < STREAM_INPUT_LIMIT;
}

void
stream_note_eof(struct stream *stream)
{
	stream->is_wire_ended = true;
	if (stream->tls == NULL)
		stream_note_end(stream, STREAM_EOF);
}

void
stream_note_end(struct stream *stream, enum stream_end reason)
{
	/* An error may follow the peer's EOF, when writing; it replaces an EOF nobody has seen. */
	if (stream->has_ended && (stream->end != STREAM_EOF || reason == STREAM_EOF))
		return;
	stream->has_ended = true;
	stream->end = reason;
}

static bool
has_failed(const struct stream *stream)
{
	return stream->has_ended && stream->end != STREAM_EOF;
}

/* Start, go on with or stop the clock of a peer that takes nothing. */
static void
watch_stall(struct stream *stream)
{
	size_t length = stream_output_length(stream);

	if (length == 0 || has_failed(stream)) {
		timer_stop(&stream->stall);
	} else if (!timer_is_running(&stream->stall) || length < stream->stall_length) {
		timer_start_ms(&stream->stall, stream->stall_ms);
		stream->stall_length = length;
	}
}

static void
send_output(struct stream *stream)
{
	if (stream->deflate != NULL)
		deflate_advance_output(stream);
	if (stream->tls != NULL)
		tls_advance(stream);
	else if (has_failed(stream))
		evbuffer_drain(stream->output, evbuffer_get_length(stream->output));
	if (stream->descriptor >= 0)
		socket_send(stream);
	else
		pair_send(stream);
	if (stream->deflate != NULL)
		deflate_advance(stream);
	if (stream->tls != NULL && tls_has_work(stream))
		stream_advance_later(stream);
	watch_stall(stream);
}

static void
end_output(struct stream *stream)
{
	if (!stream->is_ending_output || stream->is_output_ended || stream_output_length(stream) > 0)
		return;
	if (stream->tls != NULL && !has_failed(stream) && tls_owes_farewell(stream)) {
		stream_advance_later(stream);	/* the owner has closed it in this very step */
		return;
	}
	stream->is_output_ended = true;
	if (stream->descriptor >= 0)
		socket_end_output(stream);
	else
		pair_end_output(stream);
}

bool
stream_is_lingering(const struct stream *stream)
{
	return stream->is_closing && stream->descriptor >= 0 && !has_failed(stream) && !stream->is_wire_ended;
}

static void
set_watch(struct stream *stream)
{
	unsigned wanted = 0;

	if (stream->descriptor < 0 || stream->is_dead)
		return;
	if (stream_wants_wire(stream) || stream_is_lingering(stream))
		wanted |= WATCH_READ;
	if (evbuffer_get_length(stream_wire(stream)) > 0 && !has_failed(stream))
		wanted |= WATCH_WRITE;
	watch_set(&stream->watch, wanted);
}

static void
tell_input(struct stream *stream)
{
	bool has_more = stream->is_input_new && evbuffer_get_length(stream->input) > 0;

	if (stream->is_paused || (!has_more && !stream->is_established_new))
		return;
	if (stream->events == NULL || stream->events->on_input == NULL)
		return;
	stream->is_established_new = false;
	if (has_more)
		stream->is_input_new = false;
	stream->events->on_input(stream, stream->context);
}

/* Who was told of the peer's EOF is told of no error that follows: for them the output just goes. */
static void
tell_drained(struct stream *stream)
{
	if (!stream->was_above_mark || stream_output_length(stream) > stream->low_mark)
		return;
	stream->was_above_mark = false;
	if (stream->events != NULL && stream->events->on_drained != NULL &&
	    (!has_failed(stream) || stream->is_end_told))
		stream->events->on_drained(stream, stream->context);
}

static void
tell_end(struct stream *stream)
{
	if (!stream->has_ended || stream->is_end_told)
		return;
	if (stream->end == STREAM_EOF && ((stream->is_input_new && evbuffer_get_length(stream->input) > 0) ||
		(stream->deflate != NULL && deflate_has_input(stream->deflate))))
		return;			/* paused, or nobody listens yet */
	if (stream->events == NULL || stream->events->on_end == NULL)
		return;
	stream->is_end_told = true;
	stream->events->on_end(stream, stream->end, stream->context);
}

static void
tell_owner(struct stream *stream)
{
	if (stream->splice != NULL) {
		splice_advance(stream);
		return;
	}
	if (!stream->is_dead && !stream->is_closing)
		tell_input(stream);
	if (!stream->is_dead && !stream->is_closing && stream->splice == NULL)
		tell_drained(stream);
	if (!stream->is_dead && !stream->is_closing && stream->splice == NULL)
		tell_end(stream);
}

/* All has been sent that could be: what is waited for is the end of the peer, and that takes no memory. */
static void
finish(struct stream *stream)
{
	if (!stream_is_lingering(stream)) {
		stream_free(&stream);
		return;
	}
	tls_leave(stream);
	deflate_leave(stream);
	leftover_may_go(&stream->leftover);
}

void
stream_advance(struct stream *stream)
{
	if (stream->is_dead)
		return;
	stream->busy++;
	send_output(stream);
	tell_owner(stream);
	if (!stream->is_dead) {
		end_output(stream);
		set_watch(stream);
		if (stream->is_closing && (stream->is_output_ended || has_failed(stream)))
			finish(stream);
	}
	if (--stream->busy == 0 && stream->is_dead)
		destroy(stream);
}

void
stream_advance_later(struct stream *stream)
{
	if (!stream->is_dead)
		deferred_schedule(stream->loop, &stream->step);
}

void
stream_set_events(struct stream *stream, const struct stream_events *events, void *context)
{
	stream->events = events;
	stream->context = context;
	stream->is_input_new = true;
	stream->is_end_told = false;
	stream_advance_later(stream);
}

static void
output_added(struct stream *stream, size_t length)
{
	stream->octets_out += length;
	if (stream_output_length(stream) > stream->low_mark)
		stream->was_above_mark = true;
	stream_advance_later(stream);
}

static bool
takes_output(const struct stream *stream)
{
	return !has_failed(stream) && !stream->is_ending_output && !stream->is_dead;
}

static struct evbuffer *
owner_output(const struct stream *stream)
{
	struct evbuffer *plain = stream->deflate == NULL ? NULL : deflate_plain(stream->deflate);

	return plain != NULL ? plain : stream->output;
}

void
stream_write(struct stream *stream, struct span octets)
{
	if (octets.length == 0 || !takes_output(stream))
		return;
	if (evbuffer_add(owner_output(stream), octets.at, octets.length) != 0)
		abort();
	output_added(stream, octets.length);
}

void
stream_write_shared(struct stream *stream, struct span octets, stream_release *release, void *context)
{
	/* Below a page a copy is cheaper than a chain of its own. */
	if (octets.length < 4096 || !takes_output(stream)) {
		stream_write(stream, octets);
		release(octets.at, octets.length, context);
		return;
	}
	if (evbuffer_add_reference(owner_output(stream), octets.at, octets.length, release, context) != 0)
		abort();
	output_added(stream, octets.length);
}

static void
free_reference(const void *octets, size_t length, void *memory)
{
	(void)octets;
	(void)length;
	free(memory);
}

void
stream_write_buffer(struct stream *stream, struct buffer *buffer)
{
	stream_write_shared(stream, buffer_span(buffer), free_reference, buffer->at);
	*buffer = (struct buffer){ 0 };
}

size_t
stream_output_length(const struct stream *stream)
{
	size_t length = evbuffer_get_length(stream->output);

	if (stream->deflate != NULL)
		length += deflate_pending(stream->deflate);
	if (stream->tls != NULL)
		length += evbuffer_get_length(tls_wire(stream->tls)) + tls_pending(stream->tls);
	return length;
}

void
stream_set_low_mark(struct stream *stream, size_t octets)
{
	stream->low_mark = octets;
}

void
stream_set_stall_timeout(struct stream *stream, uint64_t ms)
{
	stream->stall_ms = ms;
	timer_stop(&stream->stall);
	watch_stall(stream);
}

void
stream_end_output(struct stream *stream)
{
	stream->is_ending_output = true;
	stream_advance_later(stream);
}

/* Nothing was said, or nobody at the other end could read it. */
static bool
is_mute(const struct stream *stream)
{
	return stream->tls != NULL ? tls_is_shaking(stream) : stream->descriptor >= 0 && stream->octets_out == 0;
}

void
stream_close_after_flush(struct stream **stream_pointer, uint64_t within_ms)
{
	struct stream *stream = *stream_pointer;

	*stream_pointer = NULL;
	if (stream == NULL)
		return;
	if (is_mute(stream)) {
		stream_free(&stream);
		return;
	}
	splice_leave(stream);
	stream->is_closing = true;
	stream->leftover = (struct leftover){ .end = on_lingering, .context = stream };
	leftover_add(stream->loop, &stream->leftover);
	stream->events = NULL;
	evbuffer_drain(stream->input, evbuffer_get_length(stream->input));
	stream_end_output(stream);
	timer_start_ms(&stream->lingering, within_ms);
}

void
stream_free(struct stream **stream_pointer)
{
	struct stream *stream = *stream_pointer;

	*stream_pointer = NULL;
	if (stream == NULL || stream->is_dead)
		return;
	stream->is_dead = true;
	splice_leave(stream);
	deferred_cancel(&stream->step);
	timer_stop(&stream->stall);
	timer_stop(&stream->lingering);
	leftover_remove(&stream->leftover);
	watch_fini(&stream->watch);
	tls_leave(stream);
	deflate_leave(stream);
	if (stream->descriptor >= 0)
		close(stream->descriptor);
	else
		pair_leave(stream);
	if (stream->busy == 0)
		destroy(stream);
}

uint64_t
stream_octets_in(const struct stream *stream)
{
	return stream->octets_in + evbuffer_get_length(stream->input);
}

uint64_t
stream_octets_out(const struct stream *stream)
{
	return stream->octets_out;
}

uint64_t
stream_active_us(const struct stream *stream)
{
	return stream->active_us;
}
