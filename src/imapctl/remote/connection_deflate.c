/*
 * DEFLATE by zlib.
 */
#include "connection_deflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

#define WINDOW_BITS (-15)	/* 32 KiB, raw */
#define PIECE_OCTETS ((size_t)16 * 1024)

struct connection_deflate {
	z_stream packing, unpacking;
};

struct connection_deflate *
connection_deflate_new(void)
{
	struct connection_deflate *state = NEW(struct connection_deflate);

	if (deflateInit2(&state->packing, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&state->unpacking, WINDOW_BITS) != Z_OK)
		abort();
	return state;
}

void
connection_deflate_free(struct connection_deflate **state)
{
	if (*state == NULL)
		return;
	deflateEnd(&(*state)->packing);
	inflateEnd(&(*state)->unpacking);
	free(*state);
	*state = NULL;
}

void
connection_deflate_pack(struct connection_deflate *state, struct span plain, struct buffer *packed_out)
{
	z_stream *stream = &state->packing;

	stream->next_in = (Bytef *)(uintptr_t)plain.at;
	stream->avail_in = (uInt)plain.length;
	do {
		stream->next_out = buffer_reserve(packed_out, PIECE_OCTETS);
		stream->avail_out = PIECE_OCTETS;
		deflate(stream, Z_SYNC_FLUSH);
		packed_out->length += PIECE_OCTETS - stream->avail_out;
	} while (stream->avail_out == 0);
}

bool
connection_deflate_unpack(struct connection_deflate *state, struct buffer *packed, size_t limit, struct buffer *plain_out,
    bool *has_more_out)
{
	z_stream *stream = &state->unpacking;
	size_t start = plain_out->length;
	int code = Z_OK;

	stream->next_in = packed->at;
	stream->avail_in = (uInt)packed->length;
	do {
		stream->next_out = buffer_reserve(plain_out, PIECE_OCTETS);
		stream->avail_out = PIECE_OCTETS;
		code = inflate(stream, Z_SYNC_FLUSH);
		plain_out->length += PIECE_OCTETS - stream->avail_out;
	} while (code == Z_OK && stream->avail_out == 0 && plain_out->length - start < limit);
	buffer_consume(packed, packed->length - stream->avail_in);
	/* A full piece: zlib may hold more of it. */
	*has_more_out = stream->avail_out == 0;
	return code >= Z_OK || code == Z_BUF_ERROR;
}
