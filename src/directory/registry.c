#include "registry.h"

#include <string.h>

#include "base/thread.h"
#include "sqlite_file.h"

enum directory_status
registry_connect(struct directory *directory, struct registry *registry)
{
	assert_off_loop();
	*registry = (struct registry){ .directory = directory->backend->registry == NULL ? NULL :
		directory->backend->registry(directory) };
	return registry->directory == NULL ? DIRECTORY_READ_ONLY : sqlite_connect(registry->directory, &registry->sql);
}

enum directory_status
registry_begin(struct directory *directory, struct registry *registry)
{
	enum directory_status status = registry_connect(directory, registry);

	return status != DIRECTORY_OK ? status : registry_result(registry, sql_begin(registry->sql));
}

enum directory_status
registry_end(struct registry *registry, enum directory_status status)
{
	enum sql_status run = registry->run == SQL_ROW ? SQL_OK : registry->run;

	if (run != SQL_OK || status == DIRECTORY_OK)
		return registry_result(registry, sql_end(registry->sql, run));
	sql_rollback(registry->sql);
	return status;
}

enum directory_status
registry_result(struct registry *registry, enum sql_status status)
{
	return sqlite_result(registry->directory, status);
}

/* Full whenever the count is a power of two, from four on. */
void *
registry_more(struct arena *arena, void *rows, size_t count, size_t row_octets)
{
	void *more;

	if (count > 0 && (count < 4 || (count & (count - 1)) != 0))
		return rows;
	more = arena_alloc_array(arena, count == 0 ? 4 : 2 * count, row_octets);
	if (count > 0)
		memcpy(more, rows, count * row_octets);
	return more;
}
