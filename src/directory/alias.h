/*
 * Other names of users in directory.db.  Those that take a struct directory keep the promises of directory/directory.h.
 * Worker thread.
 */
#ifndef ALIAS_H
#define ALIAS_H

#include "directory/directory.h"
#include "sql/sql.h"

/* The user has no other names any more. */
enum sql_status aliases_forget(struct sql *sql, struct span name);

/* Whether a name is another name of somebody, or that of one who is being renamed. */
enum sql_status aliases_have(struct sql *sql, struct span name, bool *is_alias_out);

enum directory_status aliases_add(struct directory *directory, struct span alias, struct span name);
enum directory_status aliases_import(struct directory *directory, struct directory_new_alias *aliases, size_t count, unsigned flags);
enum directory_status aliases_remove(struct directory *directory, struct span alias);
enum directory_status aliases_list(struct directory *directory, struct span after, struct span name, struct arena *arena,
    struct directory_alias *aliases_out, size_t limit, size_t *count_out);

#endif
