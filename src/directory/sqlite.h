/*
 * The file of a directory opened by directory_open_sqlite(), for what other files of this room keep in it.
 * Worker thread.
 */
#ifndef SQLITE_H
#define SQLITE_H

#include "directory/directory.h"
#include "sql/sql.h"

/* Give the open file; after an I/O error it is opened anew. */
enum directory_status sqlite_connect(struct directory *directory, struct sql **sql_out);

/* What the end of a statement means here; a failure is logged. */
enum directory_status sqlite_result(struct directory *directory, enum sql_status status);

/* Add a user with a new mailbox id; nothing happens when the name is taken. */
enum sql_status sqlite_insert(struct sql *sql, struct span name, struct span credential);

#endif
