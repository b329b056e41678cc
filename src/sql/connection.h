/*
 * A connection as the files of this room see it.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <sqlite3.h>

#include "base/map.h"
#include "sql/sql.h"

struct sql {
	sqlite3 *handle;
	struct map *statements;		/* text -> struct sql_statement */
	enum sql_sync sync;
	int wal_pages, wal_folded;	/* how many the WAL has; how many of them are in the file */
	int wal_pages_max;		/* so many that a commit folds them */
	bool is_wal_held;		/* nobody folds the WAL: sql/pages.h */
	bool has_unflushed;		/* something was committed without a flush */
	bool is_poisoned;
	bool is_writing;		/* the transaction under way may write */
	unsigned savepoints;		/* open ones; also their names */
	unsigned cache_kib;		/* of pages in memory, at most */
	bool keeps_pages;		/* in memory, until the transaction ends */
};

/*
 * Open a file by one of the VFSs of gather.h, and set the connection up as far as that goes without the file.  *sql_out is
 * for sql_close() on failure, too.  open.c.
 */
enum sql_status sql_open_handle(const char *path, int flags, const char *vfs, struct sql **sql_out);

/* How much SQLite does between two looks at whether to go on: steps of its machine. */
#define SQL_STEPS 10000

/* Translate a result code, and poison the connection when the state of the disk is unknown. */
enum sql_status sql_note(struct sql *sql, int code);

/* Run fixed text that may hold several statements and gives no rows. */
enum sql_status sql_execute(struct sql *sql, const char *text);

/* Free all statements, before the handle is closed. */
void sql_free_statements(struct sql *sql);

/* Bring the file to the newest version of the schema of that name. */
enum sql_status sql_migrate(struct sql *sql, const char *schema);

#endif
