#include "store/still.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "internal.h"
#include "sql/still.h"

struct store_still *
store_still_new(void)
{
	struct store_still *still = NEW(struct store_still);

	still->file = sql_still_new();
	return still;
}

void
store_still_free(struct store_still **still)
{
	if (*still == NULL)
		return;
	sql_still_free(&(*still)->file);
	free(*still);
	*still = NULL;
}

enum store_status
store_still_begin(struct store *store, struct store_still *still, bool *is_busy_out)
{
	enum sql_status status;

	assert(!store->is_begun);
	status = sql_still_begin(store->sql, still->file);
	*is_busy_out = status == SQL_BUSY;
	return *is_busy_out ? STORE_OK : store_from_sql(status);
}

void
store_still_end(struct store_still *still)
{
	sql_still_end(still->file);
}

bool
store_still_has_moved(const struct store_still *still)
{
	return sql_still_has_moved(still->file);
}

void
store_still_stop(struct store_still *still)
{
	sql_still_stop(still->file);
}

uint64_t
store_still_octets(const struct store_still *still)
{
	return sql_still_octets(still->file);
}
