/*
 * The directory of a client access server without one: whoever logs in lives on one mailbox server, and that
 * server knows whether there is such a user and what the password is.  No name is known and none is unknown here,
 * so there is nothing to tell them apart by.  Any thread.
 */
#include <stdlib.h>

#include "backend.h"
#include "base/memory.h"
#include "refusal.h"

struct link_directory {
	struct directory directory;
	char *server;
};

static enum directory_status
lookup(struct directory *directory, struct span name, struct arena *arena, struct directory_user *user_out)
{
	struct link_directory *link = CONTAINER_OF(directory, struct link_directory, directory);

	if (name.length == 0)
		return DIRECTORY_NOT_FOUND;
	*user_out = (struct directory_user){
		.name = arena_copy(arena, name),
		.credential = SPAN("link"),
		.home = span_from_string(link->server),
		.is_enabled = true,
	};
	return DIRECTORY_OK;
}

/* The mailbox server knows. */
static enum directory_status
permit(struct directory *directory, struct arena *arena, struct directory_login *login)
{
	(void)directory, (void)arena;
	login->is_permitted = true;
	return DIRECTORY_OK;
}

static void
close_link(struct directory *directory)
{
	struct link_directory *link = CONTAINER_OF(directory, struct link_directory, directory);

	free(link->server);
	free(link);
}

static const struct directory_backend backend = {
	.lookup = lookup,
	.asks_home = true,
	.add = refuse_text,
	.add_shared = refuse_name,
	.set_credential = refuse_text,
	.set_enabled = refuse_enabled,
	.set_home = refuse_text,
	.set_limit = refuse_limit,
	.set_master = refuse_enabled,
	.allow = refuse_allow,
	.list_delegates = refuse_list_delegates,
	.permits = permit,
	.release = refuse_name,
	.join = refuse_text,
	.leave = refuse_text,
	.list_members = refuse_list_members,
	.delete = refuse_name,
	.list = refuse_list,
	.list_limited = refuse_list,
	.list_retired = refuse_list_retired,
	.count = refuse_count,
	.close = close_link,
};

struct directory *
directory_open_link(struct span server)
{
	struct link_directory *link = NEW(struct link_directory);

	link->directory.backend = &backend;
	link->server = memory_copy_span(server);
	return &link->directory;
}
