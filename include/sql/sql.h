/*
 * One connection to one SQLite file: opened with the pragmas the design relies on, migrated, with its
 * statements prepared once.  A connection belongs to one worker thread at a time; no door here may be
 * used on the loop thread.
 *
 *	struct sql_statement *query = sql_prepare(sql, "SELECT uid FROM message WHERE flags = ?1");
 *
 *	sql_bind_number(query, 1, flags);
 *	while ((status = sql_step(query)) == SQL_ROW)
 *		add(sql_column_number(query, 0));
 *	return status;
 *
 * Running out of memory and using the library wrongly end the process.
 */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/span.h"

struct sql;
struct sql_statement;
struct sql_blob;

enum sql_status {
	SQL_OK,		  /* done; a query has no further row */
	SQL_ROW,	  /* a row is there to be read */
	SQL_NOT_FOUND,	  /* no such file, or no such row for a blob */
	SQL_CONSTRAINT,	  /* the statement would break a rule of the schema; it changed nothing */
	SQL_TOO_BIG,	  /* a value above SQLite's limit of 10^9 octets */
	SQL_BUSY,	  /* a foreign tool holds the file's lock */
	SQL_DENIED,	  /* the file or its directory may not be opened or written */
	SQL_FULL,	  /* the disk is full; the transaction is rolled back */
	SQL_IO,		  /* reading, writing or flushing failed: the outcome is unknown */
	SQL_CORRUPT,	  /* not a database, a damaged one, or one without our tables */
	SQL_TOO_NEW,	  /* a later version of the program has migrated the file */
	SQL_STATUS_COUNT
};

/* A few words for the log and for imapctl.  Static. */
const char *sql_status_text(enum sql_status status);

enum sql_open_flags {
	SQL_CREATE = 1 << 0,	/* make the file, mode 0600, if there is none; else SQL_NOT_FOUND */
	SQL_LEAVE_WAL = 1 << 1,	/* the caller sees to it that the WAL is folded; else a commit does, whenever it has 4 MB */
	SQL_SOLE = 1 << 2,	/* no other program writes to the file while it is open: saves locks, and locks them out */
};

/*
 * Open a file and bring it to the newest version of its schema (sql/schema.h).
 *
 *	path	 borrowed until return
 *	schema	 the name in schema/NAME.NUMBER.sql; borrowed until return
 *	sql_out	 given to the caller, to sql_close(); untouched on failure
 *
 * After SQLite's own recovery the file is in WAL mode with synchronous=FULL.  Each migration is one
 * transaction; a failed one leaves the version before it.  Worker thread; blocks.
 */
enum sql_status sql_open(const char *path, const char *schema, unsigned flags, struct sql **sql_out);

/*
 * Whether a file was migrated further than this program knows, as far as its head says: what a WAL holds is not looked
 * at.  False also of what is no database.  Any thread but the loop's.
 */
bool sql_file_is_too_new(const char *path, const char *schema);

/*
 * End what the connection does with SQL_IO, soon, once the flag is set by whatever thread: the handle is as after a failure
 * of the disk, and the transaction is undone.
 *
 *	flag	outlives the connection
 */
void sql_stop_by(struct sql *sql, const atomic_bool *flag);

/*
 * Close; accepts NULL, leaves NULL behind.  Rolls back what is open.  The last connection folds the
 * WAL back into the file, which takes some 2 ms after writes.
 */
void sql_close(struct sql **sql);

/*
 * Whether reading, writing or flushing has failed: the handle then answers SQL_IO to everything, since
 * what is on the disk is unknown.  Close it and open it anew, which recovers the file.
 */
bool sql_is_poisoned(const struct sql *sql);

/* What SQLite said last, for the log.  Borrowed until the next call on this connection. */
const char *sql_error(const struct sql *sql);

/*
 * Statements.
 *
 * sql_prepare() looks the text's address up among those this connection has compiled before, so that a
 * query can stand in the function that binds it.  The statement belongs to the connection; never NULL: when
 * compiling fails on the world's account, sql_step() returns why.  The text holds one statement and is
 * borrowed for as long as the connection lives: a literal.  A text that is still being stepped must
 * not be prepared again.
 */
struct sql_statement *sql_prepare(struct sql *sql, const char *text);

/* Bind a parameter, ?1 being 1.  Octets are borrowed until the statement is done or reset. */
void sql_bind_number(struct sql_statement *statement, int index, int64_t number);
void sql_bind_text(struct sql_statement *statement, int index, struct span utf8);
void sql_bind_blob(struct sql_statement *statement, int index, struct span octets);
void sql_bind_null(struct sql_statement *statement, int index);

/*
 * Bind so many zero octets, to be filled through sql_blob_write().
 */
void sql_bind_zeros(struct sql_statement *statement, int index, size_t length_octets);

/*
 * Run to the next row: SQL_ROW, or SQL_OK at the end.  Anything but SQL_ROW also resets the statement
 * and forgets its parameters, ready for the next sql_prepare().
 */
enum sql_status sql_step(struct sql_statement *statement);

/*
 * Step, and drop whatever row there is: for INSERT, UPDATE and DELETE.  SQL_OK or an error.
 */
enum sql_status sql_run(struct sql_statement *statement);

/* Stop before the last row; harmless at any time.  Whoever leaves a loop of sql_step() early calls it. */
void sql_reset(struct sql_statement *statement);

/* Columns of the current row, from 0.  Octets are borrowed until the next step or reset. */
int64_t sql_column_number(struct sql_statement *statement, int column);
struct span sql_column_text(struct sql_statement *statement, int column);
struct span sql_column_blob(struct sql_statement *statement, int column);
bool sql_column_is_null(struct sql_statement *statement, int column);

/* The row id given by the last INSERT, and the rows changed by the last INSERT, UPDATE or DELETE. */
int64_t sql_last_row_id(const struct sql *sql);
int64_t sql_changed_rows(const struct sql *sql);

/*
 * Transactions.  sql_begin() takes the write lock at once; sql_begin_read() fixes a snapshot for
 * several SELECTs, which is also faster.  They do not nest.
 */
enum sql_status sql_begin(struct sql *sql);
enum sql_status sql_begin_read(struct sql *sql);

/*
 * On failure the transaction is rolled back, except that after SQL_IO its outcome is unknown.  SQL_FULL
 * also when SQLite had to roll back before.
 */
enum sql_status sql_commit(struct sql *sql);

/* Harmless when there is no transaction: SQLite ends some itself when the disk is full. */
void sql_rollback(struct sql *sql);

/* Commit when status is SQL_OK, else roll back; returns status, or why the commit failed. */
enum sql_status sql_end(struct sql *sql, enum sql_status status);

bool sql_is_in_transaction(const struct sql *sql);

/*
 * A part of a write transaction that can fail alone, such as one of several jobs committed together.
 * sql_savepoint_end() keeps the part when status is SQL_OK and undoes it otherwise; returns status, or
 * why that failed.  They nest.
 */
enum sql_status sql_savepoint(struct sql *sql);
enum sql_status sql_savepoint_end(struct sql *sql, enum sql_status status);

/*
 * Whether commits wait for the disk.  SQL_SYNC_FULL, the state after opening, is for whatever gets an
 * OK on the promise of stable storage; SQL_SYNC_NORMAL commits survive the process's death, and power
 * loss only after the next full commit, sql_flush() or sql_checkpoint().  Not inside a transaction.
 */
enum sql_sync { SQL_SYNC_FULL, SQL_SYNC_NORMAL };
enum sql_status sql_set_sync(struct sql *sql, enum sql_sync sync);

/* Wait until all that was committed is on stable storage.  One fdatasync; nothing to do costs none. */
enum sql_status sql_flush(struct sql *sql);

/*
 * Fold what the WAL holds into the file, as far as no foreign tool reads an older state, so that it begins anew with the
 * next commit.  Some 1 ms for a megabyte, and two flushes.  Not inside a transaction.
 */
enum sql_status sql_fold(struct sql *sql);

/* What the connection holds of the file in memory, and giving that back, outside of a transaction. */
uint64_t sql_page_octets(const struct sql *sql);
void sql_shrink(struct sql *sql);

/*
 * How much that may be at most, in KiB; 1,000 to begin with.  What is more goes at once, what was used least recently first.
 * Outside of a transaction.
 */
enum sql_status sql_set_cache(struct sql *sql, unsigned kib);

/* How long the WAL is, as far as it is not folded.  With SQL_LEAVE_WAL a commit folds it when it has 64 MB. */
uint64_t sql_wal_octets(const struct sql *sql);

/* Fold the WAL back into the file and truncate it.  SQL_BUSY: a foreign tool reads; tried again later. */
enum sql_status sql_checkpoint(struct sql *sql);

/*
 * A copy of the file as it is at one moment, in pieces, while others write in between; nobody waits for more than a piece.
 * What lies in the file changes only when the WAL is folded; what is folded while the copy is made is given once more.  So
 * there is no second file here, no lock between two pieces, and the copy of a file that is written to all the time ends.
 */
struct sql_copy;

/* Gives.  Any thread. */
struct sql_copy *sql_copy_new(void);

/* Octets of the file, and where they lie. */
struct sql_copy_piece {
	uint64_t offset;
	struct buffer octets;	/* appended to what is there; for the caller to empty and to free */
	uint64_t size;		/* of the file; once is_whole */
	bool is_whole;		/* this was the last: what was given last of each place is a whole file of that size */
	bool is_newest;		/* once is_whole: of all that was committed before; else somebody reads an older state */
};

/*
 * Give the next piece, of at most so many octets (at least a page); it may be empty.  Called again when it was whole, it
 * gives what has changed since.  When the file was closed meanwhile the copy begins anew.  Not inside a transaction.
 */
enum sql_status sql_copy_next(struct sql *sql, struct sql_copy *copy, size_t octets_max, struct sql_copy_piece *piece);

/* How often it has begun, and how much is to be given, as far as is known. */
unsigned sql_copy_beginnings(const struct sql_copy *copy);
uint64_t sql_copy_left_octets(const struct sql_copy *copy);

/* Let the connection forget it; then it can be freed on any thread.  On the thread that uses the connection. */
void sql_copy_end(struct sql_copy *copy);

/* Accepts NULL, leaves NULL behind.  After sql_copy_end(), or when the connection is closed. */
void sql_copy_free(struct sql_copy **copy);

/*
 * Look for damage: SQL_OK, or SQL_CORRUPT with the findings, one a line, appended to findings_out.
 * Reads the whole file.
 */
enum sql_status sql_quick_check(struct sql *sql, struct buffer *findings_out);

/*
 * Values read piece by piece, without loading the rest.  Only of tables that have a row id.  An open
 * blob holds a read transaction: close it at the end of the job.
 *
 *	table, column	 literals, never from a peer
 *	blob_out	 given to the caller, to sql_blob_close(); untouched on failure
 *
 * SQL_NOT_FOUND: no such row, or its value is a number or NULL.
 */
enum sql_status sql_blob_open(struct sql *sql, const char *table, const char *column, int64_t row_id,
    struct sql_blob **blob_out);

/* As sql_blob_open(), for writing into a value made by sql_bind_zeros(); within a transaction. */
enum sql_status sql_blob_open_write(struct sql *sql, const char *table, const char *column,
    int64_t row_id, struct sql_blob **blob_out);

/* Go to another row of the same table and column, faster than opening; on failure only closing is left. */
enum sql_status sql_blob_move(struct sql_blob *blob, int64_t row_id);

size_t sql_blob_length(const struct sql_blob *blob);

/* Copy length octets from offset on; both must lie within sql_blob_length(). */
enum sql_status sql_blob_read(struct sql_blob *blob, size_t offset, void *octets_out, size_t length);
enum sql_status sql_blob_write(struct sql_blob *blob, size_t offset, struct span octets);

/* Accepts NULL, leaves NULL behind. */
void sql_blob_close(struct sql_blob **blob);

#endif
