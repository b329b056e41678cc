/*
 * Keywords: each mailbox gives its own bits.  A bit, once given, stays with its name, since
 * messages and the states of sessions hold bits only.  Worker threads.
 */
#include "base/thread.h"
#include "internal.h"

enum store_status
store_keyword_list(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_keywords *keywords_out)
{
	struct store_keywords keywords = { 0 };
	struct sql_statement *query;
	enum sql_status status;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT bit, name FROM keyword WHERE mailbox_id = ?1");
	sql_bind_number(query, 1, mailbox_id);
	while ((status = sql_step(query)) == SQL_ROW) {
		int64_t bit = sql_column_number(query, 0);

		if (bit >= STORE_KEYWORD_BIT_MIN && bit <= STORE_KEYWORD_BIT_MAX)
			keywords.names[bit] = arena_copy_string(arena, sql_column_text(query, 1));
	}
	if (status == SQL_OK)
		*keywords_out = keywords;
	return store_from_sql(status);
}

static int
find_keyword(const struct store_keywords *keywords, struct span name)
{
	for (int bit = STORE_KEYWORD_BIT_MIN; bit <= STORE_KEYWORD_BIT_MAX; bit++)
		if (keywords->names[bit] != NULL &&
		    span_equals_nocase(span_from_string(keywords->names[bit]), name))
			return bit;
	return -1;
}

static enum store_status
add_keyword(struct store *store, uint64_t mailbox_id, struct span name, struct arena *arena,
    struct store_keywords *keywords, int *bit_out)
{
	struct sql_statement *insert;
	enum store_status status;
	int bit = STORE_KEYWORD_BIT_MIN;

	while (bit <= STORE_KEYWORD_BIT_MAX && keywords->names[bit] != NULL)
		bit++;
	if (bit > STORE_KEYWORD_BIT_MAX || name.length == 0 || name.length > STORE_NAME_MAX)
		return STORE_LIMIT;
	insert = sql_prepare(
	    store->sql, "INSERT INTO keyword (mailbox_id, bit, name) VALUES (?1, ?2, ?3)");
	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_number(insert, 2, bit);
	sql_bind_text(insert, 3, name);
	if ((status = store_run(insert)) != STORE_OK)
		return status;
	keywords->names[bit] = arena_copy_string(arena, name);
	*bit_out = bit;
	return STORE_OK;
}

enum store_status
store_keyword_flags(struct store *store, uint64_t mailbox_id, const struct span *names,
    size_t count, bool may_create, uint64_t *flags_out)
{
	struct arena *arena = arena_new();
	struct store_keywords keywords;
	enum store_status status;
	uint64_t flags = 0;

	if (may_create && (status = store_enter(store)) != STORE_OK)
		goto out;
	status = store_keyword_list(store, mailbox_id, arena, &keywords);
	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		int bit = find_keyword(&keywords, names[i]);

		if (bit < 0 && may_create)
			status = add_keyword(store, mailbox_id, names[i], arena, &keywords, &bit);
		if (status == STORE_OK && bit >= 0)
			flags |= UINT64_C(1) << bit;
	}
out:
	if (status == STORE_OK)
		*flags_out = flags;
	arena_free(&arena);
	return status;
}
