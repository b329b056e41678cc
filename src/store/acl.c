/*
 * Rights of others in a user's mailboxes.  A mailbox has few rows, and they lie together.  Worker threads.
 */
#include "store/acl.h"

#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

/* Room for more than count elements, which are kept. */
static void *
grow(struct arena *arena, const void *elements, size_t count, size_t size, size_t *capacity)
{
	void *more = arena_alloc_array(arena, *capacity = 2 * *capacity + 8, size);

	if (count > 0)
		memcpy(more, elements, count * size);
	return more;
}

enum store_status
store_acl_get(struct store *store, uint64_t mailbox_id, struct arena *arena, struct store_acl_entry **entries_out,
    size_t *count_out)
{
	struct store_acl_entry *entries = NULL;
	struct sql_statement *query;
	enum sql_status status;
	size_t count = 0, capacity = 0;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT identifier, rights FROM acl WHERE mailbox_id = ?1 ORDER BY identifier LIMIT ?2");
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, STORE_ACL_MAX);
	while ((status = sql_step(query)) == SQL_ROW) {
		if (count == capacity)
			entries = grow(arena, entries, count, sizeof *entries, &capacity);
		entries[count++] = (struct store_acl_entry){ arena_copy(arena, sql_column_text(query, 0)),
			sql_column_number(query, 1) & STORE_RIGHTS_ALL };
	}
	*entries_out = entries;
	*count_out = count;
	return store_from_sql(status);
}

enum store_status
store_acl_of(struct store *store, uint64_t mailbox_id, struct span identifier, unsigned *rights_out)
{
	struct sql_statement *query;
	enum store_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT rights FROM acl WHERE mailbox_id = ?1 AND identifier = ?2");
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_text(query, 2, identifier);
	status = store_row(query);
	*rights_out = status == STORE_OK ? sql_column_number(query, 0) & STORE_RIGHTS_ALL : 0;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status
check_count(struct store *store, uint64_t mailbox_id, struct span identifier)
{
	struct sql_statement *query =
	    sql_prepare(store->sql, "SELECT count(*) FROM acl WHERE mailbox_id = ?1 AND identifier <> ?2");
	enum store_status status;
	bool is_full;

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_text(query, 2, identifier);
	status = store_row(query);
	is_full = status == STORE_OK && sql_column_number(query, 0) >= STORE_ACL_MAX;
	sql_reset(query);
	return is_full ? STORE_LIMIT : status;
}

enum store_status
store_acl_set(struct store *store, uint64_t mailbox_id, struct span identifier, unsigned rights)
{
	struct sql_statement *change;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if (identifier.length == 0 || identifier.length > STORE_IDENTIFIER_MAX)
		return STORE_LIMIT;
	if (rights != 0 && (status = check_count(store, mailbox_id, identifier)) != STORE_OK)
		return status;
	change = sql_prepare(store->sql, rights == 0 ? "DELETE FROM acl WHERE mailbox_id = ?1 AND identifier = ?2" :
	    "INSERT INTO acl (mailbox_id, identifier, rights) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (mailbox_id, identifier) DO UPDATE SET rights = excluded.rights");
	sql_bind_number(change, 1, mailbox_id);
	sql_bind_text(change, 2, identifier);
	if (rights != 0)
		sql_bind_number(change, 3, rights);
	return store_run(change);
}

enum store_status
store_acl_rights(struct store *store, uint64_t mailbox_id, const struct store_identity *who, unsigned *rights_out)
{
	struct sql_statement *query;
	unsigned given = 0, taken = 0;
	enum sql_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT identifier, rights FROM acl WHERE mailbox_id = ?1");
	sql_bind_number(query, 1, mailbox_id);
	while ((status = sql_step(query)) == SQL_ROW) {
		struct span identifier = sql_column_text(query, 0);
		bool is_negative = identifier.length > 0 && identifier.at[0] == '-';
		unsigned rights = sql_column_number(query, 1) & STORE_RIGHTS_ALL;

		for (size_t i = 0; i < who->count; i++)
			if (span_equals(span_from(identifier, is_negative), who->names[i]))
				*(is_negative ? &taken : &given) |= rights;
	}
	*rights_out = given & ~taken;
	return store_from_sql(status);
}

enum store_status
store_acl_identifiers(struct store *store, struct arena *arena, struct span **names_out, size_t *count_out)
{
	struct span *names = NULL;
	size_t count = 0, capacity = 0;
	struct sql_statement *query;
	enum sql_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT DISTINCT identifier FROM acl WHERE identifier NOT LIKE '-%' "
	    "ORDER BY identifier");
	while ((status = sql_step(query)) == SQL_ROW) {
		if (count == capacity)
			names = grow(arena, names, count, sizeof *names, &capacity);
		names[count++] = arena_copy(arena, sql_column_text(query, 0));
	}
	*names_out = names;
	*count_out = count;
	return store_from_sql(status);
}

enum store_status
store_acl_forget(struct store *store, struct span identifier)
{
	struct sql_statement *delete;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	delete = sql_prepare(store->sql, "DELETE FROM acl WHERE identifier = ?1 OR identifier = '-' || ?1");
	sql_bind_text(delete, 1, identifier);
	return store_run(delete);
}

enum store_status
store_acl_has(struct store *store, struct span identifier, bool *is_there_out)
{
	struct sql_statement *query;
	enum store_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT EXISTS (SELECT 1 FROM acl WHERE identifier = ?1 OR identifier = '-' || ?1)");
	sql_bind_text(query, 1, identifier);
	status = store_row(query);
	*is_there_out = status == STORE_OK && sql_column_number(query, 0) != 0;
	sql_reset(query);
	return status;
}

enum store_status
store_acl_rename(struct store *store, struct span from, struct span to)
{
	struct sql_statement *copy;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	copy = sql_prepare(store->sql, "INSERT INTO acl (mailbox_id, identifier, rights) "
	    "SELECT mailbox_id, iif(identifier = ?1, ?2, '-' || ?2), rights FROM acl "
	    "WHERE identifier = ?1 OR identifier = '-' || ?1 "
	    "ON CONFLICT (mailbox_id, identifier) DO UPDATE SET rights = rights | excluded.rights");
	sql_bind_text(copy, 1, from);
	sql_bind_text(copy, 2, to);
	status = store_run(copy);
	return status == STORE_OK ? store_acl_forget(store, from) : status;
}

enum store_status
store_acl_inherit(struct store *store, uint64_t mailbox_id, struct span name)
{
	struct sql_statement *insert;
	size_t end = name.length;

	while (end > 0 && name.at[end - 1] != '/')
		end--;
	if (end < 2)
		return STORE_OK;
	insert = sql_prepare(store->sql, "INSERT INTO acl (mailbox_id, identifier, rights) SELECT ?1, identifier, rights "
	    "FROM acl WHERE mailbox_id = (SELECT id FROM mailbox WHERE name = ?2)");
	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_text(insert, 2, span_slice(name, 0, end - 1));
	return store_run(insert);
}
