/*
 * The directory in a SQLite file, directory.db; its tables are in schema/directory.*.sql.  Worker thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "alias.h"
#include "delegate.h"
#include "member.h"
#include "newcomers.h"
#include "restored.h"
#include "sqlite_file.h"
#include "sqlite_users.h"

static struct sqlite_file *
own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct sqlite_file, directory);
}

static void
begin_reading(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	if (sqlite_file_connect(sqlite) == DIRECTORY_OK)
		sql_begin_read(sqlite->sql);
}

/* It may have been opened anew meanwhile. */
static void
end_reading(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	if (sqlite->sql != NULL && sql_is_in_transaction(sqlite->sql))
		sql_commit(sqlite->sql);
}

static void
close_file(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	sql_close(&sqlite->sql);
	free(sqlite->path);
	free(sqlite);
}

static struct directory *
registry(struct directory *directory)
{
	return directory;
}

static const struct directory_backend backend = {
	.lookup = sqlite_lookup,
	.find_groups = members_find,
	.add = sqlite_add,
	.import = newcomers_add,
	.add_shared = sqlite_add_shared,
	.restore = restored_add,
	.set_credential = sqlite_set_credential,
	.set_enabled = sqlite_set_enabled,
	.begin_reading = begin_reading,
	.end_reading = end_reading,
	.registry = registry,
	.set_home = sqlite_set_home,
	.set_limit = sqlite_set_limit,
	.set_master = sqlite_set_master,
	.allow = delegates_allow,
	.list_delegates = delegates_list,
	.permits = delegates_permit,
	.release = sqlite_release,
	.join = members_join,
	.leave = members_leave,
	.list_members = members_list,
	.lookup_alias = sqlite_lookup_alias,
	.add_alias = aliases_add,
	.import_aliases = aliases_import,
	.remove_alias = aliases_remove,
	.list_aliases = aliases_list,
	.delete = sqlite_delete,
	.list = sqlite_list,
	.list_limited = sqlite_list_limited,
	.list_retired = sqlite_list_retired,
	.count = sqlite_count,
	.close = close_file,
};

enum directory_status
directory_open_sqlite(const char *path, struct directory **directory_out)
{
	struct sqlite_file *sqlite;
	enum directory_status status;

	assert_off_loop();
	sqlite = NEW(struct sqlite_file);
	sqlite->directory.backend = &backend;
	sqlite->path = memory_copy_string(path);
	if ((status = sqlite_file_connect(sqlite)) == DIRECTORY_OK)
		*directory_out = &sqlite->directory;
	else
		close_file(&sqlite->directory);
	return status;
}
