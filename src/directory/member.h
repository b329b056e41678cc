/*
 * Groups and who is in them, in the file of a directory opened by directory_open_sqlite().  Those that take a struct
 * directory keep the promises of directory/directory.h.  Worker thread.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include "directory/directory.h"
#include "sql/sql.h"

/* The user is in no group any more. */
enum sql_status members_forget(struct sql *sql, struct span name);

enum directory_status members_find(struct directory *directory, struct arena *arena, struct directory_user *user);
enum directory_status members_join(struct directory *directory, struct span group, struct span name);
enum directory_status members_leave(struct directory *directory, struct span group, struct span name);
enum directory_status members_list(struct directory *directory, const struct directory_member *after,
    struct arena *arena, struct directory_member *members_out, size_t limit, size_t *count_out);

#endif
