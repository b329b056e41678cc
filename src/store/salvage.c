/*
 * A new file of what can be read in a damaged one, and how it takes its place.  Rows that SQLite can read are copied
 * (salvage_rows.c); what is derived from messages is left out, and made anew.  The first page, without which nothing is read, is
 * made anew in a copy (first_page.c); and octets that SQLite does not come to are looked for in all pages (salvage_raw.c).
 * Worker threads.
 */
#include "store/salvage.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "first_page.h"
#include "internal.h"
#include "mark.h"
#include "salvage_raw.h"
#include "salvage_rows.h"
#include "store/repair.h"

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
	enum store_status status;

	sql_bind_text(statement, 1, span_from_string(path));
	if ((status = store_run(statement)) != STORE_OK)
		return status;
	if (salvage_read_number(store->sql, "PRAGMA main.user_version") == salvage_read_number(store->sql, "PRAGMA damaged.user_version"))
		return STORE_OK;
	status = run(store, "DETACH DATABASE damaged");
	return status == STORE_OK ? STORE_CORRUPT : status;
}

/* Attach the file, or a copy of it that can be read: where that is to be put, and then is, in `from`. */
static enum store_status
attach_some(struct store *store, const char *path, const char *copy_path, const char **from_out, struct salvage_report *report)
{
	enum store_status status = attach(store, path);

	*from_out = path;
	if (status != STORE_CORRUPT || (status = first_page_rebuild(path, copy_path)) != STORE_OK)
		return status;
	*from_out = copy_path;
	report->has_first_page = true;
	return attach(store, copy_path);
}

/* What the log beside the old file holds goes into it: else it would stay behind and belong to the new one. */
static enum store_status
detach(struct store *store, const char *path)
{
	struct buffer name = { 0 };
	struct stat about;
	enum store_status status;
	bool is_left;

	salvage_read_number(store->sql, "PRAGMA damaged.wal_checkpoint(TRUNCATE)");
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
fill(struct store *store, const char *path, const char *copy_path, const struct mark_record *mark, struct salvage_report *report)
{
	const char *from;
	enum store_status status;
	bool has_lost;

	if ((status = run(store, "PRAGMA foreign_keys = OFF")) != STORE_OK || (status = empty(store)) != STORE_OK ||
	    (status = attach_some(store, path, copy_path, &from, report)) != STORE_OK)
		return status;
	status = store_from_sql(salvage_rows(store->sql, &report->given_up, &has_lost));
	if (status == STORE_OK)
		status = detach(store, from);
	if (status == STORE_OK && has_lost)
		status = salvage_raw(store->sql, from);
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

/*
 * A log that could not be folded into the old file goes with it: it would be replayed into the new one.  Who is cut short
 * behind this finds it there (first_page.c).
 */
static bool
move_log(const char *path, const struct buffer *kept_as)
{
	struct buffer from = { 0 }, to = { 0 };
	bool is_moved;

	buffer_printf(&from, "%s-wal", path);
	buffer_printf(&to, "%.*s-wal", SPAN_ARGS(buffer_span(kept_as)));
	is_moved = rename(buffer_string(&from), buffer_string(&to)) == 0 ? store_sync_folder_of(path) : errno == ENOENT;
	buffer_free(&from);
	buffer_free(&to);
	return is_moved;
}

static enum store_status
swap(const char *path, const char *new_path, const char *mark_path, const struct mark_record *mark, struct buffer *kept_as)
{
	const struct mark_record doubtful = { .told = mark->told, .next_uidvalidity = mark->next_uidvalidity, .is_made = 1 };

	if (!keep_old(path, kept_as) || !mark_write(mark_path, &doubtful, true) || !move_log(path, kept_as) ||
	    rename(new_path, path) != 0 || !store_sync_folder_of(path))
		return errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
	return STORE_OK;
}

enum store_status
store_salvage(const char *path, const char *mark_path, struct salvage_report *report)
{
	struct buffer new_path = { 0 }, copy_path = { 0 };
	struct mark_record mark;
	struct store *store = NULL;
	char *error = NULL;
	enum store_status status, closed;

	if (mark_read(mark_path, &mark) == MARK_UNREAD)
		return STORE_UNAVAILABLE;
	buffer_printf(&new_path, "%s.salvaged", path);
	buffer_printf(&copy_path, "%s.readable", path);
	remove_all(buffer_string(&new_path));
	remove_all(buffer_string(&copy_path));
	status = store_open_file(buffer_string(&new_path), true, mark.next_uidvalidity, &error, &store);
	if (status == STORE_OK && report->stop != NULL)
		store_stop_by(store, report->stop);
	if (status == STORE_OK)
		status = fill(store, path, buffer_string(&copy_path), &mark, report);
	closed = store_close(&store);
	status = status == STORE_OK ? closed : status;
	if (status == STORE_OK && report->stop != NULL && atomic_load(report->stop))
		status = STORE_UNAVAILABLE;
	if (status == STORE_OK)
		status = swap(path, buffer_string(&new_path), mark_path, &mark, &report->kept_as);
	remove_all(buffer_string(&new_path));
	remove_all(buffer_string(&copy_path));
	buffer_free(&new_path);
	buffer_free(&copy_path);
	free(error);
	return status;
}

void
salvage_report_fini(struct salvage_report *report)
{
	buffer_free(&report->kept_as);
	buffer_free(&report->given_up);
}
