#include "first_page.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "internal.h"
#include "raw.h"
#include "sql/model.h"
#include "sql/pages.h"

#define HEADER	      100	/* https://www.sqlite.org/fileformat2.html, section 1.3 */
#define TREE	      12	/* of a page that leads to others, section 1.6 */
#define INTERIOR      0x05
#define LEAVES_MAX    200	/* our tables need two */
#define NAMES_MAX     999	/* of what earlier repairs have left */
#define COPY_OCTETS   (1024 * 1024)

/* Leaves of the table sqlite_schema. */
struct leaf {
	uint32_t page;
	int64_t first_key, last_key;
	size_t rows;
};

struct leaves {
	struct leaf at[LEAVES_MAX];
	size_t count;
	uint32_t other;			/* the last page with other rows */
};

/* ---- the copy ------------------------------------------------------------------------------------------- */

static bool
copy_octets(int from, int to)
{
	uint8_t *octets = memory_new(COPY_OCTETS);
	ssize_t got = 1, written = 1;

	while (written > 0 && (got = read(from, octets, COPY_OCTETS)) > 0)
		for (ssize_t done = 0; written > 0 && done < got; done += written)
			written = write(to, octets + done, (size_t)(got - done));
	free(octets);
	return written > 0 && got == 0;
}

static enum store_status
copy_file(const char *from_path, const char *to_path)
{
	int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = from < 0 ? -1 : open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_copied = to >= 0 && copy_octets(from, to);
	bool is_full = !is_copied && (errno == ENOSPC || errno == EDQUOT);

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return is_copied ? STORE_OK : is_full ? STORE_FULL : STORE_UNAVAILABLE;
}

static bool
has_octets(const char *path, struct stat *about)
{
	return stat(path, about) == 0 && about->st_size > 0;
}

/* The log beside the file; or beside the name that a repair which was cut short has given it. */
static bool
find_log(const char *path, struct buffer *log_out)
{
	struct stat file, other, log;

	if (stat(path, &file) != 0)
		return false;
	buffer_printf(log_out, "%s-wal", path);
	if (has_octets(buffer_string(log_out), &log))
		return true;
	for (unsigned number = 1; number <= NAMES_MAX; number++) {
		buffer_clear(log_out);
		buffer_printf(log_out, "%s.damaged-%u", path, number);
		if (stat(buffer_string(log_out), &other) != 0)
			return false;
		buffer_add_string(log_out, "-wal");
		if (other.st_ino == file.st_ino && other.st_dev == file.st_dev)
			return has_octets(buffer_string(log_out), &log);
	}
	return false;
}

static enum store_status
make_copy(const char *path, const char *copy_path)
{
	struct buffer log = { 0 }, copy_log = { 0 };
	enum store_status status = copy_file(path, copy_path);

	buffer_printf(&copy_log, "%s-wal", copy_path);
	if (status == STORE_OK && find_log(path, &log))
		status = copy_file(buffer_string(&log), buffer_string(&copy_log));
	buffer_free(&log);
	buffer_free(&copy_log);
	return status;
}

/* ---- the table of tables -------------------------------------------------------------------------------- */

/* type, name, tbl_name, rootpage, sql */
static bool
is_of_schema(const struct raw_row *row)
{
	static const size_t texts[] = { 0, 1, 2 };
	size_t length = row->count == 5 ? (size_t)(row->types[0] - 13) / 2 : 0;
	struct span type = span_slice(row->local, row->header_length, length);

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (row->count != 5 || row->types[i] < 13 || row->types[i] % 2 == 0)
			return false;
	return (raw_is_number(row->types[3]) || row->types[3] == 0) && (span_equals(type, SPAN("table")) || span_equals(type, SPAN("index")) ||
	    span_equals(type, SPAN("view")) || span_equals(type, SPAN("trigger")));
}

/* Rows of a page come in the order of their keys. */
static bool
visit(const struct raw *raw, const struct raw_row *row, void *context)
{
	struct leaves *leaves = context;
	struct leaf *leaf = leaves->count > 0 ? &leaves->at[leaves->count - 1] : NULL;

	(void)raw;
	if (row->page == leaves->other || !is_of_schema(row)) {
		leaves->count -= leaf != NULL && leaf->page == row->page;
		leaves->other = row->page;
	} else if (leaf != NULL && leaf->page == row->page) {
		leaf->last_key = row->key;
		leaf->rows++;
	} else if (leaves->count < LEAVES_MAX) {
		leaves->at[leaves->count++] = (struct leaf){ row->page, row->key, row->key, 1 };
	}
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct leaf *left = a, *right = b;

	return left->first_key < right->first_key ? -1 : left->first_key > right->first_key;
}

/* Of leaves with the same keys one is what was there before: the one with fewer. */
static void
leave_out_former(struct leaves *leaves)
{
	size_t kept = 0;

	if (leaves->count > 0)
		qsort(leaves->at, leaves->count, sizeof leaves->at[0], by_key);
	for (size_t i = 0; i < leaves->count; i++) {
		struct leaf *last = kept > 0 ? &leaves->at[kept - 1] : NULL;

		if (last == NULL || leaves->at[i].first_key > last->last_key)
			leaves->at[kept++] = leaves->at[i];
		else if (leaves->at[i].rows > last->rows)
			*last = leaves->at[i];
	}
	leaves->count = kept;
}

static bool
find_leaves(const char *path, struct leaves *leaves)
{
	struct raw raw;
	bool is_read;

	*leaves = (struct leaves){ .count = 0 };
	if (!raw_open(path, &raw))
		return false;
	is_read = raw_each_row(&raw, visit, leaves);
	raw_close(&raw);
	leave_out_former(leaves);
	return is_read && leaves->count > 0;
}

/* ---- the page ------------------------------------------------------------------------------------------- */

static void
put(uint8_t *at, size_t length, uint64_t number)
{
	while (length > 0) {
		at[--length] = (uint8_t)number;
		number >>= 8;
	}
}

static void
write_header(uint8_t page[RAW_PAGE])
{
	static const uint8_t settings[] = { 2, 2, 0, 64, 32, 32 };	/* WAL, nothing reserved, fractions as they have to be */

	memset(page, 0, HEADER);
	memcpy(page, "SQLite format 3", 16);
	put(page + 16, 2, RAW_PAGE);
	memcpy(page + 18, settings, sizeof settings);
	put(page + 24, 4, 1);		/* changes; no page is free, and how many there are is not known to be right */
	put(page + 40, 4, 1);		/* changes of the schema */
	put(page + 44, 4, 4);		/* its format */
	put(page + 56, 4, 1);		/* UTF-8 */
	put(page + 60, 4, (uint64_t)sql_schema_newest("mail"));
	put(page + 96, 4, 3040000);
}

/* A key of our schema is one octet, or two. */
static size_t
put_cell(uint8_t *end, const struct leaf *leaf)
{
	size_t length = leaf->last_key < 128 ? 5 : 6;
	uint8_t *at = end - length;

	put(at, 4, leaf->page);
	if (length == 6)
		at[4] = (uint8_t)(0x80 | leaf->last_key >> 7);
	at[length - 1] = (uint8_t)(leaf->last_key & 0x7f);
	return length;
}

/* The page that leads to the leaves. */
static void
write_tree(uint8_t page[RAW_PAGE], const struct leaves *leaves)
{
	uint8_t *tree = page + HEADER;
	size_t end = RAW_PAGE, cells = leaves->count - 1;

	memset(tree, 0, RAW_PAGE - HEADER);
	for (size_t i = 0; i < cells; i++) {
		end -= put_cell(page + end, &leaves->at[i]);
		put(tree + TREE + 2 * i, 2, end);
	}
	tree[0] = INTERIOR;
	put(tree + 3, 2, cells);
	put(tree + 5, 2, end);
	put(tree + 8, 4, leaves->at[cells].page);
}

static bool
is_ours(const char *path)
{
	struct buffer difference = { 0 };
	struct sql *sql = NULL;
	bool is_good = sql_open(path, "mail", SQL_SOLE, &sql) == SQL_OK && sql_check_model(sql, "mail", &difference) == SQL_OK;

	sql_close(&sql);
	buffer_free(&difference);
	return is_good;
}

static bool
write_page(const char *path, const uint8_t page[RAW_PAGE])
{
	int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_good = descriptor >= 0 && pwrite(descriptor, page, RAW_PAGE, 0) == RAW_PAGE;

	if (descriptor >= 0)
		close(descriptor);
	return is_good;
}

/* Maybe the header alone is damaged, else all of the page. */
static enum store_status
rebuild(const char *copy_path)
{
	uint8_t page[RAW_PAGE];
	struct leaves leaves;
	int descriptor = open(copy_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_read = descriptor >= 0 && pread(descriptor, page, RAW_PAGE, 0) == RAW_PAGE;

	if (descriptor >= 0)
		close(descriptor);
	if (!is_read)
		return STORE_CORRUPT;
	write_header(page);
	if (!write_page(copy_path, page))
		return STORE_UNAVAILABLE;
	if (is_ours(copy_path))
		return STORE_OK;
	if (!find_leaves(copy_path, &leaves))
		return STORE_CORRUPT;
	write_tree(page, &leaves);
	if (!write_page(copy_path, page))
		return STORE_UNAVAILABLE;
	return is_ours(copy_path) ? STORE_OK : STORE_CORRUPT;
}

enum store_status
first_page_rebuild(const char *path, const char *copy_path)
{
	enum store_status status = make_copy(path, copy_path);

	return status == STORE_OK ? rebuild(copy_path) : status;
}
