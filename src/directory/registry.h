/*
 * The open file that a directory keeps mailbox ids in, for what is kept there whatever the back end is: users who move, who
 * get another name, and who share.  Worker thread.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "directory/directory.h"
#include "sql/sql.h"

struct registry {
	struct directory *directory;
	struct sql *sql;
	enum sql_status run;	/* how the last statement of a transaction has gone; SQL_OK and SQL_ROW are good */
};

/* Open it, if it is not.  DIRECTORY_READ_ONLY: this directory keeps none. */
enum directory_status registry_connect(struct directory *directory, struct registry *registry_out);

/* The same, and begin a transaction. */
enum directory_status registry_begin(struct directory *directory, struct registry *registry_out);

/* End it: what was changed is kept if run is good and the status DIRECTORY_OK.  Gives the status, or what went wrong with
 * the file. */
enum directory_status registry_end(struct registry *registry, enum directory_status status);

/* What the end of a statement means outside of a transaction; a failure is logged. */
enum directory_status registry_result(struct registry *registry, enum sql_status status);

/* Rows that become more, in an arena: room for one more behind count, which may be other memory.  NULL with 0: none yet. */
void *registry_more(struct arena *arena, void *rows, size_t count, size_t row_octets);

#endif
