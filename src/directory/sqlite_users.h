/*
 * Users in the file of a directory opened by directory_open_sqlite().  Each keeps the promise of the door of its name in
 * directory/directory.h.  Worker thread.
 */
#ifndef SQLITE_USERS_H
#define SQLITE_USERS_H

#include "directory/directory.h"

enum directory_status sqlite_lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out);
enum directory_status sqlite_lookup_alias(struct directory *directory, struct span alias, struct arena *arena,
    struct directory_user *user_out);
enum directory_status sqlite_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out);
enum directory_status sqlite_list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out);
enum directory_status sqlite_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out);
enum directory_status sqlite_count(struct directory *directory, uint64_t *count_out);

enum directory_status sqlite_add(struct directory *directory, struct span name, struct span credential);
enum directory_status sqlite_add_shared(struct directory *directory, struct span name);
enum directory_status sqlite_set_credential(struct directory *directory, struct span name, struct span credential);
enum directory_status sqlite_set_enabled(struct directory *directory, struct span name, bool is_enabled);
enum directory_status sqlite_set_home(struct directory *directory, struct span name, struct span home);
enum directory_status sqlite_set_master(struct directory *directory, struct span name, bool is_master);
enum directory_status sqlite_set_limit(struct directory *directory, struct span name, enum directory_resource resource,
    int64_t limit);
enum directory_status sqlite_release(struct directory *directory, struct span name);
enum directory_status sqlite_delete(struct directory *directory, struct span name);

#endif
