/*
 * What a back end whose users are kept elsewhere does when it is to change or to list them: DIRECTORY_READ_ONLY.  Any
 * thread.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "directory/directory.h"

enum directory_status refuse_name(struct directory *directory, struct span name);
enum directory_status refuse_text(struct directory *directory, struct span name, struct span text);
enum directory_status refuse_enabled(struct directory *directory, struct span name, bool is_enabled);
enum directory_status refuse_limit(struct directory *directory, struct span name, enum directory_resource resource,
    int64_t limit);
enum directory_status refuse_allow(struct directory *directory, struct span principal, struct span delegate,
    bool is_allowed);
enum directory_status refuse_list_delegates(struct directory *directory, const struct directory_user *principal,
    struct arena *arena, struct span **names_out, size_t *count_out);
enum directory_status refuse_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out);
enum directory_status refuse_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out);
enum directory_status refuse_list_members(struct directory *directory, const struct directory_member *after,
    struct arena *arena, struct directory_member *members_out, size_t limit, size_t *count_out);
enum directory_status refuse_count(struct directory *directory, uint64_t *count_out);

#endif
