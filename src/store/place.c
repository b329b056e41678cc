/*
 * Files that come whole.  Worker threads.
 */
#include "store/place.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"
#include "mark.h"
#include "sql/model.h"

static bool
is_there(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && about.st_size > 0;
}

static bool
has_log(const char *path)
{
	struct buffer name = { 0 };
	bool has;

	buffer_printf(&name, "%s-wal", path);
	has = is_there(buffer_string(&name));
	buffer_free(&name);
	return has;
}

/* What cannot be opened at all, store_open_file() says better. */
static enum store_status
check_model(const char *path, char **error_out)
{
	struct buffer difference = { 0 };
	enum store_status status;
	struct sql *sql;

	if (sql_open(path, "mail", SQL_SOLE, &sql) != SQL_OK)
		return STORE_OK;
	status = store_from_sql(sql_check_model(sql, "mail", &difference));
	if (difference.length > 0)
		*error_out = memory_copy_string(buffer_string(&difference));
	buffer_free(&difference);
	sql_close(&sql);
	return status;
}

static enum store_status
count_messages(struct store *store, uint64_t *messages_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT count(*) FROM message");
	enum store_status status = store_row(query);

	if (status == STORE_OK)
		*messages_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

/* Opening makes it one of this version; closing folds what that has written. */
enum store_status
store_place_check(const char *staged, uint64_t *messages_out, char **error_out)
{
	struct store *store = NULL;
	enum store_status status, closed;

	*messages_out = 0;
	*error_out = NULL;
	if ((status = check_model(staged, error_out)) != STORE_OK)
		return status;
	status = store_open_file(staged, false, 0, error_out, &store);
	if (status != STORE_OK)
		return status == STORE_UNAVAILABLE ? STORE_CORRUPT : status;
	status = count_messages(store, messages_out);
	closed = store_close(&store);
	return status == STORE_OK ? closed : status;
}

static enum store_status
drop_log(const char *path)
{
	struct buffer name = { 0 };
	bool is_gone;

	buffer_printf(&name, "%s-wal", path);
	is_gone = unlink(buffer_string(&name)) == 0;
	buffer_free(&name);
	return is_gone && store_sync_folder_of(path) ? STORE_OK : STORE_UNAVAILABLE;
}

/*
 * The log that a crash has left belongs to the file that goes; over another file it would be damage.  That of a file which
 * cannot be opened goes with it.
 */
static enum store_status
settle_former(const char *path)
{
	char *error = NULL;
	enum store_status status = STORE_OK;
	uint64_t ignored;

	if (has_log(path) && is_there(path))
		status = store_place_check(path, &ignored, &error);
	free(error);
	if (status == STORE_CORRUPT)
		status = has_log(path) ? drop_log(path) : STORE_OK;
	if (status == STORE_OK && has_log(path))
		return STORE_UNAVAILABLE;		/* a foreign program has it open */
	return status;
}

static enum store_status
check_place(const char *path, const char *mark_path, enum store_placing placing)
{
	struct mark_record mark;
	enum mark_state state;

	if (!is_there(path))
		return STORE_OK;
	if (placing == STORE_PLACE_OVER)
		return settle_former(path);
	if (placing == STORE_PLACE_NEW)
		return STORE_EXISTS;
	if ((state = mark_read(mark_path, &mark)) == MARK_UNREAD)
		return STORE_UNAVAILABLE;
	return state == MARK_NONE || !mark.is_made ? settle_former(path) : STORE_EXISTS;
}

/* A mark of no era, that of a file which was not made: it knows nothing. */
static bool
leave_doubt(const char *mark_path)
{
	static const struct mark_record none = { 0 };
	struct mark_record mark;
	enum mark_state state = mark_read(mark_path, &mark);

	return state == MARK_READ || state == MARK_BROKEN || (state == MARK_NONE && mark_write(mark_path, &none, true));
}

static bool
sync_file(const char *path)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool is_good = descriptor >= 0 && fsync(descriptor) == 0;

	if (descriptor >= 0)
		close(descriptor);
	return is_good;
}

/* The user's folder, and the one that it is in. */
static bool
make_folders(const char *path)
{
	char *copy = memory_copy_string(path);
	bool is_good = store_make_folder_of(dirname(copy)) && store_make_folder_of(path);

	free(copy);
	return is_good;
}

static enum store_status
move(const char *staged, const char *path, const char *mark_path)
{
	if (sync_file(staged) && make_folders(path) && leave_doubt(mark_path) && rename(staged, path) == 0 &&
	    store_sync_folder_of(path))
		return STORE_OK;
	return errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
}

enum store_status
store_place(const char *staged, const char *path, const char *mark_path, enum store_placing placing, uint64_t *messages_out,
    char **error_out)
{
	enum store_status status;

	assert_off_loop();
	if ((status = store_place_check(staged, messages_out, error_out)) != STORE_OK)
		return status;
	if ((status = check_place(path, mark_path, placing)) != STORE_OK)
		return status;
	return move(staged, path, mark_path);
}
