/*
 * Reading contents: the ready-made answers, and octets by chunk.  A content is two strings of
 * octets, the header block and the body, each cut into chunks of STORE_CHUNK_OCTETS; which chunk
 * holds an octet follows from the length of the header alone.  Worker threads.
 */
#include "store/content.h"

#include "base/thread.h"
#include "internal.h"

#define POSITION_BITS 20

static uint64_t
chunks_for(uint64_t length)
{
	return (length + STORE_CHUNK_OCTETS - 1) / STORE_CHUNK_OCTETS;
}

uint64_t
store_chunk_id(
    uint64_t content_id, uint32_t header_length, uint64_t offset, size_t *offset_in_chunk_out)
{
	uint64_t position = 0;

	if (offset >= header_length) {
		position = chunks_for(header_length);
		offset -= header_length;
	}
	*offset_in_chunk_out = offset % STORE_CHUNK_OCTETS;
	return content_id << POSITION_BITS | (position + offset / STORE_CHUNK_OCTETS);
}

size_t
store_chunk_length(uint32_t size, uint32_t header_length, uint64_t offset)
{
	uint64_t begin = offset < header_length ? 0 : header_length;
	uint64_t end = offset < header_length ? header_length : size;
	uint64_t left;

	begin += (offset - begin) / STORE_CHUNK_OCTETS * STORE_CHUNK_OCTETS;
	left = end - begin;
	return left < STORE_CHUNK_OCTETS ? left : STORE_CHUNK_OCTETS;
}

static void
read_content(struct sql_statement *row, struct store_content *out)
{
	struct span digest = sql_column_blob(row, 2);

	*out = (struct store_content){
		.size = sql_column_number(row, 0),
		.header_length = sql_column_number(row, 1),
		.has_sent_date = !sql_column_is_null(row, 3),
		.sent_s = sql_column_number(row, 3),
		.sent_day = sql_column_number(row, 4),
		.envelope = sql_column_blob(row, 5),
		.body = sql_column_blob(row, 6),
		.bodystructure = sql_column_blob(row, 7),
		.parts = sql_column_blob(row, 8),
		.message_id = sql_column_blob(row, 9),
		.preview = sql_column_blob(row, 10),
		.has_preview = !sql_column_is_null(row, 10),
	};
	if (digest.length == DIGEST_LENGTH)
		memcpy(out->sha256, digest.at, DIGEST_LENGTH);
}

static enum store_status
visit(struct store *store, uint64_t content_id, unsigned fields, store_content_visitor *visitor,
    void *context, bool *goes_on_out)
{
	/* A CASE that is not taken does not walk the row's overflow pages either. */
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT size, header_length, sha256, sent, sent_day, CASE WHEN ?2 & 1 THEN envelope END, "
	    "CASE WHEN ?2 & 2 THEN body END, CASE WHEN ?2 & 4 THEN bodystructure END, "
	    "CASE WHEN ?2 & 8 THEN parts END, CASE WHEN ?2 & 16 THEN message_id END, "
	    "CASE WHEN ?2 & 32 THEN preview END "
	    "FROM content WHERE id = ?1");
	struct store_content content;
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	sql_bind_number(query, 2, fields);
	if ((status = store_row(query)) == STORE_OK) {
		read_content(query, &content);
		content.id = content_id;
		*goes_on_out = visitor(&content, context);
	}
	sql_reset(query);
	return status;
}

enum store_status
store_content_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned fields,
    store_content_visitor *visitor, void *context)
{
	enum store_status status;
	bool goes_on = true, is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	for (size_t i = 0; status == STORE_OK && goes_on && i < count; i++)
		status = visit(store, content_ids[i], fields, visitor, context, &goes_on);
	return store_read_end(store, is_ours, status);
}

static enum store_status
find_lengths(
    struct store *store, uint64_t content_id, uint32_t *size_out, uint32_t *header_length_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT size, header_length FROM content WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	if ((status = store_row(query)) == STORE_OK) {
		*size_out = sql_column_number(query, 0);
		*header_length_out = sql_column_number(query, 1);
	}
	sql_reset(query);
	return status;
}

/* Append what one chunk has of the wanted octets; a chunk that is missing or short is damage. */
static enum store_status
read_chunk(struct store *store, uint64_t chunk_id, size_t offset, size_t length, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT octets FROM chunk WHERE id = ?1 AND encoding = 0");
	enum store_status status;

	sql_bind_number(query, 1, chunk_id);
	if ((status = store_row(query)) == STORE_OK) {
		struct span octets = span_slice(sql_column_blob(query, 0), offset, length);

		if (octets.length == length)
			buffer_add_span(out, octets);
		else
			status = STORE_CORRUPT;
	}
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_CORRUPT : status;
}

/* A shorter first chunk is the whole header block: no message is without one. */
enum store_status
store_read_header(struct store *store, uint64_t content_id, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT octets FROM chunk WHERE id = ?1 AND encoding = 0");
	uint32_t size, header_length;
	enum store_status status;
	bool is_whole = false;

	assert_off_loop();
	sql_bind_number(query, 1, (int64_t)(content_id << POSITION_BITS));
	if ((status = store_row(query)) == STORE_OK) {
		struct span octets = sql_column_blob(query, 0);

		if ((is_whole = octets.length < STORE_CHUNK_OCTETS))
			buffer_add_span(out, octets);
	}
	sql_reset(query);
	if (is_whole || (status != STORE_OK && status != STORE_NOT_FOUND))
		return status;
	status = find_lengths(store, content_id, &size, &header_length);
	return status != STORE_OK ? status : store_read_octets(store, content_id, 0, header_length, out);
}

static enum store_status
read_chunks(
    struct store *store, uint64_t content_id, uint64_t offset, uint64_t length, struct buffer *out)
{
	uint32_t size, header_length;
	enum store_status status;
	uint64_t end;

	if ((status = find_lengths(store, content_id, &size, &header_length)) != STORE_OK)
		return status;
	if (offset > size)
		offset = size;
	for (end = length < size - offset ? offset + length : size;
	     status == STORE_OK && offset < end;) {
		size_t within, part;
		uint64_t chunk_id = store_chunk_id(content_id, header_length, offset, &within);

		part = store_chunk_length(size, header_length, offset) - within;
		if (part > end - offset)
			part = end - offset;
		status = read_chunk(store, chunk_id, within, part, out);
		offset += part;
	}
	return status;
}

enum store_status
store_read_octets(struct store *store, uint64_t content_id, uint64_t offset, uint64_t length,
    struct buffer *out)
{
	size_t length_before = out->length;
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	status = read_chunks(store, content_id, offset, length, out);
	status = store_read_end(store, is_ours, status);
	if (status != STORE_OK)
		out->length = length_before;
	return status;
}
