/*
 * Opening and closing a user's file: the folder, the mailboxes of a new account, and what an
 * unclean end asks for.  Worker threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

/* More changes than a lazy second can hold: no modseq that was told before is given again. */
#define MODSEQ_JUMP (1 << 20)

static const struct { const char *name, *special_use; } first_mailboxes[] = {	/* RFC 6154 section 2 */
	{ "INBOX",	NULL },
	{ "Drafts",	"\\Drafts" },
	{ "Sent",	"\\Sent" },
	{ "Junk",	"\\Junk" },
	{ "Trash",	"\\Trash" },
	{ "Archive",	"\\Archive" },
};

/* Make a folder's entries durable. */
static bool
sync_folder(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = folder >= 0 && fsync(folder) == 0;

	if (folder >= 0)
		close(folder);
	return is_synced;
}

static enum store_status
make_folder(const char *path)
{
	char *copy = memory_copy_string(path), *folder = dirname(copy);
	enum store_status status = STORE_OK;

	/*
	 * dirname() a second time cuts the same memory shorter: the parent, which names the
	 * folder.
	 */
	if (mkdir(folder, 0700) == 0) {
		if (!sync_folder(dirname(folder)))
			status = STORE_UNAVAILABLE;
	} else if (errno != EEXIST)
		status = errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
	free(copy);
	return status;
}

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
add_account(struct store *store)
{
	struct sql_statement *insert;
	enum store_status status;

	if ((status = store_begin(store, STORE_DURABLE)) != STORE_OK)
		return status;
	insert = sql_prepare(store->sql,
	    "INSERT INTO account (id, next_uidvalidity, is_unclean) VALUES (1, ?1, 0)");
	sql_bind_number(insert, 1, clock_calendar_s());
	if ((status = store_run(insert)) == STORE_OK)
		status = add_first_mailboxes(store);
	return store_end(store, status);
}

/* Lazy commits may be lost: step over every modseq they may have given. */
static enum store_status
jump_modseqs(struct store *store)
{
	struct sql_statement *update;
	enum store_status status;

	if ((status = store_begin(store, STORE_DURABLE)) != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE mailbox SET highest_modseq = highest_modseq + ?1");
	sql_bind_number(update, 1, MODSEQ_JUMP);
	if ((status = store_run(update)) == STORE_OK)
		status = store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = 0"));
	return store_end(store, status);
}

static enum store_status
prepare_account(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT is_unclean FROM account");
	enum store_status status = store_row(query);
	bool is_unclean = status == STORE_OK && sql_column_number(query, 0) != 0;

	sql_reset(query);
	if (status == STORE_NOT_FOUND)
		return add_account(store);
	return status == STORE_OK && is_unclean ? jump_modseqs(store) : status;
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

enum store_status
store_open(const char *path, bool is_new_allowed, struct store **store_out)
{
	struct store *store = NEW(struct store);
	enum store_status status = STORE_OK;
	enum sql_status opened;
	bool is_left;

	assert_off_loop();
	store->path = memory_copy_string(path);
	store->quota_octets = UINT64_MAX;
	if (is_new_allowed && (status = make_folder(path)) != STORE_OK)
		goto out;
	is_left = has_wal(path);
	opened = sql_open(path, "mail", is_new_allowed ? SQL_CREATE : 0, &store->sql);
	if ((status = store_from_sql(opened)) != STORE_OK)
		goto out;
	if (is_left && (status = settle_wal(store)) != STORE_OK)
		goto out;
	status = prepare_account(store);
out:
	if (status != STORE_OK) {
		if (status != STORE_NOT_FOUND)
			log_error("store-open", log_text("path", path),
			    log_text("reason", store_status_text(status)),
			    log_text("detail", store->sql == NULL ? NULL : sql_error(store->sql)));
		store_close(&store);
		return status;
	}
	*store_out = store;
	return STORE_OK;
}

/* All lazy commits stand before this one in the WAL, so once it is durable they are. */
static void
mark_clean(struct store *store)
{
	enum store_status status = store_begin(store, STORE_DURABLE);

	if (status == STORE_OK)
		status = store_end(store,
		    store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = 0")));
	if (status != STORE_OK)
		log_warning("store-close", log_text("path", store->path),
		    log_text("reason", store_status_text(status)));
}

void
store_close(struct store **store)
{
	struct store *closing = *store;

	assert_off_loop();
	if (closing == NULL)
		return;
	*store = NULL;
	if (closing->is_begun)
		store_end(closing, STORE_UNAVAILABLE);
	if (closing->is_unclean && !sql_is_poisoned(closing->sql))
		mark_clean(closing);
	sql_close(&closing->sql);
	free(closing->path);
	free(closing);
}
