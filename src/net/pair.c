/*
 * Two streams joined back to back: chains move from one's output to the other's input.  What one end has
 * not room for stays in the writer's output.  Loop thread.
 */
#include "internal.h"

#include <stdio.h>

static struct stream *
end_new(struct loop *loop)
{
	struct stream *stream = stream_new(loop);

	snprintf(stream->peer_address, sizeof stream->peer_address, "pair");
	snprintf(stream->local_address, sizeof stream->local_address, "pair");
	return stream;
}

void
stream_pair(struct loop *loop, struct stream **a_out, struct stream **b_out)
{
	struct stream *a = end_new(loop), *b = end_new(loop);

	a->peer = b;
	b->peer = a;
	*a_out = a;
	*b_out = b;
}

void
pair_send(struct stream *stream)
{
	struct stream *peer = stream->peer;
	struct evbuffer *wire = stream_wire(stream);

	if (peer == NULL) {
		if (evbuffer_get_length(wire) > 0 && !stream->has_peer_closed)
			stream_note_end(stream, STREAM_ERROR);
		evbuffer_drain(wire, evbuffer_get_length(wire));
		return;
	}
	if (evbuffer_get_length(wire) == 0)
		return;
	if (peer->is_closing) {
		evbuffer_drain(wire, evbuffer_get_length(wire));
		return;
	}
	if (!stream_wants_wire(peer))
		return;
	/* Whole chains, also beyond the limit: the writer held them before, so nothing grows. */
	evbuffer_add_buffer(stream_received(peer), wire);
	if (peer->tls == NULL)
		stream_note_arrived(peer);
	stream_advance_later(peer);
}

void
pair_end_output(struct stream *stream)
{
	if (stream->peer == NULL)
		return;
	stream_note_eof(stream->peer);
	stream_advance_later(stream->peer);
}

void
pair_leave(struct stream *stream)
{
	struct stream *peer = stream->peer;

	if (peer == NULL)
		return;
	stream->peer = NULL;
	peer->peer = NULL;
	peer->has_peer_closed = stream->is_closing && stream->is_output_ended;
	stream_note_eof(peer);
	stream_advance_later(peer);
}
