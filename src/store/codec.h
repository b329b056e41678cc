/*
 * How the octets of a row of chunk are written: as they are, or as one zstd frame (RFC 8878) with its checksum.
 * Worker threads; each has contexts of its own, 0.4 MiB, which end with it.
 */
#ifndef CODEC_H
#define CODEC_H

#include "base/buffer.h"
#include "store/packed.h"

/* The column chunk.encoding. */
enum encoding {
	ENCODING_NONE,
	ENCODING_ZSTD,
	ENCODING_ZSTD_HEADERS,		/* with the dictionary of header lines: dictionary.h */
	ENCODING_COUNT
};

/*
 * Compress octets, at most STORE_CHUNK_OCTETS, where that saves a fifth of them.
 *
 *	encoding	 how, if it does
 *	octets_out	 borrowed until the next call on this thread, or the octets themselves
 *
 * Returns the encoding of what is given.
 */
enum encoding codec_pack(enum encoding encoding, struct span octets, struct span *octets_out);

/*
 * Append what a row holds: length octets, neither more nor less.  Returns false for damage, with out as before.
 */
bool codec_unpack(int64_t encoding, struct span packed, size_t length, struct buffer *out);

/* The same for a row of which it is only known that it is no longer than most octets. */
bool codec_unpack_all(int64_t encoding, struct span packed, size_t most, struct buffer *out);

#endif
