/*
 * Rows of tables beside content.  Worker threads.
 */
#include "beside.h"

#define GAP_MAX 16	/* between two contents that are read together */

static void
visit(struct beside_walk *walk, struct sql_statement *row)
{
	walk->goes_on = walk->visit(walk, walk->next, row);
	walk->next++;
}

/* The place behind those that lie close together. */
static size_t
end_of_run(const struct beside_walk *walk)
{
	const uint64_t *ids = walk->content_ids;
	size_t end = walk->next + 1;

	while (end < walk->count && ids[end] > ids[end - 1] && ids[end] - ids[end - 1] < GAP_MAX)
		end++;
	return end;
}

static enum store_status
visit_run(struct store *store, struct beside_walk *walk, size_t end)
{
	struct sql_statement *query = sql_prepare(store->sql, walk->select);
	enum sql_status status = SQL_OK;

	sql_bind_number(query, 1, walk->content_ids[walk->next]);
	sql_bind_number(query, 2, walk->content_ids[end - 1]);
	while (walk->goes_on && walk->next < end && (status = sql_step(query)) == SQL_ROW) {
		uint64_t id = sql_column_number(query, 0);

		while (walk->goes_on && walk->content_ids[walk->next] < id)
			visit(walk, NULL);
		if (walk->goes_on && walk->content_ids[walk->next] == id)
			visit(walk, query);
	}
	sql_reset(query);
	while (walk->goes_on && walk->next < end && status == SQL_OK)
		visit(walk, NULL);
	return status == SQL_ROW ? STORE_OK : store_from_sql(status);
}

enum store_status
beside_each(struct store *store, struct beside_walk *walk)
{
	enum store_status status;
	bool is_ours;

	walk->next = 0;
	walk->goes_on = true;
	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	while (status == STORE_OK && walk->goes_on && walk->next < walk->count)
		status = visit_run(store, walk, end_of_run(walk));
	return store_read_end(store, is_ours, status);
}
