/*
 * The file of a directory opened by directory_open_sqlite(), for all that is kept in it.  After an I/O error it is
 * opened anew by the next call.  Worker thread.
 */
#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H

#include "backend.h"
#include "sql/sql.h"

struct sqlite_file {
	struct directory directory;
	char *path;
	struct sql *sql;	/* NULL until it can be opened */
	uint64_t complained_us;	/* 0: never */
	uint64_t suppressed;	/* complaints since */
};

/* Open it, if it is not. */
enum directory_status sqlite_file_connect(struct sqlite_file *file);

/* What the end of a statement means here; a failure is logged. */
enum directory_status sqlite_file_result(struct sqlite_file *file, enum sql_status status);

/* The same for a directory of this kind; gives the open file. */
enum directory_status sqlite_connect(struct directory *directory, struct sql **sql_out);
enum directory_status sqlite_result(struct directory *directory, enum sql_status status);

/* Do what one of the rows asks for, and note in it what came of that. */
typedef enum sql_status sqlite_import_row(struct sql *sql, void *rows, size_t index, unsigned flags);

/*
 * Import count rows, one behind the other until one fails, in one transaction: kept if none does, unless the flags
 * (DIRECTORY_IMPORT_*) say DIRECTORY_IMPORT_TRIAL.
 */
enum directory_status sqlite_import(struct directory *directory, sqlite_import_row *import_row, void *rows, size_t count, unsigned flags);

#endif
