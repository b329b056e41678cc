/*
 * Bodies that are compressed before their transaction.  Worker threads.
 */
#include "store/packed.h"

#include <stdlib.h>

#include "base/memory.h"
#include "codec.h"

static void
pack_row(struct span octets, struct store_packed *packed, struct store_packed_row *row)
{
	struct span made;
	int64_t encoding = codec_pack(ENCODING_ZSTD, NULL, octets, &made);

	if (encoding == ENCODING_NONE)
		return;
	*row = (struct store_packed_row){ (uint8_t)encoding, packed->octets.length, made.length };
	buffer_add_span(&packed->octets, made);
}

void
store_pack(struct span body, struct store_packed *packed_out)
{
	struct store_packed packed = { .count = (body.length + STORE_CHUNK_OCTETS - 1) / STORE_CHUNK_OCTETS };

	if (body.length <= STORE_PACK_LEAST) {
		*packed_out = (struct store_packed){ 0 };
		return;
	}
	packed.rows = memory_new_array(packed.count + 1, sizeof *packed.rows);
	buffer_reserve(&packed.octets, body.length / 2);
	for (size_t i = 0; i < packed.count; i++)
		pack_row(span_slice(body, i * STORE_CHUNK_OCTETS, STORE_CHUNK_OCTETS), &packed, &packed.rows[i]);
	*packed_out = packed;
}

void
store_packed_fini(struct store_packed *packed)
{
	free(packed->rows);
	buffer_free(&packed->octets);
	*packed = (struct store_packed){ 0 };
}
