/*
 * Who may log in as whom, in the file of a directory opened by directory_open_sqlite(); they keep the promises of
 * directory/directory.h and backend.h.  Worker thread.
 */
#ifndef DELEGATE_H
#define DELEGATE_H

#include "directory/directory.h"
#include "sql/sql.h"

enum directory_status delegates_allow(struct directory *directory, struct span principal, struct span delegate,
    bool is_allowed);
enum directory_status delegates_list(struct directory *directory, const struct directory_user *principal,
    struct arena *arena, struct span **names_out, size_t *count_out);
enum directory_status delegates_permit(struct directory *directory, struct arena *arena, struct directory_login *login);

/* The user is nobody's delegate any more, and has none. */
enum sql_status delegates_forget(struct sql *sql, struct span name);

#endif
