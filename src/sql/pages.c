/*
 * Pages of a file and frames of its WAL, read past the pager: sqlite.org/fileformat2.html, section 4.  Worker thread.
 */
#include "sql/pages.h"

#include <limits.h>
#include <string.h>

#include "base/thread.h"
#include "connection.h"
#include "gather.h"
#include "sql/schema.h"

#define WAL_HEADER    32
#define FRAME_HEADER  24
#define FRAME_OCTETS  (FRAME_HEADER + SQL_PAGE_OCTETS)
#define MAGIC	      UINT32_C(0x377f0682)	/* and 1 when checksums are of big-endian numbers */

static uint32_t
number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t
little_at(const uint8_t *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Section 4.2, "Checksum Algorithm". */
static void
add_to_sum(uint32_t sum[2], bool is_big_endian, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i + 8 <= length; i += 8) {
		sum[0] += (is_big_endian ? number_at(octets + i) : little_at(octets + i)) + sum[1];
		sum[1] += (is_big_endian ? number_at(octets + i + 4) : little_at(octets + i + 4)) + sum[0];
	}
}

static sqlite3_file *
file_of(struct sql *sql, int which)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(sql->handle, "main", which, &file) != SQLITE_OK || file == NULL || file->pMethods == NULL)
		return NULL;
	return file;
}

/*
 * Whoever else may write could fold the WAL and begin it anew, unseen: what it had would be in pages of the file that were
 * read before.
 */
static bool
is_sole(struct sql *sql)
{
	bool is_so = false;

	return sqlite3_file_control(sql->handle, "main", GATHER_IS_SOLE, &is_so) == SQLITE_OK && is_so;
}

static void
add_record(struct buffer *out, uint32_t number, const uint8_t *page)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buffer_add_octet(out, (uint8_t)(number >> shift));
	buffer_add(out, page, SQL_PAGE_OCTETS);
}

enum sql_status
sql_pages_begin(struct sql *sql, struct sql_pages *pages)
{
	sqlite3_file *file;
	sqlite3_int64 size = 0;
	enum sql_status status;

	assert_off_loop();
	sql->is_wal_held = false;
	if ((status = sql_checkpoint(sql)) != SQL_OK)
		return status;
	sql->wal_pages = sql->wal_folded = 0;
	if (!is_sole(sql))
		return SQL_BUSY;
	file = file_of(sql, SQLITE_FCNTL_FILE_POINTER);
	if (file == NULL || file->pMethods->xFileSize(file, &size) != SQLITE_OK || size % SQL_PAGE_OCTETS != 0)
		return SQL_IO;
	*pages = (struct sql_pages){ .file_pages = (uint32_t)(size / SQL_PAGE_OCTETS) };
	pages->page_count = pages->file_pages;
	sql->is_wal_held = true;
	return SQL_OK;
}

void
sql_pages_end(struct sql *sql)
{
	sql->is_wal_held = false;
}

static enum sql_status
read_file(struct sql *sql, struct sql_pages *pages, size_t octets_max, struct buffer *out)
{
	sqlite3_file *file = file_of(sql, SQLITE_FCNTL_FILE_POINTER);
	uint8_t page[SQL_PAGE_OCTETS];

	while (pages->read_pages < pages->file_pages && out->length < octets_max) {
		sqlite3_int64 at = (sqlite3_int64)pages->read_pages * SQL_PAGE_OCTETS;

		if (file == NULL || file->pMethods->xRead(file, page, sizeof page, at) != SQLITE_OK)
			return SQL_IO;
		/* Pages that SQLite does not use in this size are none of another size: see the header. */
		if (at == 0 && (page[16] != SQL_PAGE_OCTETS >> 8 || page[17] != 0))
			return SQL_DENIED;
		add_record(out, ++pages->read_pages, page);
	}
	return SQL_OK;
}

/* The WAL begins: its salt is what all its frames have.  False: it has not begun. */
static bool
read_header(sqlite3_file *wal, struct sql_pages *pages, enum sql_status *status)
{
	uint8_t header[WAL_HEADER];
	uint32_t sum[2] = { 0, 0 };

	if (wal->pMethods->xRead(wal, header, sizeof header, 0) != SQLITE_OK ||
	    (number_at(header) & ~UINT32_C(1)) != MAGIC)
		return false;
	pages->is_big_endian = (number_at(header) & 1) != 0;
	add_to_sum(sum, pages->is_big_endian, header, WAL_HEADER - 8);
	if (sum[0] != number_at(header + 24) || sum[1] != number_at(header + 28))
		return false;
	if (pages->has_salt && (pages->salt[0] != number_at(header + 16) || pages->salt[1] != number_at(header + 20))) {
		*status = SQL_NOT_FOUND;
		return false;
	}
	if (!pages->has_salt)
		memcpy(pages->sum, sum, sizeof sum);
	pages->has_salt = true;
	pages->salt[0] = number_at(header + 16);
	pages->salt[1] = number_at(header + 20);
	return true;
}

/* The next frame, if it belongs to this WAL; moves on. */
static bool
read_frame(sqlite3_file *wal, struct sql_pages *pages, uint8_t frame[FRAME_OCTETS])
{
	sqlite3_int64 at = WAL_HEADER + (sqlite3_int64)pages->frame * FRAME_OCTETS;
	uint32_t sum[2] = { pages->sum[0], pages->sum[1] };

	if (wal->pMethods->xRead(wal, frame, FRAME_OCTETS, at) != SQLITE_OK || number_at(frame + 8) != pages->salt[0] ||
	    number_at(frame + 12) != pages->salt[1] || number_at(frame) == 0)
		return false;
	add_to_sum(sum, pages->is_big_endian, frame, 8);
	add_to_sum(sum, pages->is_big_endian, frame + FRAME_HEADER, SQL_PAGE_OCTETS);
	if (sum[0] != number_at(frame + 16) || sum[1] != number_at(frame + 20))
		return false;
	memcpy(pages->sum, sum, sizeof sum);
	pages->frame++;
	return true;
}

/* What stands behind the last commit is no transaction. */
static void
read_frames(sqlite3_file *wal, struct sql_pages *pages, size_t octets_max, struct buffer *out, bool *is_more_out)
{
	struct sql_pages committed = *pages;
	size_t committed_length = out->length;
	uint8_t frame[FRAME_OCTETS];

	*is_more_out = false;
	while (read_frame(wal, pages, frame)) {
		add_record(out, number_at(frame), frame + FRAME_HEADER);
		if (number_at(frame + 4) == 0)
			continue;
		pages->page_count = number_at(frame + 4);
		committed = *pages;
		committed_length = out->length;
		*is_more_out = out->length >= octets_max;
		if (*is_more_out)
			break;
	}
	*pages = committed;
	out->length = committed_length;
}

enum sql_status
sql_pages_read(struct sql *sql, struct sql_pages *pages, size_t octets_max, struct buffer *out, bool *is_more_out)
{
	enum sql_status status = SQL_OK;
	sqlite3_file *wal;

	assert_off_loop();
	*is_more_out = true;
	if (!sql->is_wal_held)
		return SQL_NOT_FOUND;
	if (pages->read_pages < pages->file_pages)
		return read_file(sql, pages, octets_max, out);
	*is_more_out = false;
	wal = file_of(sql, SQLITE_FCNTL_JOURNAL_POINTER);
	if (wal != NULL && read_header(wal, pages, &status))
		read_frames(wal, pages, octets_max, out, is_more_out);
	return status;
}

uint64_t
sql_pages_left(const struct sql *sql, const struct sql_pages *pages)
{
	uint64_t frames = (uint64_t)sql->wal_pages;

	return frames > pages->frame ? (frames - pages->frame) * SQL_PAGE_OCTETS : 0;
}

int
sql_schema_newest(const char *schema)
{
	int newest = 0;

	for (const struct sql_migration *migration = sql_migrations; migration->name != NULL; migration++)
		if (strcmp(migration->name, schema) == 0 && migration->number > newest)
			newest = migration->number;
	return newest;
}
