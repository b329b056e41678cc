/*
 * Reading contents: the ready-made answers, and octets by chunk.  A content is two strings of
 * octets, the header block and the body, each cut into chunks of one size; which chunk holds an octet
 * follows from that size and the length of the header.  Worker threads.
 */
#include "store/content.h"

#include "base/thread.h"
#include "internal.h"
#include "texts.h"
#include "trained.h"

#define POSITION_BITS	 20
#define CHUNK_OCTETS_MAX (256 * 1024)	/* as contents of older files have it */

static uint64_t
chunks_for(const struct store_layout *layout, uint64_t length)
{
	return (length + layout->chunk_octets - 1) / layout->chunk_octets;
}

uint64_t
store_chunk_id(
    uint64_t content_id, const struct store_layout *layout, uint64_t offset, size_t *offset_in_chunk_out)
{
	uint64_t position = 0;

	if (offset >= layout->header_length) {
		position = chunks_for(layout, layout->header_length);
		offset -= layout->header_length;
	}
	*offset_in_chunk_out = offset % layout->chunk_octets;
	return content_id << POSITION_BITS | (position + offset / layout->chunk_octets);
}

size_t
store_chunk_length(const struct store_layout *layout, uint64_t offset)
{
	uint64_t begin = offset < layout->header_length ? 0 : layout->header_length;
	uint64_t end = offset < layout->header_length ? layout->header_length : layout->size;
	uint64_t left;

	begin += (offset - begin) / layout->chunk_octets * layout->chunk_octets;
	left = end - begin;
	return left < layout->chunk_octets ? left : layout->chunk_octets;
}

static void
read_content(struct sql_statement *row, struct store_content *out)
{
	struct span sha256 = sql_column_blob(row, 2);

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
		.digest.is_checksum = !sql_column_is_null(row, 13),
		.digest.checksum = (uint64_t)sql_column_number(row, 13),
	};
	if (sha256.length == DIGEST_LENGTH)
		memcpy(out->digest.sha256, sha256.at, DIGEST_LENGTH);
}

/* What rows hold that are compressed: the envelope by itself, as it is asked for most, and the others. */
struct rooms {
	struct buffer envelope, texts;
};

static enum store_status
unpack(struct store *store, struct sql_statement *row, unsigned fields, struct rooms *rooms, struct store_content *out)
{
	int64_t encoding = sql_column_number(row, 11);
	struct span texts[TEXTS_IN_CONTENT];
	enum store_status status = STORE_OK;

	if (fields & STORE_CONTENT_ENVELOPE)
		status = texts_unpack(store, encoding, out->envelope, 1, &rooms->envelope, &out->envelope);
	if (status != STORE_OK || !(fields & ~(unsigned)(STORE_CONTENT_ENVELOPE | STORE_CONTENT_DIGEST)))
		return status;
	status = texts_unpack(store, encoding, sql_column_blob(row, 12), TEXTS_IN_CONTENT, &rooms->texts, texts);
	if (status != STORE_OK)
		return status;
	out->body = texts[0];
	out->bodystructure = texts[1];
	out->parts = texts[2];
	out->message_id = texts[3];
	out->preview = texts[4];
	out->has_preview = true;
	return STORE_OK;
}

static enum store_status
visit(struct store *store, uint64_t content_id, unsigned fields, struct rooms *rooms, store_content_visitor *visitor,
    void *context, bool *goes_on_out)
{
	/* A CASE that is not taken does not walk the row's overflow pages either. */
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT size, header_length, sha256, sent, sent_day, CASE WHEN ?2 & 1 THEN envelope END, "
	    "CASE WHEN ?2 & 2 THEN body END, CASE WHEN ?2 & 4 THEN bodystructure END, "
	    "CASE WHEN ?2 & 8 THEN parts END, CASE WHEN ?2 & 16 THEN message_id END, "
	    "CASE WHEN ?2 & 32 THEN preview END, encoding, CASE WHEN ?2 & 62 THEN texts END, CASE WHEN ?2 & 64 THEN checksum END "
	    "FROM content WHERE id = ?1");
	struct store_content content;
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	sql_bind_number(query, 2, fields);
	if ((status = store_row(query)) == STORE_OK) {
		read_content(query, &content);
		content.id = content_id;
		if (!sql_column_is_null(query, 11))
			status = unpack(store, query, fields, rooms, &content);
	}
	if (status == STORE_OK)
		*goes_on_out = visitor(&content, context);
	sql_reset(query);
	return status;
}

enum store_status
store_content_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned fields,
    store_content_visitor *visitor, void *context)
{
	struct rooms rooms = { { 0 }, { 0 } };
	enum store_status status;
	bool goes_on = true, is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	for (size_t i = 0; status == STORE_OK && goes_on && i < count; i++)
		status = visit(store, content_ids[i], fields, &rooms, visitor, context, &goes_on);
	buffer_free(&rooms.envelope);
	buffer_free(&rooms.texts);
	return store_read_end(store, is_ours, status);
}

enum store_status
store_content_is_packed(struct store *store, uint64_t content_id, bool *is_packed_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT encoding IS NOT NULL FROM content WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	status = store_row(query);
	*is_packed_out = status == STORE_OK && sql_column_number(query, 0) != 0;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status
find_layout(struct store *store, uint64_t content_id, struct store_layout *layout_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT size, header_length, chunk_octets FROM content WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	if ((status = store_row(query)) == STORE_OK) {
		*layout_out = (struct store_layout){ sql_column_number(query, 0), sql_column_number(query, 1),
			sql_column_number(query, 2) };
		if (layout_out->chunk_octets == 0 || layout_out->chunk_octets > CHUNK_OCTETS_MAX ||
		    layout_out->header_length > layout_out->size)
			status = STORE_CORRUPT;
	}
	sql_reset(query);
	return status;
}

/* Append a part of what a row holds, which has to be length octets. */
static enum store_status
read_part(struct store *store, int64_t encoding, struct span octets, size_t length, size_t offset, size_t part,
    struct buffer *out)
{
	struct buffer whole = { 0 };
	enum store_status status;

	if (part == length)
		return trained_unpack(store, encoding, octets, length, out);
	if (encoding == ENCODING_NONE) {
		buffer_add_span(out, span_slice(octets, offset, part));
		return octets.length == length ? STORE_OK : STORE_CORRUPT;
	}
	if ((status = trained_unpack(store, encoding, octets, length, &whole)) == STORE_OK)
		buffer_add_span(out, span_slice(buffer_span(&whole), offset, part));
	buffer_free(&whole);
	return status;
}

/* A shorter first chunk is the whole header block: no message is without one. */
enum store_status
store_read_header(struct store *store, uint64_t content_id, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT encoding, octets FROM chunk WHERE id = ?1");
	size_t length_before = out->length;
	struct store_layout layout;
	enum store_status status;

	assert_off_loop();
	sql_bind_number(query, 1, (int64_t)(content_id << POSITION_BITS));
	if ((status = store_row(query)) == STORE_OK)
		status = trained_unpack_all(store, sql_column_number(query, 0), sql_column_blob(query, 1), CHUNK_OCTETS_MAX, out);
	sql_reset(query);
	if (status == STORE_OK && out->length - length_before < STORE_CHUNK_OCTETS)
		return status;
	out->length = length_before;
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return status;
	status = find_layout(store, content_id, &layout);
	return status != STORE_OK ? status :
	    store_read_octets(store, content_id, 0, layout.header_length, out);
}

/*
 * Append octets from the rows that hold them; a row that is missing or of another length is damage.  What the last row has
 * behind end comes with it, up to limit.
 */
static enum store_status
read_rows(struct store *store, uint64_t content_id, const struct store_layout *layout, uint64_t offset, uint64_t end,
    uint64_t limit, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, encoding, octets FROM chunk WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
	enum store_status status = STORE_OK;
	enum sql_status stepped = SQL_OK;
	size_t within;

	sql_bind_number(query, 1, store_chunk_id(content_id, layout, offset, &within));
	sql_bind_number(query, 2, store_chunk_id(content_id, layout, end - 1, &within));
	while (status == STORE_OK && offset < end && (stepped = sql_step(query)) == SQL_ROW) {
		uint64_t id = store_chunk_id(content_id, layout, offset, &within);
		size_t length = store_chunk_length(layout, offset);
		size_t part = limit - offset < length - within ? limit - offset : length - within;

		status = (uint64_t)sql_column_number(query, 0) != id ? STORE_CORRUPT :
		    read_part(store, sql_column_number(query, 1), sql_column_blob(query, 2), length, within, part, out);
		offset += part;
	}
	sql_reset(query);
	if (stepped != SQL_ROW && stepped != SQL_OK)
		return store_from_sql(stepped);
	return status == STORE_OK && offset < end ? STORE_CORRUPT : status;
}

static enum store_status
read_octets(struct store *store, uint64_t content_id, uint64_t offset, uint64_t least, uint64_t most, struct buffer *out)
{
	struct store_layout layout;
	enum store_status status = find_layout(store, content_id, &layout);

	if (status != STORE_OK || offset >= layout.size || least == 0)
		return status;
	if (most > layout.size - offset)
		most = layout.size - offset;
	if (least > most)
		least = most;
	buffer_reserve(out, least + (most - least < layout.chunk_octets ? most - least : layout.chunk_octets));
	return read_rows(store, content_id, &layout, offset, offset + least, offset + most, out);
}

enum store_status
store_read_octets(struct store *store, uint64_t content_id, uint64_t offset, uint64_t length, struct buffer *out)
{
	return store_read_ahead(store, content_id, offset, length, length, out);
}

enum store_status
store_read_ahead(struct store *store, uint64_t content_id, uint64_t offset, uint64_t least, uint64_t most,
    struct buffer *out)
{
	size_t length_before = out->length;
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	status = read_octets(store, content_id, offset, least, most, out);
	status = store_read_end(store, is_ours, status);
	if (status != STORE_OK)
		out->length = length_before;
	return status;
}
