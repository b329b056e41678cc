/*
 * Opening a file that has a mark: is it the one that was there, and if not, what must never be given again is
 * stepped over.  Worker threads.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "flag_log.h"
#include "mark.h"
#include "store/mark.h"

#define ALL_UIDS  (UINT64_C(1) << 32)
#define MARK_JUMP (1 << 20)	/* more UIDs, and modseqs, than can be given between two flushes of a mark */
#define LAZY_JUMP (1 << 20)	/* more modseqs than a lazy second can give */

/* An empty file is what a disk that was full leaves behind: no mail was ever in it. */
static bool
is_file_there(const char *path, uint64_t *inode_out)
{
	struct stat about;

	if (stat(path, &about) != 0)
		return false;
	*inode_out = about.st_ino;
	return about.st_size > 0;
}

static enum store_finding
compare(const struct store_position *file, enum mark_state state, const struct mark_record *mark, uint64_t era)
{
	if (state == MARK_NONE)
		return STORE_AS_LEFT;
	if (state == MARK_BROKEN)
		return STORE_DOUBTFUL;
	if (file->next_uidvalidity < mark->next_uidvalidity || file->changes < mark->kept ||
	    (era == mark->era && file->changes < mark->told))
		return STORE_OLDER;
	return era == mark->era ? STORE_AS_LEFT : STORE_DOUBTFUL;
}

static enum store_status
run_with_number(struct store *store, const char *text, uint64_t number)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_number(statement, 1, (int64_t)number);
	return store_run(statement);
}

/* Mailboxes in which there is no room for so many UIDs get another UIDVALIDITY. */
static enum store_status
renew_uidvalidities(struct store *store, uint64_t jump)
{
	enum store_status status;
	uint64_t last = 0;

	do {
		struct sql_statement *query = sql_prepare(store->sql,
		    "SELECT id FROM mailbox WHERE id > ?1 AND uidnext + ?2 > 4294967296 ORDER BY id LIMIT 1");

		sql_bind_number(query, 1, (int64_t)last);
		sql_bind_number(query, 2, (int64_t)jump);
		if ((status = store_row(query)) == STORE_OK)
			last = (uint64_t)sql_column_number(query, 0);
		sql_reset(query);
		if (status == STORE_OK)
			status = store_mailbox_renew_uidvalidity(store, last);
	} while (status == STORE_OK);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* SQLite remembers the ids of tables with AUTOINCREMENT once there was one. */
static enum store_status
jump_ids(struct store *store, uint64_t jump)
{
	enum store_status status = store_run(sql_prepare(store->sql,
	    "INSERT INTO sqlite_sequence (name, seq) SELECT 'content', 0 "
	    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'content')"));

	if (status != STORE_OK)
		return status;
	return run_with_number(store, "UPDATE sqlite_sequence SET seq = seq + ?1", jump);
}

/*
 * Step over whatever may have been given: modseqs, MAILBOXIDs and EMAILIDs by a jump, and UIDs by a jump or, where
 * there is no room for it or is_older says so, by another UIDVALIDITY.
 */
static enum store_status
step_over(struct store *store, bool is_older, uint64_t jump, const struct mark_record *mark)
{
	enum store_status status;

	if (store->position.changes < mark->told)
		store->position.changes = mark->told;
	store->position.changes++;
	if ((status = run_with_number(store, "UPDATE account SET changes = ?1", store->position.changes)) != STORE_OK ||
	    (status = run_with_number(store, "UPDATE account SET next_uidvalidity = max(next_uidvalidity, ?1)",
		mark->next_uidvalidity)) != STORE_OK ||
	    (status = renew_uidvalidities(store, is_older ? ALL_UIDS : jump)) != STORE_OK ||
	    (status = run_with_number(store, "UPDATE mailbox SET highest_modseq = highest_modseq + ?1", jump)) != STORE_OK ||
	    (status = jump_ids(store, jump)) != STORE_OK)
		return status;
	if (is_older)
		return STORE_OK;
	return run_with_number(store, "UPDATE mailbox SET uidnext = uidnext + ?1 WHERE uidnext + ?1 <= 4294967296", jump);
}

/* Lazy commits may be missing: no modseq that they may have given is given again. */
static enum store_status
step_over_lazy(struct store *store)
{
	enum store_status status =
	    run_with_number(store, "UPDATE mailbox SET highest_modseq = highest_modseq + ?1", LAZY_JUMP);

	return status != STORE_OK ? status : store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = 0"));
}

/*
 * Clients may know newer flags than the file has, and nobody can tell of which messages: all of them count as changed
 * now, so that whoever asks for changes, whatever modseq it was told, hears what is true (RFC 7162 section 3.1).
 */
static enum store_status
touch_messages(struct store *store)
{
	enum store_status status = flag_log_settle_all(store);

	return status != STORE_OK ? status : store_run(sql_prepare(store->sql, "UPDATE message SET modseq = "
	    "(SELECT highest_modseq FROM mailbox WHERE mailbox.id = message.mailbox_id)"));
}

/* And what they were told of \Seen in mailboxes of others. */
static enum store_status
doubt_seen(struct store *store)
{
	return store_run(sql_prepare(store->sql, "UPDATE account SET seen_doubt = seen_doubt + 1"));
}

/* They may know messages, too, that it has not: whoever asks what has gone hears of every UID that is not there. */
static enum store_status
forget_history(struct store *store)
{
	enum store_status status = store_run(sql_prepare(store->sql, "DELETE FROM expunged"));

	return status != STORE_OK ? status : store_run(sql_prepare(store->sql,
	    "UPDATE mailbox SET forgotten_modseq = highest_modseq"));
}

static enum store_status
raise_numbers(struct store *store, enum store_finding finding, const struct mark_record *mark, bool may_lack_flags)
{
	uint64_t changes = store->committed.changes;
	uint64_t jump = MARK_JUMP + (mark->told > changes ? mark->told - changes : 0);
	enum store_status status = STORE_OK;

	if (finding == STORE_OLDER || finding == STORE_DOUBTFUL)
		status = step_over(store, finding == STORE_OLDER, jump, mark);
	if (status == STORE_OK && store->was_unclean)
		status = step_over_lazy(store);
	if (status == STORE_OK && may_lack_flags)
		status = touch_messages(store);
	if (status == STORE_OK && (may_lack_flags || finding == STORE_OLDER))
		status = doubt_seen(store);
	if (status == STORE_OK && finding == STORE_DOUBTFUL)
		status = forget_history(store);
	return status;
}

/* All in one transaction: what was found must not be forgotten before it has had its consequences. */
static enum store_status
settle(struct store *store, enum store_finding finding, enum mark_state state, const struct mark_record *mark)
{
	bool may_lack_flags = finding == STORE_DOUBTFUL || (store->was_unclean && state != MARK_READ);
	enum store_status status;

	if (finding != STORE_OLDER && finding != STORE_DOUBTFUL && !store->was_unclean)
		return STORE_OK;
	if ((status = store_begin(store, STORE_DURABLE)) != STORE_OK)
		return status;
	return store_end(store, raise_numbers(store, finding, mark, may_lack_flags));
}

static void
settle_error(struct store **store, char **error_out)
{
	*error_out = memory_copy_string(store_error(*store));
	store_close(store);
}

/* Without a mark nobody knows whether the power was lost. */
enum store_status
store_open(const char *path, bool is_new_allowed, struct store **store_out)
{
	const struct mark_record none = { 0 };
	char *error = NULL;
	struct store *store;
	enum store_status status = store_open_file(path, is_new_allowed, 0, &error, &store);

	if (status == STORE_OK && (status = settle(store, STORE_AS_LEFT, MARK_NONE, &none)) != STORE_OK)
		settle_error(&store, &error);
	else if (status == STORE_OK)
		*store_out = store;
	free(error);
	return status;
}

enum store_status
store_open_marked(struct store_opening *opening, struct store **store_out)
{
	struct mark_record mark, now;
	enum mark_state state = mark_read(opening->mark_path, &mark);
	int error = errno;
	bool is_there = is_file_there(opening->path, &opening->file);
	enum store_status status;
	struct store *store;

	assert_off_loop();
	opening->error = state == MARK_UNREAD ? memory_copy_string(strerror(error)) : NULL;
	if (state == MARK_UNREAD)
		return STORE_UNAVAILABLE;
	if (!is_there && (state == MARK_BROKEN || mark.is_made))
		return STORE_MISSING;
	status = store_open_file(opening->path, true, mark.next_uidvalidity, &opening->error, &store);
	if (status != STORE_OK)
		return status;
	opening->finding = is_there ? compare(&store->committed, state, &mark, opening->era) : STORE_MADE;
	if ((status = settle(store, opening->finding, state, &mark)) != STORE_OK) {
		settle_error(&store, &opening->error);
		return status;
	}
	is_file_there(opening->path, &opening->file);
	now = (struct mark_record){ opening->era,
		opening->finding == STORE_AS_LEFT ? mark.kept : store->committed.changes,
		store->committed.changes, store->committed.next_uidvalidity, 1 };
	store->file = opening->file;
	mark_attach(store, opening->mark_path, state == MARK_READ ? &mark : NULL, &now);
	*store_out = store;
	return STORE_OK;
}

enum store_place
store_look(const struct store *store)
{
	struct stat about;

	if (stat(store->path, &about) != 0)
		return STORE_FILE_GONE;
	return about.st_ino == store->file ? STORE_IN_PLACE : STORE_FILE_REPLACED;
}

static void
move_aside(const char *path)
{
	struct buffer log = { 0 }, stale = { 0 };

	buffer_printf(&log, "%s-wal", path);
	buffer_printf(&stale, "%s-wal.stale", path);
	rename(buffer_string(&log), buffer_string(&stale));
	buffer_clear(&log);
	buffer_printf(&log, "%s-shm", path);
	unlink(buffer_string(&log));
	buffer_free(&log);
	buffer_free(&stale);
}

void
store_leave(struct store **store)
{
	bool is_replaced = store_look(*store) == STORE_FILE_REPLACED;
	char *path = memory_copy_string((*store)->path);

	assert_off_loop();
	store_close(store);
	if (is_replaced)
		move_aside(path);
	free(path);
}

enum store_status
store_mark_renew(const char *path, const char *mark_path)
{
	struct mark_record mark;
	enum mark_state state;
	uint64_t ignored;

	assert_off_loop();
	if (is_file_there(path, &ignored))
		return STORE_EXISTS;
	if ((state = mark_read(mark_path, &mark)) == MARK_NONE)
		return STORE_OK;
	if (state == MARK_UNREAD)
		return STORE_UNAVAILABLE;
	mark.is_made = 0;
	return mark_write(mark_path, &mark, true) ? STORE_OK : errno == ENOSPC ? STORE_FULL : STORE_UNAVAILABLE;
}
