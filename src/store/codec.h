/*
 * How octets are written in a row: as they are, as one zstd frame (RFC 8878), of chunk with its checksum, or base64 as
 * the bits of it.
 * Worker threads; each has contexts of its own, 0.4 MiB, which end with it.
 */
#ifndef CODEC_H
#define CODEC_H

#include "base/buffer.h"
#include "store/packed.h"

/* The columns encoding; from ENCODING_TRAINED on a frame with the dictionary of that number in the file: trained.h. */
enum encoding {
	ENCODING_NONE,
	ENCODING_ZSTD,
	ENCODING_ZSTD_HEADERS,		/* with the dictionary of header lines: dictionary.h */
	ENCODING_BASE64,		/* the form of base64.h */
	ENCODING_BASE64_ZSTD,		/* a frame of that form */
	ENCODING_COUNT,
	ENCODING_TRAINED = 16
};

/* A dictionary of a file, ready for use. */
struct codec_dictionary;

/* Prepare one, for reading or for both, 0.1 ms.  Gives it, or NULL: these octets are none. */
struct codec_dictionary *codec_dictionary_new(int64_t encoding, struct span octets, bool is_for_writing);

/* Accepts NULL, leaves NULL behind. */
void codec_dictionary_free(struct codec_dictionary **dictionary);

/* What it takes of memory, the number that it was made with, and whether it is for writing, too. */
size_t codec_dictionary_octets(const struct codec_dictionary *dictionary);
int64_t codec_dictionary_encoding(const struct codec_dictionary *dictionary);
bool codec_dictionary_is_for_writing(const struct codec_dictionary *dictionary);

/*
 * Compress octets, at most STORE_CHUNK_OCTETS, where that saves a fifth of them.
 *
 *	encoding	 how, if it does
 *	dictionary	 of the file, for writing, instead of that; or NULL
 *	octets_out	 borrowed until the next call on this thread, or the octets themselves
 *
 * Returns the encoding of what is given.
 */
int64_t codec_pack(enum encoding encoding, const struct codec_dictionary *dictionary, struct span octets,
    struct span *octets_out);

/* The same for a few texts, without a checksum. */
int64_t codec_pack_texts(const struct codec_dictionary *dictionary, struct span octets, struct span *octets_out);

/*
 * Append what a row holds: length octets, neither more nor less.  Returns false for damage, with out as before.
 *
 *	dictionary	 that of the encoding, from ENCODING_TRAINED on
 */
bool codec_unpack(int64_t encoding, const struct codec_dictionary *dictionary, struct span packed, size_t length,
    struct buffer *out);

/* The same for a row of a header block, of which it is only known that it is no longer than most octets. */
bool codec_unpack_all(int64_t encoding, const struct codec_dictionary *dictionary, struct span packed, size_t most,
    struct buffer *out);

/*
 * Make a dictionary of samples that lie one behind the other, some 10 ms for a MiB of them.  Gives at most octets_max
 * octets, none if there is nothing to be learnt.
 */
void codec_train(const struct buffer *samples, const size_t *lengths, size_t count, size_t octets_max,
    struct buffer *out);

#endif
