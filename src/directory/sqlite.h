/*
 * Rows of users, for other files of this room.  Worker thread.
 */
#ifndef SQLITE_H
#define SQLITE_H

#include "directory/directory.h"
#include "sql/sql.h"

/* Add a user or a shared account with a new mailbox id; nothing happens when the name is taken, be it by an alias or
 * by a user who is being renamed. */
enum sql_status sqlite_insert(struct sql *sql, struct span name, struct span credential, bool is_shared);

/* The version of a credential that is new: another one than any of the name had before, most probably. */
int64_t sqlite_new_version(void);

#endif
