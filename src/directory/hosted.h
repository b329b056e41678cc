/*
 * What this host's directory.db has beside LDAP.  Each keeps the promise of the door of its name in directory/directory.h.
 */
#ifndef HOSTED_H
#define HOSTED_H

#include "ldap_directory.h"

enum directory_status hosted_add_shared(struct directory *directory, struct span name);
enum directory_status hosted_restore(struct directory *directory, const struct directory_user *user);
enum directory_status hosted_set_credential(struct directory *directory, struct span name, struct span credential);
enum directory_status hosted_set_home(struct directory *directory, struct span name, struct span home);
enum directory_status hosted_set_limit(struct directory *directory, struct span name, enum directory_resource resource,
    int64_t limit);
enum directory_status hosted_allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed);
enum directory_status hosted_list_delegates(struct directory *directory, const struct directory_user *principal,
    struct arena *arena, struct span **names_out, size_t *count_out);
enum directory_status hosted_release(struct directory *directory, struct span name);
enum directory_status hosted_delete(struct directory *directory, struct span name);
struct directory *hosted_registry(struct directory *directory);
enum directory_status hosted_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out);
enum directory_status hosted_list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out);
enum directory_status hosted_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out);
enum directory_status hosted_count(struct directory *directory, uint64_t *count_out);

#endif
