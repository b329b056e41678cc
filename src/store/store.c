/*
 * Transactions, and what the room's files share about them.  The promise: whoever was told OK after
 * a durable commit finds it on stable storage, and no modseq that was told is ever told again for
 * another change, although lazy commits may be lost with the power (src/store/README).  Worker
 * threads.
 */
#include "store/store.h"

#include <assert.h>

#include "base/thread.h"
#include "held.h"
#include "internal.h"
#include "mark.h"
#include "retain.h"

/*
 * The length at which a WAL is folded is a compromise: whatever comes meanwhile waits for it, some 5 to 20 ms for
 * WAL_MAX.  With messages as mail is, that is one of some hundred.
 */
#define WAL_MAX	  (8 * UINT64_C(1048576))
#define WAL_LEAST UINT64_C(1048576)

static const enum store_status from_sql[SQL_STATUS_COUNT] = {
	[SQL_OK]	 = STORE_OK,
	[SQL_ROW]	 = STORE_OK,
	[SQL_NOT_FOUND]	 = STORE_NOT_FOUND,
	[SQL_CONSTRAINT] = STORE_CORRUPT,	/* where no constraint is expected, the rows contradict */
	[SQL_TOO_BIG]	 = STORE_LIMIT,
	[SQL_BUSY]	 = STORE_UNAVAILABLE,
	[SQL_DENIED]	 = STORE_UNAVAILABLE,
	[SQL_FULL]	 = STORE_FULL,
	[SQL_IO]	 = STORE_UNAVAILABLE,
	[SQL_CORRUPT]	 = STORE_CORRUPT,
	[SQL_TOO_NEW]	 = STORE_UNAVAILABLE,
};

static const char *const texts[STORE_STATUS_COUNT] = {
	[STORE_OK]	    = "done",
	[STORE_NOT_FOUND]   = "not found",
	[STORE_EXISTS]	    = "the name is taken",
	[STORE_FORBIDDEN]   = "not possible for this mailbox",
	[STORE_OVER_QUOTA]  = "quota exceeded",
	[STORE_LIMIT]	    = "a limit is reached",
	[STORE_FULL]	    = "the disk is full",
	[STORE_CORRUPT]	    = "the file is damaged",
	[STORE_UNAVAILABLE] = "the disk failed or the file cannot be used",
	[STORE_MISSING]	    = "the file is gone",
	[STORE_DENIED]	    = "not permitted",
};

const char *
store_status_text(enum store_status status)
{
	return texts[status];
}

enum store_status
store_from_sql(enum sql_status status)
{
	return from_sql[status];
}

enum store_status
store_run(struct sql_statement *statement)
{
	return store_from_sql(sql_run(statement));
}

enum store_status
store_row(struct sql_statement *statement)
{
	enum sql_status status = sql_step(statement);

	return status == SQL_OK ? STORE_NOT_FOUND : store_from_sql(status);
}

bool
store_is_poisoned(const struct store *store)
{
	return sql_is_poisoned(store->sql);
}

const char *
store_error(const struct store *store)
{
	return sql_error(store->sql);
}

bool
store_needs_flush(const struct store *store)
{
	return store->needs_flush;
}

/*
 * The first lazy commit after a clean state is durable after all, and says in the file that lazy
 * ones may follow: store_open() then knows that some may be missing.
 */
static enum store_status
mark_unclean(struct store *store)
{
	enum store_status status =
	    store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = 1"));

	store->is_marking_unclean = status == STORE_OK;
	return status;
}

enum store_status
store_begin(struct store *store, enum store_durability durability)
{
	bool marks = durability == STORE_LAZY && !store->is_unclean;
	enum sql_sync sync = durability != STORE_DURABLE && !marks ? SQL_SYNC_NORMAL : SQL_SYNC_FULL;
	enum store_status status;

	assert_off_loop();
	assert(!store->is_begun);
	if ((status = store_from_sql(sql_set_sync(store->sql, sync))) != STORE_OK ||
	    (status = store_from_sql(sql_begin(store->sql))) != STORE_OK)
		return status;
	store->is_begun = true;
	store->durability = sync == SQL_SYNC_FULL ? STORE_DURABLE : durability;
	store->lost = STORE_OK;
	if (marks && (status = mark_unclean(store)) != STORE_OK)
		return store_end(store, status);
	return STORE_OK;
}

/* Note that SQLite has rolled back by itself, as it does when the disk is full. */
static void
note_loss(struct store *store, enum store_status status)
{
	if (store->lost != STORE_OK || sql_is_in_transaction(store->sql))
		return;
	store->lost =
	    status != STORE_OK && !sql_is_poisoned(store->sql) ? status : STORE_UNAVAILABLE;
}

static void
note_commit(struct store *store)
{
	store->is_unclean |= store->is_marking_unclean;
	if (store->durability == STORE_DERIVED)
		return;
	store->needs_flush = store->durability == STORE_LAZY;
	store->committed = store->position;
	mark_follow(store, store->durability == STORE_DURABLE);
}

/* What was noted of what is undone. */
static void
forget_undone(struct store *store)
{
	store->ids_left = 0;
	store->has_dictionary = false;	/* maybe: it is looked for again */
	store->may_have_flag_log = true;
	retention_forget(store);
}

enum store_status
store_end(struct store *store, enum store_status status)
{
	assert_off_loop();
	assert(store->is_begun);
	note_loss(store, status);
	if (status == STORE_OK)
		status = store->lost;
	store->is_begun = false;
	if (status != STORE_OK)
		sql_rollback(store->sql);
	else
		status = store_from_sql(sql_commit(store->sql));
	if (status == STORE_OK) {
		note_commit(store);
	} else {
		forget_undone(store);
		store->has_quota_news = false;
	}
	if (store->is_training)		/* what was committed is new, and what was not is no dictionary */
		held_forget(store);
	if (store->is_training && status != STORE_OK)
		store->training_after = 0;	/* at the next opportunity */
	store->is_training = false;
	if (status == STORE_FULL)
		sql_fold(store->sql);
	store->position = store->committed;
	store->is_marking_unclean = false;
	return status;
}

enum store_status
store_step_begin(struct store *store)
{
	enum store_status status = store_enter(store);

	store->step = store->position;
	return status != STORE_OK ? status : store_from_sql(sql_savepoint(store->sql));
}

enum store_status
store_step_end(struct store *store, enum store_status status)
{
	enum store_status ended;

	assert_off_loop();
	if (status != STORE_OK) {
		store->position = store->step;
		forget_undone(store);
		if (store->is_training)
			held_forget(store);
	}
	note_loss(store, status);
	if (store->lost != STORE_OK)
		return status != STORE_OK ? status : store->lost;
	ended = store_from_sql(
	    sql_savepoint_end(store->sql, status == STORE_OK ? SQL_OK : SQL_CONSTRAINT));
	note_loss(store, ended);
	return status != STORE_OK ? status : ended;
}

enum store_status
store_enter(struct store *store)
{
	assert_off_loop();
	assert(store->is_begun);
	note_loss(store, STORE_OK);
	return store->lost;
}

enum store_status
store_touch(struct store *store)
{
	enum store_status status = store_enter(store);

	if (status != STORE_OK)
		return status;
	return store_run(sql_prepare(store->sql, "UPDATE account SET is_unclean = is_unclean"));
}

enum store_status
store_flush(struct store *store)
{
	enum store_status status;

	assert_off_loop();
	assert(!store->is_begun);
	if (!store->needs_flush)
		return STORE_OK;
	if ((status = store_from_sql(sql_flush(store->sql))) == STORE_OK) {
		store->needs_flush = false;
		mark_follow(store, true);
	}
	return status;
}

void
store_note_free(struct store *store, uint64_t free_octets)
{
	store->wal_octets_max = free_octets / 8;
	if (store->wal_octets_max > WAL_MAX)
		store->wal_octets_max = WAL_MAX;
	else if (store->wal_octets_max < WAL_LEAST)
		store->wal_octets_max = WAL_LEAST;
}

uint64_t
store_wal_octets(const struct store *store, uint64_t *bound_out)
{
	*bound_out = store->wal_octets_max;
	return sql_wal_octets(store->sql);
}

enum store_status
store_fold(struct store *store)
{
	assert_off_loop();
	assert(!store->is_begun);
	return store_from_sql(sql_fold(store->sql));
}

enum store_status
store_read_begin(struct store *store, bool *is_ours)
{
	assert_off_loop();
	*is_ours = false;
	if (store->is_begun)
		return store_enter(store);
	if (sql_is_in_transaction(store->sql))
		return STORE_OK;	/* a job that reads, or verifying, has begun it */
	*is_ours = true;
	return store_from_sql(sql_begin_read(store->sql));
}

enum store_status
store_read_end(struct store *store, bool is_ours, enum store_status status)
{
	enum store_status ended;

	if (!is_ours)
		return status;
	ended = store_from_sql(sql_end(store->sql, SQL_OK));
	return status != STORE_OK ? status : ended;
}

uint64_t
store_page_octets(const struct store *store)
{
	return sql_page_octets(store->sql) + held_octets(store);
}

void
store_shrink(struct store *store)
{
	assert_off_loop();
	sql_shrink(store->sql);
	held_forget(store);
}

/* Where that fails the connection is poisoned, and what comes next says so. */
void
store_set_cache(struct store *store, unsigned kib)
{
	sql_set_cache(store->sql, kib);
}
