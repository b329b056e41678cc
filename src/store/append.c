/*
 * A message comes in: its content, its chunks, and its row, under the next UID.  Worker threads.
 */
#include <sys/statvfs.h>

#include <assert.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "dictionary.h"
#include "internal.h"
#include "store/content.h"
#include "texts.h"
#include "trained.h"

#define USED_OCTETS   (8 * STORE_CHUNK_OCTETS)
#define PLENTY_OCTETS (UINT64_C(4) << 30)	/* of this much nobody fills the disk in PLENTY_US */
#define PLENTY_US     UINT64_C(250000)

/* Octets that are taken from pieces one after the other. */
struct reader {
	const struct span *pieces;
	size_t count, offset;		/* pieces left, and how much of the first is taken */
	struct buffer joined;		/* a chunk that lies in several pieces */
};

static void
skip_taken(struct reader *reader)
{
	while (reader->count > 0 && reader->offset == reader->pieces->length) {
		reader->pieces++;
		reader->count--;
		reader->offset = 0;
	}
}

/* Take the next octets, as they lie there if they lie together.  Borrowed until the next call. */
static struct span
take(struct reader *reader, size_t length)
{
	struct span part;

	skip_taken(reader);
	part = reader->count == 0 ? SPAN("") : span_slice(*reader->pieces, reader->offset, length);
	reader->offset += part.length;
	if (part.length == length)
		return part;
	buffer_clear(&reader->joined);
	buffer_add_span(&reader->joined, part);
	while (reader->joined.length < length) {
		skip_taken(reader);
		assert(reader->count > 0);
		part = span_slice(*reader->pieces, reader->offset, length - reader->joined.length);
		reader->offset += part.length;
		buffer_add_span(&reader->joined, part);
	}
	return buffer_span(&reader->joined);
}

/* Header blocks are compressed with a dictionary, and a file that has such says which: others can read it, too. */
static enum store_status
keep_dictionary(struct store *store)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR IGNORE INTO dictionary (encoding, octets) VALUES (?1, ?2)");
	enum store_status status;

	sql_bind_number(insert, 1, ENCODING_ZSTD_HEADERS);
	sql_bind_blob(insert, 2, header_dictionary);
	status = store_run(insert);
	store->has_dictionary = status == STORE_OK;
	return status;
}

static enum store_status
insert_chunk(struct store *store, uint64_t chunk_id, int64_t encoding, struct span octets)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO chunk (id, encoding, octets) VALUES (?1, ?2, ?3)");
	enum store_status status;

	if (encoding == ENCODING_ZSTD_HEADERS && !store->has_dictionary &&
	    (status = keep_dictionary(store)) != STORE_OK)
		return status;
	sql_bind_number(insert, 1, chunk_id);
	sql_bind_number(insert, 2, encoding);
	sql_bind_blob(insert, 3, octets);
	return store_run(insert);
}

/* The octets of a row as they will be kept; those of a body may be ready. */
static int64_t
pack(const struct store_arrival *arrival, const struct codec_dictionary *dictionary, uint64_t offset, struct span octets,
    struct span *packed_out)
{
	bool is_header = offset < arrival->header_length;
	const struct store_packed *packed = arrival->packed;
	const struct store_packed_row *row;

	*packed_out = octets;
	if (arrival->compression == STORE_COMPRESSION_NONE)
		return ENCODING_NONE;
	if (is_header)
		return codec_pack(ENCODING_ZSTD_HEADERS, dictionary, octets, packed_out);
	if (packed == NULL || packed->rows == NULL)
		return codec_pack(ENCODING_ZSTD, octets.length <= STORE_PACK_LEAST ? dictionary : NULL, octets, packed_out);
	row = &packed->rows[(offset - arrival->header_length) / STORE_CHUNK_OCTETS];
	if (row->encoding != ENCODING_NONE)
		*packed_out = span_slice(buffer_span(&packed->octets), row->at, row->length);
	return row->encoding;
}

static enum store_status
insert_chunks(
    struct store *store, uint64_t content_id, const struct store_arrival *arrival, uint32_t size)
{
	struct store_layout layout = { size, arrival->header_length, STORE_CHUNK_OCTETS };
	struct reader reader = { .pieces = arrival->pieces, .count = arrival->piece_count };
	const struct codec_dictionary *dictionary = NULL;
	enum store_status status = STORE_OK;
	uint64_t offset = 0;
	size_t length, ignored;

	if (arrival->compression != STORE_COMPRESSION_NONE)
		status = trained_newest(store, &dictionary);
	for (; status == STORE_OK && offset < size; offset += length) {
		int64_t encoding;
		struct span octets;

		length = store_chunk_length(&layout, offset);
		encoding = pack(arrival, dictionary, offset, take(&reader, length), &octets);
		status = insert_chunk(store, store_chunk_id(content_id, &layout, offset, &ignored), encoding, octets);
		if (arrival->on_used != NULL && offset / USED_OCTETS != (offset + length) / USED_OCTETS)
			arrival->on_used(arrival->context, offset);
	}
	buffer_free(&reader.joined);
	return status;
}

static uint64_t
checksum_of_arrival(const struct store_arrival *arrival)
{
	struct checksum *checksum;

	if (arrival->checksum != NULL)
		return *arrival->checksum;
	checksum = checksum_new();
	for (size_t i = 0; i < arrival->piece_count; i++)
		checksum_add(checksum, arrival->pieces[i]);
	return checksum_finish(&checksum);
}

static void
bind_sent_date(struct sql_statement *insert, const struct store_arrival *arrival)
{
	if (arrival->has_sent_date) {
		sql_bind_number(insert, 4, arrival->sent_s);
		sql_bind_number(insert, 5, arrival->sent_day);
	} else {
		sql_bind_null(insert, 4);
		sql_bind_null(insert, 5);
	}
}

/* What FETCH answers with, compressed: the envelope, and the others together. */
struct answers {
	int64_t encoding;		/* ENCODING_NONE: they stay as they are */
	struct buffer envelope, texts;
};

static enum store_status
pack_answers(struct store *store, const struct store_arrival *arrival, struct answers *answers)
{
	const struct span texts[TEXTS_IN_CONTENT] = { arrival->body, arrival->bodystructure, arrival->parts,
		arrival->message_id, arrival->preview };
	enum store_status status;

	status = texts_pack(store, &arrival->envelope, 1, &answers->encoding, &answers->envelope);
	if (status == STORE_OK && answers->encoding != ENCODING_NONE)
		status = texts_pack(store, texts, TEXTS_IN_CONTENT, &answers->encoding, &answers->texts);
	return status;
}

static void
bind_answers(struct sql_statement *insert, const struct store_arrival *arrival, const struct answers *answers)
{
	bool is_packed = answers->encoding != ENCODING_NONE;

	if (is_packed || arrival->message_id.length == 0)
		sql_bind_null(insert, 6);
	else
		sql_bind_blob(insert, 6, arrival->message_id);
	sql_bind_blob(insert, 7, is_packed ? buffer_span(&answers->envelope) : arrival->envelope);
	sql_bind_blob(insert, 8, is_packed ? SPAN("") : arrival->bodystructure);
	sql_bind_blob(insert, 9, is_packed ? SPAN("") : arrival->body);
	sql_bind_blob(insert, 10, is_packed ? SPAN("") : arrival->parts);
	if (is_packed)
		sql_bind_null(insert, 11);
	else
		sql_bind_blob(insert, 11, arrival->preview);
	texts_bind(insert, 13, answers->encoding, &answers->texts);
}

/* What lies beside the content. */
static enum store_status
insert_beside(struct store *store, uint64_t content_id, const struct store_arrival *arrival)
{
	bool is_packed = arrival->compression != STORE_COMPRESSION_NONE;
	enum store_status status = STORE_OK;

	if (arrival->ordering != NULL)
		status = store_ordering_keep(store, content_id, arrival->ordering);
	if (status == STORE_OK && arrival->searchable != NULL)
		status = store_searchable_insert(store, content_id, arrival->searchable, is_packed);
	return status;
}

static enum store_status
insert_row(struct store *store, const struct store_arrival *arrival, uint32_t size, struct answers *answers,
    uint64_t *content_id_out)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO content (id, size, header_length, sha256, sent, sent_day, message_id, envelope, bodystructure, body, "
	    "parts, preview, chunk_octets, encoding, texts, checksum) "
	    "VALUES (?15, ?1, ?2, x'', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?3)");
	uint64_t id;
	enum store_status status = store_take_content_id(store, &id);

	if (status != STORE_OK)
		return status;
	sql_bind_number(insert, 1, size);
	sql_bind_number(insert, 2, arrival->header_length);
	sql_bind_number(insert, 3, (int64_t)checksum_of_arrival(arrival));
	bind_sent_date(insert, arrival);
	bind_answers(insert, arrival, answers);
	sql_bind_number(insert, 12, STORE_CHUNK_OCTETS);
	sql_bind_number(insert, 15, (int64_t)id);
	if ((status = store_run(insert)) != STORE_OK)
		return status;
	*content_id_out = store->content_last = id;
	return STORE_OK;
}

static enum store_status
insert_content(struct store *store, const struct store_arrival *arrival, uint32_t size, uint64_t *content_id_out)
{
	struct answers answers = { .encoding = ENCODING_NONE };
	enum store_status status = STORE_OK;

	if (arrival->compression != STORE_COMPRESSION_NONE) {
		store->has_packed = true;
		status = pack_answers(store, arrival, &answers);
	}
	if (status == STORE_OK)
		status = insert_row(store, arrival, size, &answers, content_id_out);
	buffer_free(&answers.envelope);
	buffer_free(&answers.texts);
	if (status == STORE_OK)
		status = insert_beside(store, *content_id_out, arrival);
	return status == STORE_OK ? insert_chunks(store, *content_id_out, arrival, size) : status;
}

static enum store_status
measure(const struct store_arrival *arrival, uint32_t *size_out)
{
	uint64_t size = 0;

	for (size_t i = 0; i < arrival->piece_count; i++) {
		if (arrival->pieces[i].length > UINT32_MAX - size)
			return STORE_LIMIT;
		size += arrival->pieces[i].length;
	}
	assert(arrival->header_length > 0 && arrival->header_length <= size);
	*size_out = size;
	return STORE_OK;
}

/*
 * No message takes the last of the disk: what the WAL holds could then not be folded into the file, and there would be
 * no room in it for the expunge that gives space back.
 */
enum store_status
store_check_disk(struct store *store, uint64_t size_octets)
{
	uint64_t needed = STORE_KEPT_FREE_OCTETS + sql_wal_octets(store->sql) + size_octets, free_octets;
	uint64_t now_us = clock_monotonic_us();
	struct statvfs about;

	if (store->disk_looked_us != 0 && now_us - store->disk_looked_us < PLENTY_US && size_octets < PLENTY_OCTETS / 16)
		return STORE_OK;
	if (statvfs(store->path, &about) != 0)
		return STORE_OK;	/* writing will tell */
	free_octets = (uint64_t)about.f_bavail * about.f_frsize;
	store_note_free(store, free_octets);
	store->is_disk_short = free_octets < STORE_RESERVE_OCTETS;
	store->disk_looked_us = free_octets >= PLENTY_OCTETS ? now_us : 0;
	return free_octets < needed ? STORE_FULL : STORE_OK;
}

enum store_status
store_append(struct store *store, uint64_t mailbox_id, const struct store_arrival *arrival,
    struct store_message *message_out)
{
	struct store_message message = {
		.flags = arrival->flags,
		.internal_date_s = arrival->internal_date_s,
	};
	struct store_tally tally;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = measure(arrival, &message.size)) != STORE_OK ||
	    (status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = store_spend_quota(store, &(struct store_amounts){ { message.size, 1, 0 } })) != STORE_OK ||
	    (status = store_check_disk(store, message.size)) != STORE_OK ||
	    (status = store_tally_take_uid(&tally, &message.uid)) != STORE_OK ||
	    (status = insert_content(store, arrival, message.size, &message.content_id)) !=
		STORE_OK)
		return status;
	message.modseq = tally.modseq;
	tally.claims_recent = arrival->claims_recent;
	store_tally_count(&tally, &message, 1);
	if ((status = store_message_insert(store, mailbox_id, &message, clock_calendar_s())) !=
		STORE_OK ||
	    (status = store_tally_end(store, &tally)) != STORE_OK)
		return status;
	if (message_out != NULL)
		*message_out = message;
	return STORE_OK;
}
