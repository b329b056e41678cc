/*
 * Subscriptions: a set of names.  Worker threads.
 */
#include "base/thread.h"
#include "internal.h"

static enum store_status
run_with_name(struct store *store, const char *text, struct span name)
{
	struct sql_statement *statement;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	statement = sql_prepare(store->sql, text);
	sql_bind_text(statement, 1, name);
	return store_run(statement);
}

enum store_status
store_subscribe(struct store *store, struct span name)
{
	struct sql_statement *query;
	enum store_status status;
	bool is_full;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if (name.length > STORE_NAME_MAX)
		return STORE_LIMIT;
	query = sql_prepare(store->sql, "SELECT count(*) FROM subscription WHERE name <> ?1");
	sql_bind_text(query, 1, name);
	status = store_row(query);
	is_full = status == STORE_OK && sql_column_number(query, 0) >= STORE_MAILBOX_MAX;
	sql_reset(query);
	if (status != STORE_OK || is_full)
		return is_full ? STORE_LIMIT : status;
	return run_with_name(store, "INSERT OR IGNORE INTO subscription (name) VALUES (?1)", name);
}

enum store_status
store_unsubscribe(struct store *store, struct span name)
{
	return run_with_name(store, "DELETE FROM subscription WHERE name = ?1", name);
}

enum store_status
store_subscription_list(struct store *store, struct arena *arena, struct span **names_out,
    size_t *count_out)
{
	struct sql_statement *query;
	struct span *names = NULL;
	size_t count = 0, capacity = 0;
	enum sql_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT name FROM subscription ORDER BY name");
	while ((status = sql_step(query)) == SQL_ROW) {
		if (count == capacity) {
			struct span *more;

			capacity = capacity == 0 ? 16 : 2 * capacity;
			more = arena_alloc_array(arena, capacity, sizeof *more);
			if (count > 0)
				memcpy(more, names, count * sizeof *more);
			names = more;
		}
		names[count++] = arena_copy(arena, sql_column_text(query, 0));
	}
	if (status != SQL_OK)
		return store_from_sql(status);
	*names_out = names;
	*count_out = count;
	return STORE_OK;
}

#define IS_BELOW "(name = ?1 OR substr(name, 1, length(?1) + 1) = ?1 || '/')"

enum store_status
store_subscription_has(struct store *store, struct span name, bool *is_there_out)
{
	struct sql_statement *query;
	enum store_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT EXISTS (SELECT 1 FROM subscription WHERE " IS_BELOW ")");
	sql_bind_text(query, 1, name);
	status = store_row(query);
	*is_there_out = status == STORE_OK && sql_column_number(query, 0) != 0;
	sql_reset(query);
	return status;
}

enum store_status
store_subscription_rename(struct store *store, struct span from, struct span to)
{
	struct sql_statement *copy;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	copy = sql_prepare(store->sql, "INSERT OR IGNORE INTO subscription (name) "
	    "SELECT ?2 || substr(name, length(?1) + 1) FROM subscription WHERE " IS_BELOW);
	sql_bind_text(copy, 1, from);
	sql_bind_text(copy, 2, to);
	status = store_run(copy);
	return status == STORE_OK ? run_with_name(store, "DELETE FROM subscription WHERE " IS_BELOW, from) : status;
}
