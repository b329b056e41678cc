/*
 * zstd for rows.  A row is compressed by itself, so that a part of a body costs no more than the rows it lies in.
 * Levels are measurements: 1 for bodies; for header blocks -1, which leaves literals as they are, since thousands of
 * them are read for one command.
 */
#include "codec.h"

#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "dictionary.h"

#define BODY_LEVEL	1
#define HEADER_LEVEL	(-1)
#define PROBE_LEVEL	(-1)
#define PROBED_OCTETS	(8 * 1024)	/* rows from this size on are tried before they are compressed */
#define PROBE_PIECES	4
#define PROBE_PIECE	1024		/* octets */

/* Of a thread. */
struct contexts {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *expand;
	struct buffer packed;
};

static struct {
	pthread_once_t once;
	pthread_key_t contexts;
	ZSTD_CDict *compress;
	ZSTD_DDict *expand;
} shared = { .once = PTHREAD_ONCE_INIT };

static void *
need(void *made)
{
	if (made == NULL)	/* out of memory */
		abort();
	return made;
}

static void
contexts_free(void *freed)
{
	struct contexts *contexts = freed;

	ZSTD_freeCCtx(contexts->compress);
	ZSTD_freeDCtx(contexts->expand);
	buffer_free(&contexts->packed);
	free(contexts);
}

static void
make_shared(void)
{
	struct span octets = header_dictionary;

	if (pthread_key_create(&shared.contexts, contexts_free) != 0)
		abort();
	shared.compress = need(ZSTD_createCDict(octets.at, octets.length, HEADER_LEVEL));
	shared.expand = need(ZSTD_createDDict(octets.at, octets.length));
}

static struct contexts *
contexts_of_thread(void)
{
	struct contexts *contexts;

	assert_off_loop();
	pthread_once(&shared.once, make_shared);
	contexts = pthread_getspecific(shared.contexts);
	if (contexts != NULL)
		return contexts;
	contexts = NEW(struct contexts);
	contexts->compress = need(ZSTD_createCCtx());
	contexts->expand = need(ZSTD_createDCtx());
	ZSTD_CCtx_setParameter(contexts->compress, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(contexts->compress, ZSTD_c_dictIDFlag, 0);
	buffer_reserve(&contexts->packed, ZSTD_compressBound(STORE_CHUNK_OCTETS));
	pthread_setspecific(shared.contexts, contexts);
	return contexts;
}

static bool
saves_a_fifth(size_t before, size_t after)
{
	return after <= before - before / 5;
}

/* Compress into the packed octets of the thread. */
static size_t
compress(struct contexts *contexts, int level, const ZSTD_CDict *dictionary, struct span octets)
{
	size_t length;

	ZSTD_CCtx_setParameter(contexts->compress, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_refCDict(contexts->compress, dictionary);
	length = ZSTD_compress2(contexts->compress, contexts->packed.at, contexts->packed.capacity, octets.at,
	    octets.length);
	return ZSTD_isError(length) ? octets.length : length;
}

/*
 * Whether there is something in a long row that comes again, as in text.  In base64 there is not: shorter codes for
 * its 64 letters would save a fourth, and cost each reader more than all the rest of a FETCH.
 */
static bool
is_promising(struct contexts *contexts, struct span octets)
{
	uint8_t pieces[PROBE_PIECES * PROBE_PIECE];
	size_t step = octets.length / PROBE_PIECES;
	size_t length;

	if (octets.length < PROBED_OCTETS)
		return true;
	for (size_t i = 0; i < PROBE_PIECES; i++)
		memcpy(pieces + i * PROBE_PIECE, octets.at + i * step, PROBE_PIECE);
	length = compress(contexts, PROBE_LEVEL, NULL, span_of(pieces, sizeof pieces));
	return length <= sizeof pieces - sizeof pieces / 10;
}

enum encoding
codec_pack(enum encoding encoding, struct span octets, struct span *octets_out)
{
	struct contexts *contexts = contexts_of_thread();
	bool is_header = encoding == ENCODING_ZSTD_HEADERS;
	size_t length = octets.length;

	if (octets.length > 0 && octets.length <= STORE_CHUNK_OCTETS && (is_header || is_promising(contexts, octets)))
		length = compress(contexts, is_header ? HEADER_LEVEL : BODY_LEVEL,
		    is_header ? shared.compress : NULL, octets);
	if (length == 0 || !saves_a_fifth(octets.length, length)) {
		*octets_out = octets;
		return ENCODING_NONE;
	}
	*octets_out = span_of(contexts->packed.at, length);
	return encoding;
}

bool
codec_unpack(int64_t encoding, struct span packed, size_t length, struct buffer *out)
{
	struct contexts *contexts;
	size_t made;

	if (encoding == ENCODING_NONE) {
		if (packed.length == length)
			buffer_add_span(out, packed);
		return packed.length == length;
	}
	if (encoding != ENCODING_ZSTD && encoding != ENCODING_ZSTD_HEADERS)
		return false;
	contexts = contexts_of_thread();
	made = ZSTD_decompress_usingDDict(contexts->expand, buffer_reserve(out, length), length, packed.at,
	    packed.length, encoding == ENCODING_ZSTD_HEADERS ? shared.expand : NULL);
	if (ZSTD_isError(made) || made != length)
		return false;
	out->length += made;
	return true;
}

bool
codec_unpack_all(int64_t encoding, struct span packed, size_t most, struct buffer *out)
{
	uint64_t length = packed.length;

	if (encoding != ENCODING_NONE)
		length = ZSTD_getFrameContentSize(packed.at, packed.length);
	/* The codes for an unknown length and for what is no frame are the highest numbers. */
	return length <= most && codec_unpack(encoding, packed, (size_t)length, out);
}
