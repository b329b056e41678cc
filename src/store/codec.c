/*
 * zstd for rows.  A row is compressed by itself, so that a part of a body costs no more than the rows it lies in.
 * Levels are measurements: 1 for bodies and with a dictionary of the file, which has the codes of literals ready; for
 * header blocks without one -1, which leaves literals as they are, since thousands of them are read for one command.
 */
#define ZDICT_STATIC_LINKING_ONLY	/* for training with parameters that are known: the public way tries forty, 50 ms */
#include "codec.h"

#include <pthread.h>
#include <stdlib.h>
#include <zdict.h>
#include <zstd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "base64.h"
#include "dictionary.h"

#define BODY_LEVEL	1
#define HEADER_LEVEL	(-1)
#define PROBE_LEVEL	(-1)
#define PROBED_OCTETS	(8 * 1024)	/* rows from this size on are tried before they are compressed */
#define BASE64_LEAST	1024	/* rows from this size on are looked through for base64 */
#define LETTERS_OF_OTHERS 40	/* base64 has some 64 in a KiB */
#define PROBE_PIECES	4
#define EVEN		1000	/* all octets come as often */
#define EVEN_NOISE	1060	/* and nearly so */
#define EVEN_TEXT	8000	/* base64 has half of it, a text in any script much more */
#define PROBE_PIECE	1024		/* octets */

#define SEGMENT_OCTETS	200	/* training chooses pieces of this size, by what strings of STRING_OCTETS come again */
#define STRING_OCTETS	8
#define STRINGS_LOG	17

struct codec_dictionary {
	int64_t encoding;
	ZSTD_CDict *compress;		/* NULL: it is for reading */
	ZSTD_DDict *expand;
};

/* Of a thread. */
struct contexts {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *expand;
	struct buffer packed, form;	/* form: of base64 */
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
	buffer_free(&contexts->form);
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

struct codec_dictionary *
codec_dictionary_new(int64_t encoding, struct span octets, bool is_for_writing)
{
	struct codec_dictionary *dictionary;
	ZSTD_DDict *expand = ZSTD_getDictID_fromDict(octets.at, octets.length) == 0 ? NULL :
	    ZSTD_createDDict(octets.at, octets.length);

	assert_off_loop();
	if (expand == NULL)
		return NULL;
	dictionary = NEW(struct codec_dictionary);
	dictionary->encoding = encoding;
	dictionary->expand = expand;
	if (is_for_writing)
		dictionary->compress = need(ZSTD_createCDict(octets.at, octets.length, BODY_LEVEL));
	return dictionary;
}

void
codec_dictionary_free(struct codec_dictionary **dictionary)
{
	struct codec_dictionary *freed = *dictionary;

	*dictionary = NULL;
	if (freed == NULL)
		return;
	ZSTD_freeCDict(freed->compress);
	ZSTD_freeDDict(freed->expand);
	free(freed);
}

size_t
codec_dictionary_octets(const struct codec_dictionary *dictionary)
{
	return ZSTD_sizeof_CDict(dictionary->compress) + ZSTD_sizeof_DDict(dictionary->expand);
}

int64_t
codec_dictionary_encoding(const struct codec_dictionary *dictionary)
{
	return dictionary->encoding;
}

bool
codec_dictionary_is_for_writing(const struct codec_dictionary *dictionary)
{
	return dictionary->compress != NULL;
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

/* How often two octets of these are the same, in parts of how often they would be if each came as often as the others. */
static unsigned
evenness(const uint8_t *octets, size_t length)
{
	uint16_t counts[256] = { 0 };
	uint64_t same = 0;

	for (size_t i = 0; i < length; i++)
		counts[octets[i]]++;
	for (unsigned i = 0; i < 256; i++)
		same += (uint64_t)counts[i] * counts[i];
	return (unsigned)((same - length) * 256 * EVEN / ((uint64_t)length * length));
}

/*
 * Whether there is something in a long row that comes again, as in text.  In base64 there is not, as long as it is
 * letters: shorter codes for these would save a fourth, and cost each reader more than all the rest of a FETCH.
 * Where no octet comes more often than others it was compressed before, and need not be tried; nor where few are most of it.
 */
static bool
is_promising(struct contexts *contexts, struct span octets)
{
	uint8_t pieces[PROBE_PIECES * PROBE_PIECE];
	size_t step = octets.length / PROBE_PIECES;
	unsigned even;
	size_t length;

	if (octets.length < PROBED_OCTETS)
		return true;
	for (size_t i = 0; i < PROBE_PIECES; i++)
		memcpy(pieces + i * PROBE_PIECE, octets.at + i * step, PROBE_PIECE);
	if ((even = evenness(pieces, sizeof pieces)) < EVEN_NOISE || even > EVEN_TEXT)
		return even > EVEN_TEXT;
	length = compress(contexts, PROBE_LEVEL, NULL, span_of(pieces, sizeof pieces));
	return length <= sizeof pieces - sizeof pieces / 10;
}

static int64_t
pack(struct contexts *contexts, int level, const ZSTD_CDict *dictionary, int64_t encoding, struct span octets,
    struct span *octets_out)
{
	size_t length = octets.length;

	*octets_out = octets;
	if (length == 0 || length > STORE_CHUNK_OCTETS)
		return ENCODING_NONE;
	length = compress(contexts, level, dictionary, octets);
	if (!saves_a_fifth(octets.length, length))
		return ENCODING_NONE;
	*octets_out = span_of(contexts->packed.at, length);
	return encoding;
}

/* Hexadecimal digits look like base64 of few letters: a frame of them is shorter than their bits. */
static bool
has_many_letters(struct span octets)
{
	struct span piece = span_slice(octets, octets.length / 2, PROBE_PIECE);
	bool has[256] = { false };
	unsigned count = 0;

	for (size_t i = 0; i < piece.length; i++) {
		count += !has[piece.at[i]];
		has[piece.at[i]] = true;
	}
	return count > LETTERS_OF_OTHERS;
}

/* As bits, and these as a frame where they are of something that was not compressed before it became base64. */
static int64_t
pack_base64(struct contexts *contexts, struct span octets, struct span *octets_out)
{
	*octets_out = octets;
	buffer_clear(&contexts->form);
	if (octets.length < BASE64_LEAST || octets.length > STORE_CHUNK_OCTETS ||
	    !has_many_letters(octets) || !base64_shorten(octets, &contexts->form))
		return ENCODING_NONE;
	if (is_promising(contexts, buffer_span(&contexts->form)) && pack(contexts, BODY_LEVEL, NULL, ENCODING_BASE64_ZSTD,
	    buffer_span(&contexts->form), octets_out) != ENCODING_NONE)
		return ENCODING_BASE64_ZSTD;
	*octets_out = buffer_span(&contexts->form);
	return ENCODING_BASE64;
}

int64_t
codec_pack(enum encoding encoding, const struct codec_dictionary *dictionary, struct span octets,
    struct span *octets_out)
{
	struct contexts *contexts = contexts_of_thread();
	int64_t as_bits;

	if (dictionary != NULL)
		return pack(contexts, BODY_LEVEL, dictionary->compress, dictionary->encoding, octets, octets_out);
	if (encoding == ENCODING_ZSTD_HEADERS)
		return pack(contexts, HEADER_LEVEL, shared.compress, encoding, octets, octets_out);
	if ((as_bits = pack_base64(contexts, octets, octets_out)) != ENCODING_NONE)
		return as_bits;
	if (octets.length <= STORE_CHUNK_OCTETS && is_promising(contexts, octets))
		return pack(contexts, BODY_LEVEL, NULL, encoding, octets, octets_out);
	return ENCODING_NONE;
}

int64_t
codec_pack_texts(const struct codec_dictionary *dictionary, struct span octets, struct span *octets_out)
{
	struct contexts *contexts = contexts_of_thread();
	int64_t encoding;

	ZSTD_CCtx_setParameter(contexts->compress, ZSTD_c_checksumFlag, 0);
	encoding = pack(contexts, BODY_LEVEL, dictionary == NULL ? NULL : dictionary->compress,
	    dictionary == NULL ? ENCODING_ZSTD : dictionary->encoding, octets, octets_out);
	ZSTD_CCtx_setParameter(contexts->compress, ZSTD_c_checksumFlag, 1);
	return encoding;
}

static bool
expand(struct contexts *contexts, const ZSTD_DDict *dictionary, struct span packed, size_t length, struct buffer *out)
{
	size_t made = ZSTD_decompress_usingDDict(contexts->expand, buffer_reserve(out, length), length, packed.at,
	    packed.length, dictionary);

	if (ZSTD_isError(made) || made != length)
		return false;
	out->length += made;
	return true;
}

/* A form is shorter than what it is of. */
static bool
expand_base64(struct contexts *contexts, struct span packed, size_t length, struct buffer *out)
{
	uint64_t form_length = ZSTD_getFrameContentSize(packed.at, packed.length);

	buffer_clear(&contexts->form);
	return form_length <= length && expand(contexts, NULL, packed, (size_t)form_length, &contexts->form) &&
	    base64_lengthen(buffer_span(&contexts->form), length, out);
}

bool
codec_unpack(int64_t encoding, const struct codec_dictionary *dictionary, struct span packed, size_t length,
    struct buffer *out)
{
	struct contexts *contexts;

	if (encoding == ENCODING_NONE) {
		if (packed.length == length)
			buffer_add_span(out, packed);
		return packed.length == length;
	}
	contexts = contexts_of_thread();
	switch (encoding) {
	case ENCODING_ZSTD:
		return expand(contexts, NULL, packed, length, out);
	case ENCODING_ZSTD_HEADERS:
		return expand(contexts, shared.expand, packed, length, out);
	case ENCODING_BASE64:
		return base64_lengthen(packed, length, out);
	case ENCODING_BASE64_ZSTD:
		return expand_base64(contexts, packed, length, out);
	default:
		return dictionary != NULL && dictionary->encoding == encoding &&
		    expand(contexts, dictionary->expand, packed, length, out);
	}
}

bool
codec_unpack_all(int64_t encoding, const struct codec_dictionary *dictionary, struct span packed, size_t most,
    struct buffer *out)
{
	uint64_t length = packed.length;

	if (encoding != ENCODING_NONE)
		length = ZSTD_getFrameContentSize(packed.at, packed.length);
	/* The codes for an unknown length and for what is no frame are the highest numbers. */
	return length <= most && codec_unpack(encoding, dictionary, packed, (size_t)length, out);
}

void
codec_train(const struct buffer *samples, const size_t *lengths, size_t count, size_t octets_max, struct buffer *out)
{
	ZDICT_fastCover_params_t parameters = { .k = SEGMENT_OCTETS, .d = STRING_OCTETS, .f = STRINGS_LOG, .accel = 1,
		.zParams.compressionLevel = BODY_LEVEL };
	size_t made;

	assert_off_loop();
	made = ZDICT_trainFromBuffer_fastCover(buffer_reserve(out, octets_max), octets_max, samples->at, lengths,
	    (unsigned)count, parameters);
	if (!ZDICT_isError(made))
		out->length += made;
}
