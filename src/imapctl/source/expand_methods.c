/*
 * gzip (RFC 1952) by zlib, bzip2, xz, zstd (RFC 8878), the lz4 frame, and the lz4 blocks of Dovecot's own
 * container: 15 octets of magic, the largest block's size, then blocks with their compressed size before
 * them, all numbers of 32 bits with the highest octet first.
 */
#include "expand_methods.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buffer.h"
#include "base/memory.h"

#define MEMORY_MAX	(128u << 20)	/* xz -9 needs 65 MiB */
#define BLOCK_MAX	(1u << 20)	/* of Dovecot's lz4; it writes 64 KiB */

static void
advance(struct expand_work *work, size_t in_left, size_t room_left)
{
	work->in = span_from(work->in, work->in.length - in_left);
	work->out += work->room - room_left;
	work->room = room_left;
}

static void *
gzip_begin(void)
{
	z_stream *stream = NEW(z_stream);

	if (inflateInit2(stream, 16 + MAX_WBITS) != Z_OK)	/* 16: gzip's frame, not zlib's */
		abort();
	return stream;
}

static enum expand_step
gzip_step(void *decoder, struct expand_work *work)
{
	z_stream *stream = decoder;
	int status;

	stream->next_in = (Bytef *)(uintptr_t)work->in.at;
	stream->avail_in = (uInt)work->in.length;
	stream->next_out = work->out;
	stream->avail_out = (uInt)work->room;
	status = inflate(stream, Z_NO_FLUSH);
	advance(work, stream->avail_in, stream->avail_out);
	if (status == Z_STREAM_END)
		return EXPAND_END;
	return status == Z_OK || status == Z_BUF_ERROR ? EXPAND_MORE : EXPAND_DAMAGED;
}

static void
gzip_end(void *decoder)
{
	inflateEnd(decoder);
	free(decoder);
}

static void *
bzip2_begin(void)
{
	bz_stream *stream = NEW(bz_stream);

	if (BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK)
		abort();
	return stream;
}

static enum expand_step
bzip2_step(void *decoder, struct expand_work *work)
{
	bz_stream *stream = decoder;
	int status;

	stream->next_in = (char *)(uintptr_t)work->in.at;
	stream->avail_in = (unsigned)work->in.length;
	stream->next_out = (char *)work->out;
	stream->avail_out = (unsigned)work->room;
	status = BZ2_bzDecompress(stream);
	advance(work, stream->avail_in, stream->avail_out);
	if (status == BZ_STREAM_END)
		return EXPAND_END;
	return status == BZ_OK ? EXPAND_MORE : EXPAND_DAMAGED;
}

static void
bzip2_end(void *decoder)
{
	BZ2_bzDecompressEnd(decoder);
	free(decoder);
}

static void *
xz_begin(void)
{
	lzma_stream *stream = NEW(lzma_stream);

	*stream = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(stream, MEMORY_MAX, 0) != LZMA_OK)
		abort();
	return stream;
}

static enum expand_step
xz_step(void *decoder, struct expand_work *work)
{
	lzma_stream *stream = decoder;
	lzma_ret status;

	stream->next_in = work->in.at;
	stream->avail_in = work->in.length;
	stream->next_out = work->out;
	stream->avail_out = work->room;
	status = lzma_code(stream, LZMA_RUN);
	advance(work, stream->avail_in, stream->avail_out);
	switch (status) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return EXPAND_MORE;
	case LZMA_STREAM_END:
		return EXPAND_END;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return EXPAND_TOO_LARGE;
	default:
		return EXPAND_DAMAGED;
	}
}

static void
xz_end(void *decoder)
{
	lzma_end(decoder);
	free(decoder);
}

static void *
zstd_begin(void)
{
	ZSTD_DStream *stream = ZSTD_createDStream();

	if (stream == NULL)
		abort();
	return stream;		/* by default no window above 128 MiB */
}

static enum expand_step
zstd_step(void *decoder, struct expand_work *work)
{
	ZSTD_inBuffer in = { work->in.at, work->in.length, 0 };
	ZSTD_outBuffer out = { work->out, work->room, 0 };
	size_t status = ZSTD_decompressStream(decoder, &out, &in);

	advance(work, in.size - in.pos, out.size - out.pos);
	if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
		return EXPAND_TOO_LARGE;
	if (ZSTD_isError(status))
		return EXPAND_DAMAGED;
	return status == 0 ? EXPAND_END : EXPAND_MORE;
}

static void
zstd_end(void *decoder)
{
	ZSTD_freeDStream(decoder);
}

static void *
lz4_begin(void)
{
	LZ4F_dctx *context;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		abort();
	return context;
}

static enum expand_step
lz4_step(void *decoder, struct expand_work *work)
{
	size_t taken = work->in.length, made = work->room;
	size_t status = LZ4F_decompress(decoder, work->out, &made, work->in.at, &taken, NULL);

	if (LZ4F_isError(status))
		return EXPAND_DAMAGED;
	advance(work, work->in.length - taken, work->room - made);
	return status == 0 ? EXPAND_END : EXPAND_MORE;
}

static void
lz4_end(void *decoder)
{
	LZ4F_freeDecompressionContext(decoder);
}

#define DOVECOT_MAGIC SPAN("Dovecot-LZ4\x0d\x2a\x9b\xc5")

struct dovecot_lz4 {
	struct buffer compressed;	/* the head, then a block with its size, as far as they have come */
	uint8_t *block;
	size_t block_max;		/* 0: the head is still to come */
	size_t at, length;		/* of what is in block: given out, there */
};

static void *
dovecot_lz4_begin(void)
{
	return NEW(struct dovecot_lz4);
}

static uint32_t
number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Take input until so much has gathered; false: more must come. */
static bool
gather(struct dovecot_lz4 *lz4, size_t wanted, struct expand_work *work)
{
	struct span piece = span_slice(work->in, 0, wanted > lz4->compressed.length ? wanted - lz4->compressed.length : 0);

	buffer_add_span(&lz4->compressed, piece);
	work->in = span_from(work->in, piece.length);
	return lz4->compressed.length >= wanted;
}

static enum expand_step
take_head(struct dovecot_lz4 *lz4, struct expand_work *work)
{
	size_t magic = DOVECOT_MAGIC.length;

	if (!gather(lz4, magic + 4, work))
		return EXPAND_MORE;
	lz4->block_max = number_at(lz4->compressed.at + magic);
	if (!span_starts_with(buffer_span(&lz4->compressed), DOVECOT_MAGIC) || lz4->block_max == 0)
		return EXPAND_DAMAGED;
	if (lz4->block_max > BLOCK_MAX)
		return EXPAND_TOO_LARGE;
	lz4->block = memory_new(lz4->block_max);
	buffer_clear(&lz4->compressed);
	return EXPAND_MORE;
}

static enum expand_step
take_block(struct dovecot_lz4 *lz4, struct expand_work *work)
{
	size_t size;
	int length;

	if (!gather(lz4, 4, work))
		return EXPAND_MORE;
	size = number_at(lz4->compressed.at);
	if (size > (size_t)LZ4_compressBound((int)lz4->block_max))
		return EXPAND_DAMAGED;
	if (!gather(lz4, 4 + size, work))
		return EXPAND_MORE;
	length = LZ4_decompress_safe((const char *)lz4->compressed.at + 4, (char *)lz4->block, (int)size,
	    (int)lz4->block_max);
	if (length < 0)
		return EXPAND_DAMAGED;
	lz4->at = 0;
	lz4->length = (size_t)length;
	buffer_clear(&lz4->compressed);
	return EXPAND_MORE;
}

static void
give(struct dovecot_lz4 *lz4, struct expand_work *work)
{
	size_t length = lz4->length - lz4->at;

	if (length > work->room)
		length = work->room;
	if (length > 0)
		memcpy(work->out, lz4->block + lz4->at, length);
	lz4->at += length;
	advance(work, work->in.length, work->room - length);
}

static enum expand_step
dovecot_lz4_step(void *decoder, struct expand_work *work)
{
	struct dovecot_lz4 *lz4 = decoder;
	enum expand_step step = EXPAND_MORE;

	give(lz4, work);
	while (step == EXPAND_MORE && work->room > 0 && work->in.length > 0) {
		step = lz4->block_max == 0 ? take_head(lz4, work) : take_block(lz4, work);
		give(lz4, work);
	}
	return step;
}

static void
dovecot_lz4_end(void *decoder)
{
	struct dovecot_lz4 *lz4 = decoder;

	buffer_free(&lz4->compressed);
	free(lz4->block);
	free(lz4);
}

static bool
dovecot_lz4_may_end(const void *decoder)
{
	const struct dovecot_lz4 *lz4 = decoder;

	return lz4->block_max > 0 && lz4->compressed.length == 0;
}

static const struct expand_method methods[] = {
	{ SPAN("\x1f\x8b"), gzip_begin, gzip_step, gzip_end, NULL, 0 },
	{ SPAN("BZh"), bzip2_begin, bzip2_step, bzip2_end, NULL, 0 },
	{ SPAN("\xfd""7zXZ\0"), xz_begin, xz_step, xz_end, NULL, 0 },
	{ SPAN("\x28\xb5\x2f\xfd"), zstd_begin, zstd_step, zstd_end, NULL, 0 },
	{ SPAN("\x50\x2a\x4d\x18"), zstd_begin, zstd_step, zstd_end, NULL, 0 },	/* by pzstd */
	{ SPAN("\x04\x22\x4d\x18"), lz4_begin, lz4_step, lz4_end, NULL, 0 },
	{ SPAN("Dovecot-LZ4\x0d\x2a\x9b\xc5"), dovecot_lz4_begin, dovecot_lz4_step, dovecot_lz4_end,
	    dovecot_lz4_may_end, 0 },
	{ SPAN("CRYPTED\x03\x07"), NULL, NULL, NULL, NULL, ENOKEY },	/* Dovecot's mail_crypt */
	{ SPAN("\xee\xff\xcc"), NULL, NULL, NULL, NULL, ENOKEY },	/* and its scrambler */
};

/* A header field can be named BZh, but then it is not followed by a digit and a block's magic. */
static bool
is_bzip2(struct span head)
{
	struct span block = span_from(head, 4);

	return head.length >= 4 && head.at[3] >= '1' && head.at[3] <= '9' &&
	    (block.length == 0 || block.at[0] == 0x31 || block.at[0] == 0x17);
}

const struct expand_method *
expand_method_find(struct span head)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (span_starts_with(head, methods[i].magic) &&
		    (methods[i].begin != bzip2_begin || is_bzip2(head)))
			return &methods[i];
	}
	return NULL;
}
