/*
 * Files that lie still.  Where the WAL is folded is told by the VFS, and whoever reads asks before each page whether it may
 * go on.  Worker threads.
 */
#include "sql/still.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "connection.h"
#include "gather.h"

struct sql_still {
	struct gather_follower follower;
	bool is_following;		/* on the thread of the file's connection */
	struct gather_reading reading;
};

static void
on_written(struct gather_follower *follower, uint64_t offset, uint64_t length)
{
	(void)offset;
	(void)length;
	atomic_store(&CONTAINER_OF(follower, struct sql_still, follower)->reading.has_moved, true);
}

static void
on_closed(struct gather_follower *follower)
{
	struct sql_still *still = CONTAINER_OF(follower, struct sql_still, follower);

	still->is_following = false;
	atomic_store(&still->reading.has_moved, true);
}

struct sql_still *
sql_still_new(void)
{
	struct sql_still *still = NEW(struct sql_still);

	list_init(&still->follower.link);
	still->follower.on_written = on_written;
	still->follower.on_closed = on_closed;
	return still;
}

void
sql_still_end(struct sql_still *still)
{
	if (still->is_following)
		list_remove(&still->follower.link);
	still->is_following = false;
}

void
sql_still_free(struct sql_still **still)
{
	if (*still == NULL)
		return;
	assert(!(*still)->is_following);
	free(*still);
	*still = NULL;
}

enum sql_status
sql_still_begin(struct sql *sql, struct sql_still *still)
{
	enum sql_status status = sql_fold(sql);
	bool is_sole = false;

	sql_still_end(still);
	if (status != SQL_OK)
		return status;
	if (sql_wal_octets(sql) > 0 || sqlite3_file_control(sql->handle, "main", GATHER_IS_SOLE, &is_sole) != SQLITE_OK || !is_sole)
		return SQL_BUSY;
	atomic_store(&still->reading.has_moved, false);
	atomic_store(&still->reading.octets, 0);
	status = sql_note(sql, sqlite3_file_control(sql->handle, "main", GATHER_FOLLOW, &still->follower));
	still->is_following = status == SQL_OK;
	return status;
}

bool
sql_still_has_moved(const struct sql_still *still)
{
	return atomic_load(&still->reading.has_moved);
}

void
sql_still_stop(struct sql_still *still)
{
	atomic_store(&still->reading.is_stopped, true);
}

uint64_t
sql_still_octets(const struct sql_still *still)
{
	return atomic_load(&still->reading.octets);
}

static int
on_steps(void *context)
{
	return !gather_may_read(context);
}

enum sql_status
sql_open_still(const char *path, struct sql_still *still, struct sql **sql_out)
{
	struct sql *sql;
	enum sql_status status = sql_open_handle(path, SQLITE_OPEN_READONLY, GATHER_STILL_VFS, &sql);

	assert_off_loop();
	if (status == SQL_OK)
		status = sql_note(sql, sqlite3_file_control(sql->handle, "main", GATHER_READ_BY, &still->reading));
	if (status == SQL_OK) {
		sqlite3_progress_handler(sql->handle, SQL_STEPS, on_steps, &still->reading);
		*sql_out = sql;
	} else {
		sql_close(&sql);
	}
	return status;
}
