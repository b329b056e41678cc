/*
 * Copying what can be read: a range of keys with one statement, and where that meets damage, each half of it by itself.  What is
 * derived from messages is left out, and made anew.  Worker threads.
 */
#include "store/salvage.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "internal.h"
#include "mark.h"
#include "store/repair.h"

#define FAILURES_MAX  200000	/* statements that met damage: some seconds of them */
#define AT_ONCE	      1024	/* contents, or UIDs, in one statement */
#define LOST_UIDS     100000	/* are looked for in a mailbox whose row is lost */
#define LOST_POSITION 64	/* rows of a content that is lost: 2 MiB */

struct salvage {
	struct sql *sql;
	uint64_t failures;
	enum sql_status trouble;	/* other than damage: it ends everything */
};

/* Tables with a few rows, and how their rows are read from the end. */
static const struct { const char *from_begin, *from_end; } few[] = {
#define FEW(table, last) { "INSERT OR IGNORE INTO main." table " SELECT * FROM damaged." table " LIMIT ?1", \
	"INSERT OR IGNORE INTO main." table " SELECT * FROM damaged." table " ORDER BY " last " LIMIT ?1" }
	FEW("account", "id DESC"),
	FEW("subscription", "name DESC"),
	FEW("keyword", "mailbox_id DESC, bit DESC"),
	FEW("keyword_set", "id DESC"),
	FEW("expunged", "mailbox_id DESC, modseq DESC, first_uid DESC"),
	FEW("flag_change", "mailbox_id DESC, first_uid DESC"),
	FEW("metadata", "owner DESC, mailbox_id DESC, entry DESC"),
	FEW("acl", "mailbox_id DESC, identifier DESC"),
	FEW("dictionary", "encoding DESC"),
	FEW("seen_mailbox", "id DESC"),
	FEW("seen", "seen_mailbox_id DESC, first_uid DESC"),
	FEW("retained", "id DESC"),
	FEW("deleted_mailbox", "id DESC"),
	FEW("garbage", "content_id DESC"),
#undef FEW
};

/* False: it met damage, or there is no sense in going on. */
static bool
copy(struct salvage *salvage, struct sql_statement *statement)
{
	enum sql_status status = sql_run(statement);

	if (status == SQL_OK)
		return true;
	if (status == SQL_CORRUPT)
		salvage->failures++;
	else
		salvage->trouble = status;
	return false;
}

static bool
goes_on(const struct salvage *salvage)
{
	return salvage->trouble == SQL_OK && salvage->failures < FAILURES_MAX;
}

static bool
copy_some(struct salvage *salvage, const char *text, int64_t count)
{
	struct sql_statement *statement = sql_prepare(salvage->sql, text);

	sql_bind_number(statement, 1, count);
	return copy(salvage, statement);
}

/* As many rows as come before the damage. */
static void
copy_few(struct salvage *salvage, const char *text)
{
	int64_t good = 0, bad = 1;

	while (goes_on(salvage) && copy_some(salvage, text, bad) && bad < (INT64_C(1) << 32)) {
		good = bad;
		bad *= 2;
	}
	while (goes_on(salvage) && bad - good > 1) {
		int64_t middle = good + (bad - good) / 2;

		if (copy_some(salvage, text, middle))
			good = middle;
		else
			bad = middle;
	}
}

static void
copy_all_of_few(struct salvage *salvage)
{
	for (size_t i = 0; i < COUNT_OF(few); i++) {
		if (!goes_on(salvage) || copy_some(salvage, few[i].from_begin, -1))
			continue;
		copy_few(salvage, few[i].from_begin);
		copy_few(salvage, few[i].from_end);
	}
}

/* Keys from first to last; which[0] is ?3.  What is found bad at a single key is given to on_lost. */
struct range {
	const char *text;		/* ?1, ?2: first and last key */
	uint64_t id;			/* ?3, if the text has one */
	void (*on_lost)(struct salvage *salvage, uint64_t key);	/* or NULL */
};

static void
copy_range(struct salvage *salvage, const struct range *range, uint64_t first, uint64_t last)
{
	struct sql_statement *statement;
	uint64_t middle = first + (last - first) / 2;

	if (!goes_on(salvage) || first > last)
		return;
	statement = sql_prepare(salvage->sql, range->text);
	sql_bind_number(statement, 1, (int64_t)first);
	sql_bind_number(statement, 2, (int64_t)last);
	if (range->id != 0)
		sql_bind_number(statement, 3, (int64_t)range->id);
	if (copy(salvage, statement))
		return;
	if (first < last) {
		copy_range(salvage, range, first, middle);
		copy_range(salvage, range, middle + 1, last);
	} else if (range->on_lost != NULL) {
		range->on_lost(salvage, first);
	}
}

static void
copy_keys(struct salvage *salvage, const struct range *range, uint64_t last)
{
	for (uint64_t first = 1; goes_on(salvage) && first <= last; first += AT_ONCE)
		copy_range(salvage, range, first, first + AT_ONCE - 1 < last ? first + AT_ONCE - 1 : last);
}

/* 0: it cannot be read. */
static uint64_t
read_number(struct salvage *salvage, const char *text)
{
	struct sql_statement *query = sql_prepare(salvage->sql, text);
	uint64_t number = sql_step(query) == SQL_ROW ? (uint64_t)sql_column_number(query, 0) : 0;

	sql_reset(query);
	return number;
}

static void
copy_mailboxes(struct salvage *salvage)
{
	static const struct range range = { .text = "INSERT OR IGNORE INTO main.mailbox SELECT * FROM damaged.mailbox "
	    "WHERE id BETWEEN ?1 AND ?2" };
	uint64_t last = read_number(salvage, "SELECT seq FROM damaged.sqlite_sequence WHERE name = 'mailbox'");

	copy_keys(salvage, &range, last > 0 ? last : STORE_MAILBOX_MAX);
}

/* The UIDs that a mailbox may have had; 0: it is not known. */
static uint64_t
last_uid(struct salvage *salvage, uint64_t mailbox_id)
{
	struct sql_statement *query = sql_prepare(salvage->sql, "SELECT uidnext - 1 FROM main.mailbox WHERE id = ?1");
	uint64_t last;

	sql_bind_number(query, 1, (int64_t)mailbox_id);
	last = sql_step(query) == SQL_ROW ? (uint64_t)sql_column_number(query, 0) : LOST_UIDS;
	sql_reset(query);
	return last;
}

static uint64_t
read_after(struct salvage *salvage, const char *text, uint64_t id)
{
	struct sql_statement *query = sql_prepare(salvage->sql, text);
	uint64_t found = 0;

	sql_bind_number(query, 1, (int64_t)id);
	if (sql_step(query) == SQL_ROW)
		found = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return found;
}

/* The next mailbox, one that is there or one that has messages; 0: none.  Ids may have jumped by a million. */
static uint64_t
next_mailbox(struct salvage *salvage, uint64_t id)
{
	uint64_t there = read_after(salvage, "SELECT min(id) FROM main.mailbox WHERE id > ?1", id);
	uint64_t used = read_after(salvage, "SELECT mailbox_id FROM damaged.message WHERE mailbox_id > ?1 "
	    "ORDER BY mailbox_id, uid LIMIT 1", id);

	return used != 0 && (there == 0 || used < there) ? used : there;
}

static void
copy_messages(struct salvage *salvage)
{
	struct range range = { .text = "INSERT OR IGNORE INTO main.message SELECT * FROM damaged.message "
	    "WHERE mailbox_id = ?3 AND uid BETWEEN ?1 AND ?2" };

	while (goes_on(salvage) && (range.id = next_mailbox(salvage, range.id)) != 0)
		copy_range(salvage, &range, 1, last_uid(salvage, range.id));
}

/* Of a content whose rows cannot be read together each by itself. */
static void
copy_rows_of(struct salvage *salvage, uint64_t content_id)
{
	for (uint64_t position = 0; goes_on(salvage) && position < LOST_POSITION; position++) {
		struct sql_statement *statement = sql_prepare(salvage->sql,
		    "INSERT OR IGNORE INTO main.chunk SELECT * FROM damaged.chunk WHERE id = ?1");

		sql_bind_number(statement, 1, (int64_t)(content_id << 20 | position));
		copy(salvage, statement);
	}
}

static void
copy_contents(struct salvage *salvage)
{
	static const struct range contents = { .text = "INSERT OR IGNORE INTO main.content SELECT * FROM damaged.content "
	    "WHERE id BETWEEN ?1 AND ?2" };
	static const struct range chunks = { .text = "INSERT OR IGNORE INTO main.chunk SELECT * FROM damaged.chunk "
	    "WHERE id BETWEEN ?1 << 20 AND ?2 << 20 | 1048575", .on_lost = copy_rows_of };
	uint64_t last = read_number(salvage, "SELECT seq FROM damaged.sqlite_sequence WHERE name = 'content'");

	if (last == 0)
		last = read_number(salvage, "SELECT max(coalesce((SELECT max(content_id) FROM main.message), 0), "
		    "coalesce((SELECT max(content_id) FROM main.retained), 0))");
	copy_keys(salvage, &contents, last);
	copy_keys(salvage, &chunks, last);
}

/* Ids that were given are not given again. */
static void
copy_sequences(struct salvage *salvage)
{
	copy(salvage, sql_prepare(salvage->sql, "UPDATE main.sqlite_sequence SET seq = max(seq, "
	    "coalesce((SELECT d.seq FROM damaged.sqlite_sequence AS d WHERE d.name = sqlite_sequence.name), 0))"));
}

/* ---- the new file --------------------------------------------------------------------------------------- */

static enum store_status
run(struct store *store, const char *text)
{
	return store_run(sql_prepare(store->sql, text));
}

/* A new file has mailboxes of its own. */
static enum store_status
empty(struct store *store)
{
	static const char *const texts[] = {
		"DELETE FROM subscription", "DELETE FROM mailbox", "DELETE FROM account", "DELETE FROM dictionary",
	};
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(texts); i++)
		status = run(store, texts[i]);
	return status;
}

static enum store_status
attach(struct store *store, const char *path)
{
	struct sql_statement *statement = sql_prepare(store->sql, "ATTACH DATABASE ?1 AS damaged");
	struct salvage looking = { .sql = store->sql };
	enum store_status status;

	sql_bind_text(statement, 1, span_from_string(path));
	if ((status = store_run(statement)) != STORE_OK)
		return status;
	return read_number(&looking, "PRAGMA main.user_version") == read_number(&looking, "PRAGMA damaged.user_version") ?
	    STORE_OK : STORE_CORRUPT;
}

/* What the log beside the old file holds goes into it: else it would stay behind and belong to the new one. */
static enum store_status
detach(struct store *store, const char *path)
{
	struct salvage looking = { .sql = store->sql };
	struct buffer name = { 0 };
	struct stat about;
	enum store_status status;
	bool is_left;

	read_number(&looking, "PRAGMA damaged.wal_checkpoint(TRUNCATE)");
	status = run(store, "DETACH DATABASE damaged");
	buffer_printf(&name, "%s-wal", path);
	is_left = stat(buffer_string(&name), &about) == 0 && about.st_size > 0;
	buffer_free(&name);
	return status == STORE_OK && is_left ? STORE_UNAVAILABLE : status;
}

/* What a file cannot be without. */
static enum store_status
complete(struct store *store, const struct mark_record *mark)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR IGNORE INTO account (id, next_uidvalidity, is_unclean) VALUES (1, ?1, 0)");
	enum store_status status;
	uint64_t inbox;

	sql_bind_number(insert, 1, (int64_t)(mark->next_uidvalidity > 0 ? mark->next_uidvalidity : 1));
	if ((status = store_run(insert)) != STORE_OK || (status = store_begin(store, STORE_DURABLE)) != STORE_OK)
		return status;
	status = store_repair_rows(store);
	if (status == STORE_OK && (status = store_mailbox_id(store, SPAN("INBOX"), &inbox)) == STORE_NOT_FOUND)
		status = store_mailbox_insert(store, SPAN("INBOX"), NULL, NULL);
	return store_end(store, status);
}

static enum store_status
fill(struct store *store, const char *path, const struct mark_record *mark)
{
	struct salvage salvage = { .sql = store->sql };
	enum store_status status;

	if ((status = run(store, "PRAGMA foreign_keys = OFF")) != STORE_OK || (status = empty(store)) != STORE_OK ||
	    (status = attach(store, path)) != STORE_OK)
		return status;
	copy_mailboxes(&salvage);
	copy_all_of_few(&salvage);
	copy_sequences(&salvage);
	copy_messages(&salvage);
	copy_contents(&salvage);
	copy_sequences(&salvage);
	if (salvage.trouble != SQL_OK)
		return store_from_sql(salvage.trouble);
	status = detach(store, path);
	return status == STORE_OK ? complete(store, mark) : status;
}

/* ---- one in the place of the other ---------------------------------------------------------------------- */

static void
remove_all(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		struct buffer name = { 0 };

		buffer_printf(&name, "%s%s", path, suffixes[i]);
		unlink(buffer_string(&name));
		buffer_free(&name);
	}
}

/* Give the old file another name beside its own; one that it has from a run that was cut short will do. */
static bool
keep_old(const char *path, struct buffer *kept_as)
{
	size_t length = kept_as->length;
	struct stat old, other;

	if (stat(path, &old) != 0)
		return false;
	for (unsigned number = 1; number < 1000; number++) {
		kept_as->length = length;
		buffer_printf(kept_as, "%s.damaged-%u", path, number);
		if (link(path, buffer_string(kept_as)) == 0)
			return store_sync_folder_of(path);
		if (errno != EEXIST)
			return false;
		if (stat(buffer_string(kept_as), &other) == 0 && other.st_ino == old.st_ino && other.st_dev == old.st_dev)
			return true;
	}
	return false;
}

static enum store_status
swap(const char *path, const char *new_path, const char *mark_path, const struct mark_record *mark, struct buffer *kept_as)
{
	const struct mark_record doubtful = { .told = mark->told, .next_uidvalidity = mark->next_uidvalidity, .is_made = 1 };

	if (!keep_old(path, kept_as) || !mark_write(mark_path, &doubtful, true) || rename(new_path, path) != 0 ||
	    !store_sync_folder_of(path))
		return errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
	return STORE_OK;
}

enum store_status
store_salvage(const char *path, const char *mark_path, struct buffer *kept_as)
{
	struct buffer new_path = { 0 };
	struct mark_record mark;
	struct store *store = NULL;
	char *error = NULL;
	enum store_status status, closed;

	mark_read(mark_path, &mark);
	buffer_printf(&new_path, "%s.salvaged", path);
	remove_all(buffer_string(&new_path));
	status = store_open_file(buffer_string(&new_path), true, mark.next_uidvalidity, &error, &store);
	if (status == STORE_OK)
		status = fill(store, path, &mark);
	closed = store_close(&store);
	status = status == STORE_OK ? closed : status;
	if (status == STORE_OK)
		status = swap(path, buffer_string(&new_path), mark_path, &mark, kept_as);
	remove_all(buffer_string(&new_path));
	buffer_free(&new_path);
	free(error);
	return status;
}
