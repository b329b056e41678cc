/*
 * Opening and closing a file: what SQLite is told once per process, and once per connection.  The
 * reasons for the pragmas are measurements of Debian's build.  Worker thread.
 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "gather.h"

/* For foreign tools such as the sqlite3 shell; among ourselves there is one connection per file. */
#define BUSY_TIMEOUT_MS 5000

/* Length of the WAL at which a commit folds it into the file: SQLite's default, 4 MB; and where the owner has not. */
#define WAL_PAGES_MAX	   1000
#define WAL_PAGES_LEFT_MAX 16000

#define CACHE_KIB	   1000		/* more did not help */

static void
configure_process(void)
{
	/* No statistics: they cost a global mutex per allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* No pages allocated in advance: 27 kB per connection instead of 105. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	if (sqlite3_initialize() != SQLITE_OK)
		abort();
	gather_register();
}

/* SQLite would make the file readable for all; its WAL takes the mode of the file. */
static enum sql_status
create_file(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (file < 0)
		return errno == ENOENT || errno == ENOTDIR ? SQL_NOT_FOUND :
		    errno == ENOSPC || errno == EDQUOT	   ? SQL_FULL :
		    errno == EIO			   ? SQL_IO :
							     SQL_DENIED;
	close(file);
	return SQL_OK;
}

static enum sql_status
open_handle(const char *path, int flags, const char *vfs, struct sql *sql)
{
	char real[PATH_MAX];

	/* NOFOLLOW refuses links in any part of the path; those above the file are the operator's. */
	if (realpath(path, real) == NULL)
		return errno == ENOENT || errno == ENOTDIR ? SQL_NOT_FOUND : SQL_DENIED;
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
	return sql_note(sql, sqlite3_open_v2(real, &sql->handle, flags, vfs));
}

/* SQLite calls this after each commit that wrote something. */
static int
on_committed(void *context, sqlite3 *handle, const char *database, int pages)
{
	struct sql *sql = context;

	(void)handle;
	(void)database;
	sql->has_unflushed = sql->sync == SQL_SYNC_NORMAL;
	if (pages < sql->wal_pages)
		sql->wal_folded = 0;		/* it has begun anew */
	sql->wal_pages = pages;
	/* SQLite's own hook would swallow a failed flush.  The commit itself stands. */
	if (pages >= sql->wal_pages_max)
		sql_fold(sql);
	return SQLITE_OK;
}

/* Where a WAL is impossible, as on some network file systems, the promise cannot be kept. */
static enum sql_status
enter_wal_mode(struct sql *sql)
{
	struct sql_statement *query = sql_prepare(sql, "PRAGMA journal_mode = WAL");
	enum sql_status status = sql_step(query);

	if (status == SQL_ROW)
		status = span_equals(sql_column_text(query, 0), SPAN("wal")) ? SQL_OK : SQL_DENIED;
	sql_reset(query);
	return status;
}

static void
set_options(struct sql *sql)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },	/* no writing past the pager's back */
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },	/* a copied-in file runs no functions */
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },	/* no schema has one: it came with the file */
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },		/* a misspelt column is no string */
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(options); i++)
		sqlite3_db_config(sql->handle, options[i].option, options[i].value, (int *)NULL);
	sqlite3_busy_timeout(sql->handle, BUSY_TIMEOUT_MS);
}

enum sql_status
sql_open_handle(const char *path, int flags, const char *vfs, struct sql **sql_out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sql *sql = *sql_out = NEW(struct sql);
	enum sql_status status;

	pthread_once(&once, configure_process);
	sql->statements = map_new();
	status = open_handle(path, flags, vfs, sql);
	if (status != SQL_OK)
		return status;
	set_options(sql);
	status = sql_execute(sql,
	    "PRAGMA mmap_size = 0;"		/* a read error is an error, not SIGBUS */
	    "PRAGMA cell_size_check = ON;"	/* damage is found early */
	    "PRAGMA temp_store = MEMORY;");
	return status == SQL_OK ? sql_set_cache(sql, CACHE_KIB) : status;
}

static enum sql_status
set_up(struct sql *sql)
{
	enum sql_status status = sql_execute(sql,
	    "PRAGMA page_size = 4096;"		/* best for small commits */
	    "PRAGMA secure_delete = FAST;"	/* Debian's ON writes deleted bodies to the WAL */
	    "PRAGMA synchronous = FULL;");	/* an OK means stable storage */

	sqlite3_wal_hook(sql->handle, on_committed, sql);
	return status == SQL_OK ? enter_wal_mode(sql) : status;
}

enum sql_status
sql_open(const char *path, const char *schema, unsigned flags, struct sql **sql_out)
{
	struct sql *sql;
	enum sql_status status = SQL_OK;

	assert_off_loop();
	if (flags & SQL_CREATE)
		status = create_file(path);
	if (status != SQL_OK)
		return status;
	status = sql_open_handle(path, SQLITE_OPEN_READWRITE, GATHER_VFS, &sql);
	sql->wal_pages_max = flags & SQL_LEAVE_WAL ? WAL_PAGES_LEFT_MAX : WAL_PAGES_MAX;
	if (status == SQL_OK && (flags & SQL_SOLE))
		sqlite3_file_control(sql->handle, "main", GATHER_BE_SOLE, NULL);
	if (status == SQL_OK)
		status = set_up(sql);
	if (status == SQL_OK)
		status = sql_migrate(sql, schema);
	if (status == SQL_OK)
		*sql_out = sql;
	else
		sql_close(&sql);
	return status;
}

static int
is_over(void *flag)
{
	return atomic_load((const atomic_bool *)flag);
}

void
sql_stop_by(struct sql *sql, const atomic_bool *flag)
{
	sqlite3_progress_handler(sql->handle, SQL_STEPS, is_over, (void *)flag);
}

void
sql_close(struct sql **sql)
{
	int code;

	if (*sql == NULL)
		return;
	assert_off_loop();
	sql_free_statements(*sql);
	map_free(&(*sql)->statements);
	code = sqlite3_close((*sql)->handle);
	if (code != SQLITE_OK) {	/* a blob was left open: our fault */
		log_error("sql-bug", log_text("message", sql_error(*sql)));
		abort();
	}
	free(*sql);
	*sql = NULL;
}

uint64_t
sql_page_octets(const struct sql *sql)
{
	int octets = 0, highest;

	sqlite3_db_status(sql->handle, SQLITE_DBSTATUS_CACHE_USED, &octets, &highest, 0);
	return (uint64_t)octets;
}

void
sql_shrink(struct sql *sql)
{
	assert_off_loop();
	sqlite3_db_release_memory(sql->handle);
}

enum sql_status
sql_set_cache(struct sql *sql, unsigned kib)
{
	char text[64];
	enum sql_status status;

	if (sql->cache_kib == kib)
		return SQL_OK;
	snprintf(text, sizeof text, "PRAGMA cache_size = -%u", kib);
	if ((status = sql_execute(sql, text)) == SQL_OK)
		sql->cache_kib = kib;
	return status;
}
