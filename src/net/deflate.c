/*
 * DEFLATE on a stream.  Input is inflated on the loop, up to the stream's input limit at a time, so that a small
 * input that grows large is bounded by what its reader takes.  Much output is deflated by a worker, to which the
 * object is lent; a flush ends each piece, so that the peer can read all of it.
 */
#include "net/deflate.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>

#include "base/memory.h"
#include "internal.h"
#include "loop/job.h"

#define WINDOW_BITS  (-15)		/* the largest window; negative: no header (zlib.h) */
#define LEVEL	     1			/* output goes over networks that are faster than better levels */
#define MEMORY_LEVEL 8
#define WINDOW_SIZE  32768
#define INLINE_MAX   ((size_t)8 * 1024)	/* more output than this is deflated by a worker */
#define LEND_MAX     ((size_t)256 * 1024)
#define OUTPUT_MAX   ((size_t)128 * 1024)	/* deflated and not yet encrypted or taken by the kernel */
#define PIECE	     ((size_t)16 * 1024)
#define REGION	     ((size_t)512 * 1024)	/* of addresses; zlib.h: a state needs 268 KiB at most */

/* The memory of one state of zlib: a mapping of its own, so that it goes back to the system when the state goes. */
struct region {
	uint8_t *at;			/* NULL: no state */
	size_t used;
};

struct deflate {
	struct stream *stream;		/* NULL: freed while lent */
	struct workers *compute;
	struct evbuffer *received;	/* not yet inflated */
	struct evbuffer *plain;		/* not yet deflated */
	z_stream in, out;
	struct region in_region, out_region;
	bool has_pending;		/* zlib may have more input than there was room for */
	bool is_over;			/* nothing can be made of what comes */
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

static void *
region_take(void *context, unsigned count, unsigned size)
{
	struct region *region = context;
	size_t length = ((size_t)count * size + 15) & ~(size_t)15;
	uint8_t *taken = region->at + region->used;

	if (length > REGION - region->used)
		return NULL;
	region->used += length;
	return taken;
}

static void
region_keep(void *context, void *taken)
{
	(void)context;
	(void)taken;
}

/* Returns what a state begins with. */
static z_stream
region_open(struct region *region)
{
	region->at = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region->at == MAP_FAILED)
		abort();
	region->used = 0;
	return (z_stream){ .zalloc = region_take, .zfree = region_keep, .opaque = region };
}

static void
region_close(struct region *region)
{
	if (region->at != NULL)
		munmap(region->at, REGION);
	region->at = NULL;
}

static void
destroy(struct deflate *layer)
{
	region_close(&layer->in_region);
	region_close(&layer->out_region);
	evbuffer_free(layer->received);
	evbuffer_free(layer->plain);
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
	layer->out = region_open(&layer->out_region);
	must(deflateInit2(&layer->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY));
}

/* Deflate one span; with Z_SYNC_FLUSH (RFC 4978 section 4) the peer can read all of it. */
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
deflate_all(struct deflate *layer, struct evbuffer *plain, struct evbuffer *out)
{
	struct evbuffer_iovec piece;

	open_output(layer);
	while (evbuffer_peek(plain, -1, NULL, &piece, 1) > 0) {
		deflate_span(layer, span_of(piece.iov_base, piece.iov_len), Z_NO_FLUSH, out);
		evbuffer_drain(plain, piece.iov_len);
	}
	deflate_span(layer, span_of(NULL, 0), Z_SYNC_FLUSH, out);
}

static void
work_deflate(struct job *job)
{
	struct deflate *layer = CONTAINER_OF(job, struct deflate, job);

	deflate_all(layer, layer->lent_plain, layer->lent_out);
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

void
deflate_advance_output(struct stream *stream)
{
	struct deflate *layer = stream->deflate;
	size_t length = evbuffer_get_length(layer->plain);

	if (layer->is_lent || length == 0 || evbuffer_get_length(stream->output) >= OUTPUT_MAX)
		return;
	if (length <= INLINE_MAX) {
		deflate_all(layer, layer->plain, stream->output);
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
	layer->in = region_open(&layer->in_region);
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

/* As if the peer had sent its last octet before: it can still be told so. */
static void
end_input(struct deflate *layer, struct stream *stream)
{
	layer->is_over = true;
	layer->has_pending = false;
	stream->is_wire_ended = true;
	stream_note_end(stream, STREAM_EOF);
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
	result = inflate(z, Z_SYNC_FLUSH);
	if (has_more)
		evbuffer_drain(layer->received, piece.iov_len - z->avail_in);
	layer->has_pending = z->avail_out == 0;
	if (z->avail_out < sizeof octets) {
		evbuffer_add(stream->input, octets, sizeof octets - z->avail_out);
		stream->is_input_new = true;
	}
	if (result == Z_BUF_ERROR)
		return false;
	if (result != Z_OK)
		end_input(layer, stream);
	return result == Z_OK;
}

static void
advance_input(struct stream *stream, struct deflate *layer)
{
	if (layer->is_over)
		evbuffer_drain(layer->received, evbuffer_get_length(layer->received));
	if (!deflate_has_input(layer))
		return;
	open_input(layer);
	while (takes_input(stream) && inflate_piece(layer, stream))
		;
}

struct evbuffer *
deflate_received(struct deflate *layer)
{
	return layer->received;
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
	return layer->plain;
}

size_t
deflate_pending(const struct deflate *layer)
{
	return evbuffer_get_length(layer->plain) + layer->pending;
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
	layer->lent_plain = evbuffer_make();
	layer->lent_out = evbuffer_make();
	layer->job.work = work_deflate;
	layer->job.done = on_deflated;
	evbuffer_add_buffer(layer->received, stream->input);
	stream->deflate = layer;
	stream_advance_later(stream);
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
rest_input(struct deflate *layer)
{
	uint8_t window[WINDOW_SIZE];
	uInt length = sizeof window;

	must(inflateGetDictionary(&layer->in, window, &length));
	buffer_add(&layer->history, window, length);
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
	advance_input(stream, stream->deflate);
	rest(stream->deflate);
}
