/*
 * Opening and closing a user's file: the folder, the mailboxes of a new account, and what an
 * unclean end asks for.  Worker threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "flag_log.h"
#include "held.h"
#include "index_block.h"
#include "mark.h"
#include "retain.h"
#include "sql/still.h"
#include "store/pages.h"
#include "store/still.h"
#include "train.h"

#define OPEN_OCTETS ((size_t)192 * 1024)	/* what a store takes that was just opened: its schema, pages, statements */

static const struct { const char *name, *special_use; } first_mailboxes[] = {	/* RFC 6154 section 2 */
	{ "INBOX",	NULL },
	{ "Drafts",	"\\Drafts" },
	{ "Sent",	"\\Sent" },
	{ "Junk",	"\\Junk" },
	{ "Trash",	"\\Trash" },
	{ "Archive",	"\\Archive" },
};

/* Whether the last user left a WAL behind: it did not come to close the file. */
static bool
has_wal(const char *path)
{
	struct buffer name = { 0 };
	struct stat about;
	bool is_there;

	buffer_printf(&name, "%s-wal", path);
	is_there = stat(buffer_string(&name), &about) == 0 && about.st_size > 0;
	buffer_free(&name);
	return is_there;
}

static enum store_status
add_first_mailboxes(struct store *store)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(first_mailboxes); i++) {
		struct span name = span_from_string(first_mailboxes[i].name);

		status = store_mailbox_insert(store, name, first_mailboxes[i].special_use, NULL);
		if (status == STORE_OK)
			status = store_subscribe(store, name);
	}
	return status;
}

static enum store_status
add_account(struct store *store, uint64_t least_uidvalidity)
{
	uint64_t now_s = (uint64_t)clock_calendar_s();
	struct sql_statement *insert;
	enum store_status status;

	if ((status = store_begin(store, STORE_DURABLE)) != STORE_OK)
		return status;
	insert = sql_prepare(store->sql,
	    "INSERT INTO account (id, next_uidvalidity, is_unclean) VALUES (1, ?1, 0)");
	sql_bind_number(insert, 1, (int64_t)(now_s > least_uidvalidity ? now_s : least_uidvalidity));
	if ((status = store_run(insert)) == STORE_OK)
		status = add_first_mailboxes(store);
	return store_end(store, status);
}

/* How far the file has come. */
static enum store_status
read_position(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT max(changes, (SELECT coalesce(max(changes), 0) FROM mailbox)), next_uidvalidity FROM account");
	enum store_status status = store_row(query);

	if (status == STORE_OK)
		store->committed = (struct store_position){ (uint64_t)sql_column_number(query, 0),
			(uint64_t)sql_column_number(query, 1) };
	sql_reset(query);
	store->position = store->committed;
	return status;
}

static enum store_status
prepare_account(struct store *store, uint64_t least_uidvalidity)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT is_unclean FROM account");
	enum store_status status = store_row(query);

	store->was_unclean = status == STORE_OK && sql_column_number(query, 0) != 0;
	sql_reset(query);
	if (status == STORE_NOT_FOUND)
		status = add_account(store, least_uidvalidity);
	if (status == STORE_OK)
		status = read_position(store);
	if (status == STORE_OK)
		status = train_open(store);
	if (status == STORE_OK)
		status = flag_log_open(store);
	if (status == STORE_OK)
		status = retention_open(store);
	return status == STORE_OK ? store_index_open(store) : status;
}

/*
 * What the WAL holds may be in memory only, when an fsync failed before.  Folding it into the file
 * writes it anew, so that success means what it says.
 */
static enum store_status
settle_wal(struct store *store)
{
	enum sql_status status = sql_checkpoint(store->sql);

	return status == SQL_BUSY ? STORE_OK : store_from_sql(status);
}

/* Why the file may not be used, as when root has put it back from a backup; NULL: that is not it. */
static char *
refusal_of(const char *path, enum sql_status opened)
{
	if (opened == SQL_TOO_NEW)
		return memory_copy_string(sql_status_text(opened));
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 || (errno != EACCES && errno != EROFS))
		return NULL;
	return memory_copy_string(strerror(errno));
}

/* What SQLite says, if that says something. */
static char *
error_of(const struct store *store, enum store_status status, enum sql_status opened)
{
	if (status == STORE_NOT_FOUND)
		return NULL;
	return store->sql == NULL ? refusal_of(store->path, opened) : memory_copy_string(sql_error(store->sql));
}

static struct store *
new_store(const char *path)
{
	struct store *store = NEW(struct store);

	assert_off_loop();
	memory_make_room(OPEN_OCTETS);
	store->path = memory_copy_string(path);
	store_note_free(store, UINT64_MAX);
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		store->quota.limits.of[i] = STORE_NO_QUOTA;
	return store;
}

enum store_status
store_open_file(const char *path, bool is_new_allowed, uint64_t least_uidvalidity, char **error_out,
    struct store **store_out)
{
	struct store *store = new_store(path);
	enum store_status status = STORE_OK;
	enum sql_status opened = SQL_OK;
	bool is_left;

	if (is_new_allowed && !store_make_folder_of(path)) {
		status = errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
		goto out;
	}
	is_left = has_wal(path);
	opened = sql_open(path, "mail", SQL_LEAVE_WAL | SQL_SOLE | (is_new_allowed ? SQL_CREATE : 0), &store->sql);
	if ((status = store_from_sql(opened)) != STORE_OK)
		goto out;
	if (is_left && (status = settle_wal(store)) != STORE_OK)
		goto out;
	status = prepare_account(store, least_uidvalidity);
out:
	if (status != STORE_OK) {
		*error_out = error_of(store, status, opened);
		store_close(&store);
		return status;
	}
	*store_out = store;
	return STORE_OK;
}

/* What was compressed is all that is remembered of such a file. */
enum store_status
store_open_still(const char *path, struct store_still *still, struct store **store_out)
{
	struct store *store = new_store(path);
	enum store_status status = store_from_sql(sql_open_still(path, still->file, &store->sql));

	store->is_still = true;
	if (status == STORE_OK)
		*store_out = store;
	else
		store_close(&store);
	return status;
}

/* All lazy commits stand before this one in the WAL, so once it is durable they are. */
static enum store_status
mark_clean(struct store *store)
{
	enum store_status status = store_begin(store, STORE_DURABLE);

	if (status != STORE_OK)
		return status;
	return store_end(store, store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = 0")));
}

enum store_status
store_settle(struct store *store)
{
	enum store_status status = store->is_unclean ? mark_clean(store) : STORE_OK;

	if (status == STORE_OK)
		store->is_unclean = false;
	return status;
}

void
store_stop_by(struct store *store, const atomic_bool *flag)
{
	sql_stop_by(store->sql, flag);
}

enum store_status
store_close(struct store **store)
{
	struct store *closing = *store;
	enum store_status status = STORE_OK;

	assert_off_loop();
	if (closing == NULL)
		return status;
	*store = NULL;
	if (closing->is_begun)
		store_end(closing, STORE_UNAVAILABLE);
	if (closing->is_unclean && !sql_is_poisoned(closing->sql))
		status = mark_clean(closing);
	if (closing->sql != NULL && !sql_is_poisoned(closing->sql))
		store_give_back_content_ids(closing);
	mark_detach(closing);
	held_forget(closing);
	sql_close(&closing->sql);
	free(closing->forget_ids);
	free(closing->path);
	free(closing);
	return status;
}
