/*
 * Copying a file while it is in use.  In WAL mode the file itself is written to by checkpoints alone, and after each of
 * them it is a whole database, as it was when the last transaction in it was committed.  So pages are read as they lie
 * there, and those that a checkpoint writes behind the copy's back are due again: gather.h tells of them.  When nothing is
 * due any more the copy is what the file is.
 *
 * SQLite's own backup interface does the same between two databases; here would have to be a second one, as large, beside
 * each that is copied, while who asks for the copy has it somewhere else.  Worker thread.
 */
#include "connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "gather.h"

#define PAGE_OCTETS 4096

struct sql_copy {
	struct gather_follower follower;
	uint8_t *due;			/* a bit for each page of the file: it is to be given */
	size_t pages;			/* of due */
	size_t due_count;
	size_t next;			/* where to look for the next; below are none that are due, unless wraps */
	uint64_t size;			/* of the file, in octets */
	unsigned beginnings;
	bool is_following;
	bool is_folded;			/* nothing was written to the file since the WAL was folded for this copy */
	bool is_newest;			/* all of it was */
};

static bool
is_due(const struct sql_copy *copy, size_t page)
{
	return (copy->due[page / 8] & 1 << page % 8) != 0;
}

static void
set_due(struct sql_copy *copy, size_t page, bool becomes_due)
{
	if (is_due(copy, page) == becomes_due)
		return;
	copy->due[page / 8] ^= (uint8_t)(1 << page % 8);
	copy->due_count += becomes_due ? 1 : (size_t)-1;
}

/* Let there be bits for so many pages; new ones are not due. */
static void
reach(struct sql_copy *copy, size_t pages)
{
	size_t octets = (pages + 7) / 8, before = (copy->pages + 7) / 8;

	if (pages <= copy->pages)
		return;
	if (octets > before) {
		copy->due = memory_resize(copy->due, octets, 1);
		memset(copy->due + before, 0, octets - before);
	}
	copy->pages = pages;
}

static void
on_written(struct gather_follower *follower, uint64_t offset, uint64_t length)
{
	struct sql_copy *copy = CONTAINER_OF(follower, struct sql_copy, follower);
	size_t end = (size_t)((offset + length + PAGE_OCTETS - 1) / PAGE_OCTETS);

	copy->is_folded = false;
	reach(copy, end);
	for (size_t page = (size_t)(offset / PAGE_OCTETS); page < end; page++) {
		set_due(copy, page, true);
		if (page < copy->next)
			copy->next = page;
	}
}

static void
on_closed(struct gather_follower *follower)
{
	CONTAINER_OF(follower, struct sql_copy, follower)->is_following = false;
}

struct sql_copy *
sql_copy_new(void)
{
	struct sql_copy *copy = NEW(struct sql_copy);

	list_init(&copy->follower.link);
	copy->follower.on_written = on_written;
	copy->follower.on_closed = on_closed;
	return copy;
}

void
sql_copy_end(struct sql_copy *copy)
{
	list_remove(&copy->follower.link);
	copy->is_following = false;
}

void
sql_copy_free(struct sql_copy **copy)
{
	if (*copy == NULL)
		return;
	assert(!(*copy)->is_following);
	free((*copy)->due);
	free(*copy);
	*copy = NULL;
}

unsigned
sql_copy_beginnings(const struct sql_copy *copy)
{
	return copy->beginnings;
}

uint64_t
sql_copy_left_octets(const struct sql_copy *copy)
{
	return (uint64_t)copy->due_count * PAGE_OCTETS;
}

static enum sql_status
find_file(struct sql *sql, sqlite3_file **file_out)
{
	return sql_note(sql, sqlite3_file_control(sql->handle, "main", SQLITE_FCNTL_FILE_POINTER, file_out));
}

static enum sql_status
read_size(struct sql *sql, sqlite3_file *file, struct sql_copy *copy)
{
	sqlite3_int64 size;
	enum sql_status status = sql_note(sql, file->pMethods->xFileSize(file, &size));

	if (status == SQL_OK)
		copy->size = (uint64_t)size;
	return status;
}

/* Pages behind the end were there once. */
static void
forget_behind_end(struct sql_copy *copy)
{
	for (size_t page = (size_t)(copy->size / PAGE_OCTETS); page < copy->pages; page++)
		set_due(copy, page, false);
}

/* The file becomes as new as it can be. */
static enum sql_status
fold(struct sql *sql, sqlite3_file *file, struct sql_copy *copy)
{
	enum sql_status status = sql_fold(sql);

	if (status != SQL_OK || (status = read_size(sql, file, copy)) != SQL_OK)
		return status;
	forget_behind_end(copy);
	copy->is_folded = true;
	copy->is_newest = sql_wal_octets(sql) == 0;
	return SQL_OK;
}

static enum sql_status
begin(struct sql *sql, sqlite3_file *file, struct sql_copy *copy)
{
	enum sql_status status = fold(sql, file, copy);

	if (status == SQL_OK)
		status = sql_note(sql, sqlite3_file_control(sql->handle, "main", GATHER_FOLLOW, &copy->follower));
	if (status != SQL_OK)
		return status;
	copy->is_following = true;
	copy->beginnings++;
	copy->next = 0;
	reach(copy, (size_t)(copy->size / PAGE_OCTETS));
	for (size_t page = 0; page < copy->size / PAGE_OCTETS; page++)
		set_due(copy, page, true);
	return SQL_OK;
}

/* The next pages that are due and lie side by side: where they begin, and how many there are. */
static size_t
take_run(struct sql_copy *copy, size_t pages_max, size_t *first_out)
{
	size_t first = copy->next, end;

	while (first < copy->pages && !is_due(copy, first))
		first += first % 8 == 0 && copy->due[first / 8] == 0 ? 8 : 1;
	for (end = first; end < copy->pages && end - first < pages_max && is_due(copy, end); end++)
		set_due(copy, end, false);
	copy->next = end;
	*first_out = first;
	return end > first ? end - first : 0;
}

static enum sql_status
read_pages(struct sql *sql, sqlite3_file *file, size_t pages, struct sql_copy_piece *piece)
{
	size_t length = pages * PAGE_OCTETS;
	uint8_t *at = buffer_reserve(&piece->octets, length);
	int code = file->pMethods->xRead(file, at, (int)length, (sqlite3_int64)piece->offset);

	/* Shorter than it was a moment ago: somebody else has cut it. */
	if (code == SQLITE_IOERR_SHORT_READ)
		return SQL_CORRUPT;
	if (code == SQLITE_OK)
		piece->octets.length += length;
	return sql_note(sql, code);
}

enum sql_status
sql_copy_next(struct sql *sql, struct sql_copy *copy, size_t octets_max, struct sql_copy_piece *piece)
{
	enum sql_status status = SQL_OK;
	sqlite3_file *file;
	size_t first, pages;

	assert_off_loop();
	assert(!sql_is_in_transaction(sql) && octets_max >= PAGE_OCTETS);
	if (sql->is_poisoned)
		return SQL_IO;
	if ((status = find_file(sql, &file)) != SQL_OK)
		return status;
	if (!copy->is_following)
		status = begin(sql, file, copy);
	else if (copy->due_count == 0)
		status = fold(sql, file, copy);
	if (status != SQL_OK)
		return status;
	pages = take_run(copy, octets_max / PAGE_OCTETS, &first);
	piece->offset = (uint64_t)first * PAGE_OCTETS;
	if (pages > 0)
		status = read_pages(sql, file, pages, piece);
	piece->is_whole = status == SQL_OK && copy->due_count == 0 && copy->is_folded;
	piece->is_newest = copy->is_newest;
	piece->size = copy->size;
	return status;
}
