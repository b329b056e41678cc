/*
 * What has come on a stream, for its owner: to look at, to consume, and to put off.  Loop thread.
 */
#include "internal.h"

#include <assert.h>

struct span
stream_input(struct stream *stream)
{
	struct evbuffer_iovec piece;

	if (evbuffer_get_length(stream->input) == 0 ||
	    evbuffer_peek(stream->input, -1, NULL, &piece, 1) < 1)
		return span_of(NULL, 0);
	return span_of(piece.iov_base, piece.iov_len);
}

struct span
stream_input_whole(struct stream *stream)
{
	size_t length = evbuffer_get_length(stream->input);

	return span_of(length == 0 ? NULL : evbuffer_pullup(stream->input, -1), length);
}

void
stream_consume(struct stream *stream, size_t length)
{
	assert(length <= evbuffer_get_length(stream->input));
	if (length == 0)
		return;
	evbuffer_drain(stream->input, length);
	stream->octets_in += length;
	if (stream_wants_input(stream) || stream->deflate != NULL) {
		stream_advance_later(stream);
		if (stream->peer != NULL)
			stream_advance_later(stream->peer);
	}
}

void
stream_discard_input(struct stream *stream)
{
	stream_consume(stream, evbuffer_get_length(stream->input));
}

void
stream_take_input(struct stream *stream, struct stream *other)
{
	evbuffer_prepend_buffer(stream->input, other->input);
	stream->is_input_new = true;
	stream_advance_later(stream);
	stream_advance_later(other);
}

bool
stream_has_input(const struct stream *stream)
{
	return evbuffer_get_length(stream->input) > 0;
}

size_t
stream_input_length(const struct stream *stream)
{
	return evbuffer_get_length(stream->input);
}

void
stream_set_input_limit(struct stream *stream, size_t octets)
{
	stream->input_limit = octets < 4096 ? 4096 : octets;
	stream_advance_later(stream);
}

void
stream_pause_input(struct stream *stream)
{
	stream->is_paused = true;
	stream_advance_later(stream);
}

void
stream_resume_input(struct stream *stream)
{
	if (!stream->is_paused)
		return;
	stream->is_paused = false;
	stream->is_input_new = true;
	stream_advance_later(stream);
	if (stream->peer != NULL)
		stream_advance_later(stream->peer);
}
