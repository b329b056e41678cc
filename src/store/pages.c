/*
 * A user's file as pages: store/pages.h.  Worker threads.
 */
#include "store/pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/thread.h"
#include "internal.h"
#include "mark.h"

enum store_status
store_pages_begin(struct store *store, struct store_pages *pages)
{
	enum store_status status = store_from_sql(sql_pages_begin(store->sql, &pages->pages));

	pages->opening = store->opening;
	return status;
}

void
store_pages_end(struct store *store)
{
	sql_pages_end(store->sql);
}

enum store_status
store_pages_read(struct store *store, struct store_pages *pages, size_t octets_max, struct buffer *out, bool *is_more_out)
{
	*is_more_out = false;
	if (pages->opening != store->opening)
		return STORE_NOT_FOUND;
	return store_from_sql(sql_pages_read(store->sql, &pages->pages, octets_max, out, is_more_out));
}

uint64_t
store_pages_left(const struct store *store, const struct store_pages *pages)
{
	return sql_pages_left(store->sql, &pages->pages);
}

int
store_schema_newest(void)
{
	return sql_schema_newest("mail");
}

bool
store_pages_adopt(const char *copy_path, const char *path)
{
	int descriptor = open(copy_path, O_RDWR | O_CLOEXEC);
	bool is_good = descriptor >= 0 && fsync(descriptor) == 0;

	assert_off_loop();
	if (descriptor >= 0)
		close(descriptor);
	return is_good && rename(copy_path, path) == 0 && store_sync_folder_of(path);
}
