/*
 * DEFLATE on a stream.  Input is inflated on the loop, up to the stream's input limit at a time, so that a small
 * input that grows large is bounded by what its reader takes; and from one flush of the peer's to the next, because
 * behind any of them the reader may find that the peer has ended it there.  Much output is deflated by a worker, to
 * which the object is lent; a flush ends each piece, so that the peer can read all of it.
 */
#include "net/deflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "internal.h"
#include "loop/job.h"
#include "region.h"

#define WINDOW_BITS  (-15)		/* the largest window; negative: no header (zlib.h) */
#define LEVEL	     1			/* output goes over networks that are faster than better levels */
#define MEMORY_LEVEL 8
#define INLINE_MAX   ((size_t)8 * 1024)	/* more output than this is deflated by a worker */
#define LEND_MAX     ((size_t)256 * 1024)
#define OUTPUT_MAX   ((size_t)128 * 1024)	/* deflated and not yet encrypted or taken by the kernel */
#define PIECE	     ((size_t)16 * 1024)

struct deflate {
	struct stream *stream;		/* NULL: freed while lent */
	struct workers *compute;
	struct evbuffer *received;	/* not yet inflated */
	struct evbuffer *plain;		/* not yet deflated */
	z_stream in, out;
	struct region in_region, out_region;
	bool has_pending;		/* zlib may have more input than there was room for */
	bool is_block_empty;		/* nothing has come of the block under way */
	bool has_empty_ended;		/* nor of the one before it */
	bool is_flushed;		/* an empty block has ended at an octet's edge, or the last block has */
	bool is_finished;		/* the last block has ended */
	bool is_over;			/* nothing can be made of what comes */
	bool is_input_ending;		/* what stands behind the next flush is not deflated */
	bool is_input_ended;
	bool is_output_ending;		/* plain gets the last block behind it */
	bool is_output_ended;
	struct evbuffer *behind;	/* written after it: not to be deflated */
	struct buffer history;		/* without a state: what the peer may refer to */
	bool is_resting;		/* states go when nothing is left to be done */
	bool is_lent;
	struct job job;
	struct evbuffer *lent_plain, *lent_out;
	size_t pending;			/* lent octets */
};

static struct evbuffer *
evbuffer_make(void)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer == NULL)
		abort();
	return buffer;
}

static void
must(int result)
{
	if (result != Z_OK)
		abort();		/* out of memory, or called wrongly */
}

static z_stream
state_in(struct region *region)
{
	region_open(region);
	return (z_stream){ .zalloc = region_take, .zfree = region_keep, .opaque = region };
}

static void
destroy(struct deflate *layer)
{
	region_close(&layer->in_region);
	region_close(&layer->out_region);
	evbuffer_free(layer->received);
	evbuffer_free(layer->plain);
	evbuffer_free(layer->behind);
	evbuffer_free(layer->lent_plain);
	evbuffer_free(layer->lent_out);
	buffer_free(&layer->history);
	free(layer);
}

/* ---- output ------------------------------------------------------------------------------------------- */

static void
open_output(struct deflate *layer)
{
	if (layer->out_region.at != NULL)
		return;
	layer->out = state_in(&layer->out_region);
	must(deflateInit2(&layer->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY));
}

/* Deflate one span; with Z_SYNC_FLUSH (RFC 4978 section 4) the peer can read all of it; Z_FINISH is the end. */
static void
deflate_span(struct deflate *layer, struct span octets, int flush, struct evbuffer *out)
{
	uint8_t piece[PIECE];
	z_stream *z = &layer->out;

	z->next_in = (uint8_t *)(uintptr_t)octets.at;
	z->avail_in = (uInt)octets.length;
	do {
		z->next_out = piece;
		z->avail_out = sizeof piece;
		if (deflate(z, flush) == Z_STREAM_ERROR)
			abort();
		evbuffer_add(out, piece, sizeof piece - z->avail_out);
	} while (z->avail_out == 0);
}

static void
deflate_all(struct deflate *layer, struct evbuffer *plain, int flush, struct evbuffer *out)
{
	struct evbuffer_iovec piece;

	open_output(layer);
	while (evbuffer_peek(plain, -1, NULL, &piece, 1) > 0) {
		deflate_span(layer, span_of(piece.iov_base, piece.iov_len), Z_NO_FLUSH, out);
		evbuffer_drain(plain, piece.iov_len);
	}
	deflate_span(layer, span_of(NULL, 0), flush, out);
}

static void
work_deflate(struct job *job)
{
	struct deflate *layer = CONTAINER_OF(job, struct deflate, job);

	deflate_all(layer, layer->lent_plain, Z_SYNC_FLUSH, layer->lent_out);
}

static void
on_deflated(struct job *job)
{
	struct deflate *layer = CONTAINER_OF(job, struct deflate, job);

	layer->is_lent = false;
	layer->pending = 0;
	if (layer->stream == NULL) {
		destroy(layer);
		return;
	}
	evbuffer_add_buffer(layer->stream->output, layer->lent_out);
	stream_advance(layer->stream);
}

static void
finish_output(struct deflate *layer, struct stream *stream)
{
	if (layer->is_output_ended)
		return;
	deflate_all(layer, layer->plain, Z_FINISH, stream->output);
	evbuffer_add_buffer(stream->output, layer->behind);
	layer->is_output_ended = true;
}

void
deflate_advance_output(struct stream *stream)
{
	struct deflate *layer = stream->deflate;
	size_t length = evbuffer_get_length(layer->plain);

	if (layer->is_lent || evbuffer_get_length(stream->output) >= OUTPUT_MAX)
		return;
	if (length <= INLINE_MAX && layer->is_output_ending) {
		finish_output(layer, stream);
		return;
	}
	if (length == 0)
		return;
	if (length <= INLINE_MAX) {
		deflate_all(layer, layer->plain, Z_SYNC_FLUSH, stream->output);
		return;
	}
	evbuffer_remove_buffer(layer->plain, layer->lent_plain, LEND_MAX);
	layer->pending = evbuffer_get_length(layer->lent_plain);
	layer->is_lent = true;
	workers_submit(layer->compute, &layer->job);
}

/* ---- input -------------------------------------------------------------------------------------------- */

static void
open_input(struct deflate *layer)
{
	if (layer->in_region.at != NULL)
		return;
	layer->in = state_in(&layer->in_region);
	must(inflateInit2(&layer->in, WINDOW_BITS));
	if (layer->history.length > 0)
		must(inflateSetDictionary(&layer->in, layer->history.at, (uInt)layer->history.length));
	buffer_free(&layer->history);
}

static bool
takes_input(const struct stream *stream)
{
	return !stream->is_paused && !stream->is_closing && !stream->deflate->is_over && !(stream->has_ended && stream->end != STREAM_EOF) &&
	    evbuffer_get_length(stream->input) < stream->input_limit;
}

/*
 * Behind a flush nothing is inflated before the owner has taken all that came before it: it may be the end.  What is
 * below a blank begins no command, but may be the block in which some peers end all the same.
 */
static bool
goes_on_behind_flush(const struct stream *stream)
{
	const struct deflate *layer = stream->deflate;
	uint8_t next;

	if (!layer->is_flushed)
		return true;
	if (!layer->is_input_ending)
		return evbuffer_get_length(stream->input) == 0;
	return !layer->is_finished && evbuffer_copyout(layer->received, &next, 1) == 1 && next < ' ';
}

/* As if the peer had sent its last octet before: it can still be told so. */
static void
end_input(struct deflate *layer, struct stream *stream)
{
	layer->is_over = true;
	layer->has_pending = false;
	stream->is_wire_ended = true;
	stream_note_end(stream, STREAM_EOF);
}

/* zlib.h on data_type: 128 behind a block, and the bits of the last octet that are not used. */
static void
note_block(struct deflate *layer, int result)
{
	layer->is_finished = result == Z_STREAM_END;
	layer->is_flushed = layer->is_finished ||
	    (layer->in.data_type == 128 && layer->is_block_empty);
	if ((layer->in.data_type & 128) == 0)
		return;
	layer->has_empty_ended = layer->is_block_empty;
	layer->is_block_empty = true;
}

/* Inflate from one piece of what was received; false: nothing can be made of it, or not yet. */
static bool
inflate_piece(struct deflate *layer, struct stream *stream)
{
	struct evbuffer_iovec piece;
	uint8_t octets[PIECE];
	z_stream *z = &layer->in;
	bool has_more = evbuffer_peek(layer->received, -1, NULL, &piece, 1) > 0;
	int result;

	z->next_in = has_more ? piece.iov_base : NULL;
	z->avail_in = has_more ? (uInt)piece.iov_len : 0;
	z->next_out = octets;
	z->avail_out = sizeof octets;
	result = inflate(z, Z_BLOCK);
	if (has_more)
		evbuffer_drain(layer->received, piece.iov_len - z->avail_in);
	layer->has_pending = z->avail_out == 0;
	if (z->avail_out < sizeof octets) {
		evbuffer_add(stream->input, octets, sizeof octets - z->avail_out);
		stream->is_input_new = true;
		layer->is_block_empty = layer->has_empty_ended = false;
	}
	if (result == Z_BUF_ERROR)
		return false;
	note_block(layer, result);
	if (result != Z_OK && result != Z_STREAM_END)
		end_input(layer, stream);
	return result == Z_OK;
}

/* What is left was not deflated, and so is all that comes. */
static void
pass_on(struct deflate *layer, struct stream *stream)
{
	layer->is_input_ended = true;
	layer->has_pending = false;
	evbuffer_add_buffer(stream->input, layer->received);
	stream->is_input_new = true;
}

static void
advance_input(struct stream *stream, struct deflate *layer)
{
	if (layer->is_over)
		evbuffer_drain(layer->received, evbuffer_get_length(layer->received));
	if (!layer->is_finished && deflate_has_input(layer)) {
		open_input(layer);
		while (takes_input(stream) && goes_on_behind_flush(stream) && inflate_piece(layer, stream))
			;
	}
	if (layer->is_over)
		return;
	if (layer->is_input_ending && layer->is_flushed && !goes_on_behind_flush(stream))
		pass_on(layer, stream);
	else if (layer->is_finished && evbuffer_get_length(stream->input) == 0)
		end_input(layer, stream);
}

struct evbuffer *
deflate_received(struct deflate *layer)
{
	return layer->is_input_ended ? NULL : layer->received;
}

bool
deflate_has_input(const struct deflate *layer)
{
	return !layer->is_over && (evbuffer_get_length(layer->received) > 0 || layer->has_pending);
}

/* ---- both --------------------------------------------------------------------------------------------- */

struct evbuffer *
deflate_plain(const struct deflate *layer)
{
	return !layer->is_output_ending ? layer->plain : layer->is_output_ended ? NULL : layer->behind;
}

size_t
deflate_pending(const struct deflate *layer)
{
	return evbuffer_get_length(layer->plain) + layer->pending + evbuffer_get_length(layer->behind);
}

void
deflate_leave(struct stream *stream)
{
	struct deflate *layer = stream->deflate;

	if (layer == NULL)
		return;
	stream->deflate = NULL;
	layer->stream = NULL;
	if (!layer->is_lent)
		destroy(layer);
}

void
stream_start_deflate(struct stream *stream, struct workers *compute)
{
	struct deflate *layer = NEW(struct deflate);

	assert(stream->deflate == NULL && stream->splice == NULL);
	layer->stream = stream;
	layer->compute = compute;
	layer->received = evbuffer_make();
	layer->plain = evbuffer_make();
	layer->behind = evbuffer_make();
	layer->is_block_empty = true;
	layer->lent_plain = evbuffer_make();
	layer->lent_out = evbuffer_make();
	layer->job.work = work_deflate;
	layer->job.done = on_deflated;
	evbuffer_add_buffer(layer->received, stream->input);
	stream->deflate = layer;
	stream_advance_later(stream);
}

void
stream_end_deflated_input(struct stream *stream)
{
	if (stream->deflate == NULL)
		return;
	stream->deflate->is_input_ending = true;
	stream_advance_later(stream);
}

void
stream_end_deflated_output(struct stream *stream)
{
	if (stream->deflate == NULL)
		return;
	stream->deflate->is_output_ending = true;
	stream_advance_later(stream);
}

/*
 * A flush ends the block with an empty one.  One that is stored ends at an octet's edge, and all of it is sent; where
 * another kind has begun (inflateMark(): a code is under way), bits of it may stay with the peer for ever.
 */
bool
stream_awaits_flush(const struct stream *stream)
{
	struct deflate *layer = stream->deflate;

	if (layer == NULL || layer->is_input_ended || layer->is_flushed || layer->is_over || layer->in_region.at == NULL)
		return false;
	return !layer->is_block_empty || (!layer->has_empty_ended && inflateMark(&layer->in) >> 16 == -1);
}

bool
stream_is_deflated(const struct stream *stream)
{
	return stream->deflate != NULL;
}

/*
 * Between two blocks, at an octet's edge, a new state with the old one's history can go on: zlib.h on data_type.  A
 * peer that flushes in another way keeps its state.
 */
static bool
can_rest_input(const struct deflate *layer)
{
	return layer->in_region.at != NULL && !deflate_has_input(layer) && layer->in.data_type == 128;
}

static void
add_window(struct deflate *layer, struct buffer *out)
{
	uint8_t window[DEFLATE_WINDOW_MAX];
	uInt length = sizeof window;

	must(inflateGetDictionary(&layer->in, window, &length));
	buffer_add(out, window, length);
}

static void
rest_input(struct deflate *layer)
{
	add_window(layer, &layer->history);
	region_close(&layer->in_region);
}

static void
rest(struct deflate *layer)
{
	if (!layer->is_resting || layer->is_lent)
		return;
	if (can_rest_input(layer))
		rest_input(layer);
	if (evbuffer_get_length(layer->plain) == 0)
		region_close(&layer->out_region);
}

void
stream_rest_deflate(struct stream *stream, bool is_resting)
{
	if (stream->deflate == NULL)
		return;
	stream->deflate->is_resting = is_resting;
	stream_advance_later(stream);
}

void
deflate_advance(struct stream *stream)
{
	struct deflate *layer = stream->deflate;

	if (!layer->is_input_ended)
		advance_input(stream, layer);
	rest(layer);
	if (layer->is_input_ended && layer->is_output_ended)
		deflate_leave(stream);
}

static bool
can_be_taken(const struct deflate *layer)
{
	return !layer->is_lent && evbuffer_get_length(layer->plain) == 0 && !layer->has_pending && !layer->is_over &&
	    !layer->is_finished && !layer->is_input_ending && !layer->is_output_ending &&
	    (layer->in_region.at == NULL || layer->in.data_type == 128);
}

bool
stream_take_deflate(struct stream *stream, struct buffer *window_out, struct buffer *unread_out)
{
	struct deflate *layer = stream->deflate;
	size_t unread = evbuffer_get_length(stream->input);

	if (layer == NULL)
		return false;
	deflate_advance_output(stream);
	if (!can_be_taken(layer))
		return false;
	if (layer->in_region.at != NULL)
		add_window(layer, window_out);
	else
		buffer_add_span(window_out, buffer_span(&layer->history));
	if (unread > 0)
		buffer_add(unread_out, evbuffer_pullup(stream->input, -1), unread);
	evbuffer_drain(stream->input, unread);
	evbuffer_add_buffer(stream->input, layer->received);
	stream->is_input_new = true;
	deflate_leave(stream);
	stream_advance_later(stream);
	return true;
}

void
stream_resume_deflate(struct stream *stream, struct workers *compute, struct span window, struct span unread)
{
	stream_start_deflate(stream, compute);
	buffer_add_span(&stream->deflate->history, window);
	stream->deflate->is_flushed = true;
	evbuffer_add(stream->input, unread.at, unread.length);
	stream->is_input_new = true;
}
