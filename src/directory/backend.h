/*
 * What a back end of the directory does.  Each function keeps the promise of the door of its name in
 * directory/directory.h.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "directory/directory.h"

struct directory_backend {
	enum directory_status (*lookup)(struct directory *directory, struct span name,
	    struct arena *arena, struct directory_user *user_out);
	enum directory_status (*find_groups)(struct directory *directory, struct arena *arena,
	    struct directory_user *user);	/* NULL: there are none */
	enum directory_status (*verify)(struct directory *directory, struct span credential,
	    struct span password, bool *is_match_out);	/* NULL: credentials prove users */
	bool asks_home;		/* credentials prove nothing: the mailbox server is asked */
	enum directory_status (*add)(struct directory *directory, struct span name,
	    struct span credential);
	enum directory_status (*import)(struct directory *directory, struct directory_newcomer *newcomers, size_t count,
	    unsigned flags);	/* NULL: users are kept elsewhere */
	enum directory_status (*add_shared)(struct directory *directory, struct span name);
	/* NULL: DIRECTORY_READ_ONLY */
	enum directory_status (*restore)(struct directory *directory, const struct directory_user *user);
	enum directory_status (*set_credential)(struct directory *directory, struct span name,
	    struct span credential);
	enum directory_status (*set_enabled)(struct directory *directory, struct span name,
	    bool is_enabled);
	enum directory_status (*set_home)(struct directory *directory, struct span name, struct span home);
	enum directory_status (*set_limit)(struct directory *directory, struct span name,
	    enum directory_resource resource, int64_t limit);
	enum directory_status (*release)(struct directory *directory, struct span name);
	enum directory_status (*set_master)(struct directory *directory, struct span name, bool is_master);
	enum directory_status (*allow)(struct directory *directory, struct span principal, struct span delegate,
	    bool is_allowed);
	enum directory_status (*list_delegates)(struct directory *directory, const struct directory_user *principal,
	    struct arena *arena, struct span **names_out, size_t *count_out);
	/* Fill is_permitted and is_master; either user may be nobody, and then it costs the same. */
	enum directory_status (*permits)(struct directory *directory, struct arena *arena, struct directory_login *login);
	enum directory_status (*join)(struct directory *directory, struct span group, struct span name);
	enum directory_status (*leave)(struct directory *directory, struct span group, struct span name);
	enum directory_status (*list_members)(struct directory *directory, const struct directory_member *after,
	    struct arena *arena, struct directory_member *members_out, size_t limit, size_t *count_out);
	/* NULL: there are none, and none can be made. */
	enum directory_status (*lookup_alias)(struct directory *directory, struct span alias, struct arena *arena,
	    struct directory_user *user_out);
	enum directory_status (*add_alias)(struct directory *directory, struct span alias, struct span name);
	enum directory_status (*import_aliases)(struct directory *directory, struct directory_new_alias *aliases, size_t count,
	    unsigned flags);
	enum directory_status (*remove_alias)(struct directory *directory, struct span alias);
	enum directory_status (*list_aliases)(struct directory *directory, struct span after, struct span name,
	    struct arena *arena, struct directory_alias *aliases_out, size_t limit, size_t *count_out);
	enum directory_status (*delete)(struct directory *directory, struct span name);
	enum directory_status (*list)(struct directory *directory, struct span after,
	    struct arena *arena, struct directory_user *users_out, size_t limit, size_t *count_out);
	enum directory_status (*list_limited)(struct directory *directory, struct span after,
	    struct arena *arena, struct directory_user *users_out, size_t limit, size_t *count_out);
	enum directory_status (*list_retired)(struct directory *directory, struct span after, struct arena *arena,
	    struct directory_retired *retired_out, size_t limit, size_t *count_out);
	enum directory_status (*count)(struct directory *directory, uint64_t *count_out);
	void (*begin_reading)(struct directory *directory);	/* NULL, as the next: there is nothing to do */
	void (*end_reading)(struct directory *directory);
	struct directory *(*registry)(struct directory *directory);	/* an sqlite one, for share.c; NULL: none */
	void (*close)(struct directory *directory);	/* frees it, too */
};

/* A back end's own struct begins with this. */
struct directory {
	const struct directory_backend *backend;
};

#endif
