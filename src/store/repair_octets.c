/*
 * What can be read of contents that are damaged.  Worker threads.
 */
#include "base/digest.h"
#include "internal.h"
#include "store/content.h"
#include "store/repair.h"
#include "trained.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define POSITIONS (UINT64_C(1) << 20)
#define ROW_MAX	  (256 * 1024)

enum store_status
store_repair_stray(struct store *store, uint64_t after, uint64_t *content_id_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT id >> 20 FROM chunk WHERE id >= (?1 + 1) << 20 "
	    "AND id >> 20 NOT IN (SELECT id FROM content) AND id >> 20 NOT IN (SELECT content_id FROM retained WHERE left_how = 4) "
	    "ORDER BY id LIMIT 1");
	enum store_status status;

	sql_bind_number(query, 1, (int64_t)after);
	if ((status = store_row(query)) == STORE_OK)
		*content_id_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

enum store_status
store_repair_is_whole(struct store *store, uint64_t content_id, bool *is_whole_out)
{
	struct buffer findings = { 0 };
	uint64_t before = content_id - 1, checked = 0;
	enum store_status status;
	bool is_more;

	*is_whole_out = false;
	status = store_verify_digests(store, &before, 0, &findings, &checked, &is_more);
	if (status == STORE_OK)
		*is_whole_out = before == content_id && checked == 1 && findings.length == 0;
	buffer_free(&findings);
	return status == STORE_CORRUPT ? STORE_OK : status;
}

/* The row at a position; STORE_NOT_FOUND: there is none.  Its octets are appended, or what is to be said instead. */
static enum store_status
read_row(struct store *store, uint64_t id, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT encoding, octets FROM chunk WHERE id = ?1");
	size_t before = out->length;
	enum store_status status;

	sql_bind_number(query, 1, (int64_t)id);
	if ((status = store_row(query)) == STORE_OK &&
	    trained_unpack_all(store, sql_column_number(query, 0), sql_column_blob(query, 1), ROW_MAX, out) != STORE_OK) {
		out->length = before;
		status = STORE_CORRUPT;
	}
	sql_reset(query);
	if (status == STORE_CORRUPT) {
		buffer_add_string(out, "\r\n[imapd: octets that cannot be read are missing here]\r\n");
		status = STORE_OK;
	}
	return status;
}

/* How many rows there should be; 0: nobody knows. */
static uint64_t
count_rows(struct store *store, uint64_t content_id)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT (header_length + chunk_octets - 1) / chunk_octets + "
	    "(size - header_length + chunk_octets - 1) / chunk_octets FROM content WHERE id = ?1 AND chunk_octets > 0 "
	    "AND header_length <= size");
	uint64_t count = 0;

	sql_bind_number(query, 1, (int64_t)content_id);
	if (store_row(query) == STORE_OK)
		count = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return count < POSITIONS ? count : 0;
}

enum store_status
store_repair_read(struct store *store, uint64_t content_id, struct buffer *out)
{
	uint64_t count = count_rows(store, content_id);
	enum store_status status = STORE_OK;

	for (uint64_t position = 0; position < (count > 0 ? count : POSITIONS); position++) {
		status = read_row(store, content_id << 20 | position, out);
		if (status == STORE_NOT_FOUND && count == 0)
			return STORE_OK;
		if (status == STORE_NOT_FOUND)
			buffer_add_string(out, "\r\n[imapd: octets are missing here]\r\n");
		else if (status != STORE_OK)
			return status;
	}
	return STORE_OK;
}

static bool
write_file(const char *path, struct span octets)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_good = file >= 0 && file_write(file, octets) && fsync(file) == 0;

	if (file >= 0)
		close(file);
	return is_good && store_sync_folder_of(path);
}

enum store_status
store_repair_write_aside(struct store *store, uint64_t content_id, struct buffer *path_out)
{
	char *copy = memory_copy_string(store->path);
	struct buffer octets = { 0 };
	enum store_status status = store_repair_read(store, content_id, &octets);

	buffer_printf(path_out, "%s/damaged-M%llu.eml", dirname(copy), (unsigned long long)content_id);
	if (status == STORE_OK && !write_file(buffer_string(path_out), buffer_span(&octets)))
		status = errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
	buffer_free(&octets);
	free(copy);
	return status;
}

bool
store_repair_is_used(struct store *store, uint64_t content_id)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT 1 FROM message WHERE content_id = ?1 "
	    "UNION ALL SELECT 1 FROM retained WHERE content_id = ?1 AND left_how <> 4 LIMIT 1");
	bool is_used;

	sql_bind_number(query, 1, (int64_t)content_id);
	is_used = store_row(query) == STORE_OK;
	sql_reset(query);
	return is_used;
}

enum store_status
store_repair_drop_stray(struct store *store, uint64_t content_id)
{
	return store_run_with_id(store, "DELETE FROM chunk WHERE id BETWEEN ?1 << 20 AND ?1 << 20 | 1048575", content_id);
}

/* Rows beside it go, and come back as they are now. */
static enum store_status
replace_beside(struct store *store, uint64_t content_id, const struct store_arrival *arrival)
{
	enum store_status status = store_run_with_id(store, "DELETE FROM ordering WHERE content_id = ?1", content_id);

	if (status == STORE_OK)
		status = store_run_with_id(store, "DELETE FROM searchable WHERE content_id = ?1", content_id);
	if (status == STORE_OK && arrival->ordering != NULL)
		status = store_ordering_keep(store, content_id, arrival->ordering);
	if (status == STORE_OK && arrival->searchable != NULL)
		status = store_searchable_insert(store, content_id, arrival->searchable, false);
	return status;
}

static void
bind_blob_or_null(struct sql_statement *statement, int index, struct span octets)
{
	if (octets.length > 0)
		sql_bind_blob(statement, index, octets);
	else
		sql_bind_null(statement, index);
}

enum store_status
store_repair_parse(struct store *store, uint64_t content_id, const struct store_arrival *arrival)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE content SET sent = ?2, sent_day = ?3, message_id = ?4, envelope = ?5, bodystructure = ?6, body = ?7, "
	    "parts = ?8, preview = ?9, encoding = NULL, texts = NULL WHERE id = ?1");
	enum store_status status;

	sql_bind_number(update, 1, (int64_t)content_id);
	if (arrival->has_sent_date) {
		sql_bind_number(update, 2, arrival->sent_s);
		sql_bind_number(update, 3, arrival->sent_day);
	} else {
		sql_bind_null(update, 2);
		sql_bind_null(update, 3);
	}
	bind_blob_or_null(update, 4, arrival->message_id);
	sql_bind_blob(update, 5, arrival->envelope);
	sql_bind_blob(update, 6, arrival->bodystructure);
	sql_bind_blob(update, 7, arrival->body);
	sql_bind_blob(update, 8, arrival->parts);
	sql_bind_blob(update, 9, arrival->preview);
	status = store_run(update);
	return status == STORE_OK ? replace_beside(store, content_id, arrival) : status;
}
