/*
 * Texts that lie together.  Worker threads.
 */
#include "texts.h"

#include <assert.h>

#include "base128.h"
#include "store/packed.h"
#include "trained.h"

/* Together they are no longer than a row of chunk; what is longer stays as it is. */
static bool
join(const struct span *texts, size_t count, struct buffer *out)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += texts[i].length;
	if (length > STORE_CHUNK_OCTETS / 2)
		return false;
	for (size_t i = 0; i < count; i++)
		base128_add(out, texts[i].at == NULL ? 0 : texts[i].length + 1);
	for (size_t i = 0; i < count; i++)
		buffer_add_span(out, texts[i]);
	return true;
}

enum store_status
texts_pack(struct store *store, const struct span *texts, size_t count, int64_t *encoding_out, struct buffer *out)
{
	const struct codec_dictionary *dictionary;
	struct buffer joined = { 0 };
	enum store_status status;
	struct span packed;

	*encoding_out = ENCODING_NONE;
	if ((status = trained_newest(store, &dictionary)) != STORE_OK)
		return status;
	if (join(texts, count, &joined))
		*encoding_out = codec_pack_texts(dictionary, buffer_span(&joined), &packed);
	if (*encoding_out != ENCODING_NONE)
		buffer_add_span(out, packed);
	buffer_free(&joined);
	return STORE_OK;
}

static bool
split(struct span octets, size_t count, struct span *texts_out)
{
	uint64_t lengths[TEXTS_MAX];

	assert(count <= TEXTS_MAX);
	for (size_t i = 0; i < count; i++)
		if (!base128_read(&octets, &lengths[i]))
			return false;
	for (size_t i = 0; i < count; i++) {
		texts_out[i] = lengths[i] == 0 ? (struct span){ NULL, 0 } : span_slice(octets, 0, lengths[i] - 1);
		if (lengths[i] != 0 && texts_out[i].length != lengths[i] - 1)
			return false;
		octets = span_from(octets, texts_out[i].length);
	}
	return octets.length == 0;
}

enum store_status
texts_unpack(struct store *store, int64_t encoding, struct span packed, size_t count, struct buffer *room,
    struct span *texts_out)
{
	enum store_status status;

	buffer_clear(room);
	status = trained_unpack_all(store, encoding, packed, STORE_CHUNK_OCTETS, room);
	if (status == STORE_OK && !split(buffer_span(room), count, texts_out))
		status = STORE_CORRUPT;
	return status;
}

void
texts_bind(struct sql_statement *statement, int first_parameter, int64_t encoding, const struct buffer *packed)
{
	if (encoding == ENCODING_NONE) {
		sql_bind_null(statement, first_parameter);
		sql_bind_null(statement, first_parameter + 1);
	} else {
		sql_bind_number(statement, first_parameter, encoding);
		sql_bind_blob(statement, first_parameter + 1, buffer_span(packed));
	}
}
