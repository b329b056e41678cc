/*
 * Keywords by name and number.  Worker threads.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

/* The names from a number on: numbers rise, those that are free in between get NULL. */
static enum store_status
list_names(struct store *store, uint64_t mailbox_id, size_t first, struct arena *arena,
    struct store_keywords *keywords)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT bit, name FROM keyword WHERE mailbox_id = ?1 AND bit >= ?2 ORDER BY bit");
	const char **names = NULL;
	size_t capacity = 0;
	enum sql_status status;

	keywords->first = first;
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, first + STORE_KEYWORD_BIT_MIN);
	while ((status = sql_step(query)) == SQL_ROW) {
		size_t place = (size_t)sql_column_number(query, 0) - STORE_KEYWORD_BIT_MIN - first;

		if (place >= STORE_KEYWORDS_MAX)
			continue;
		while (place >= capacity) {
			names = memory_resize(names, 2 * capacity + 16, sizeof *names);
			memset(names + capacity, 0, (capacity + 16) * sizeof *names);
			capacity = 2 * capacity + 16;
		}
		names[place] = arena_copy_string(arena, sql_column_text(query, 1));
		keywords->count = place + 1;
	}
	keywords->names = arena_alloc_array(arena, keywords->count + 1, sizeof *names);
	if (keywords->count > 0)
		memcpy(keywords->names, names, keywords->count * sizeof *names);
	free(names);
	return store_from_sql(status);
}

enum store_status
store_keyword_list(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_keywords *keywords_out)
{
	struct store_keywords keywords = { 0 };
	enum store_status status;

	assert_off_loop();
	if ((status = list_names(store, mailbox_id, 0, arena, &keywords)) == STORE_OK &&
	    (status = store_sets_list(store, mailbox_id, arena, &keywords)) == STORE_OK)
		*keywords_out = keywords;
	return status;
}

enum store_status
store_keyword_news(struct store *store, uint64_t mailbox_id, size_t known, const uint64_t *flags,
    size_t count, struct arena *arena, struct store_keywords *news_out)
{
	struct store_keywords news = { 0 };
	enum store_status status;

	assert_off_loop();
	*news_out = news;
	if (known == STORE_KEYWORDS_UNTOLD)
		return STORE_OK;
	if ((status = list_names(store, mailbox_id, known, arena, &news)) == STORE_OK &&
	    (status = store_sets_find(store, flags, count, arena, &news)) == STORE_OK)
		*news_out = news;
	return status;
}

/* STORE_NOT_FOUND: the mailbox has no such keyword. */
static enum store_status
find_keyword(struct store *store, uint64_t mailbox_id, struct span name, uint16_t *number_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT bit FROM keyword WHERE mailbox_id = ?1 AND name = ?2");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_text(query, 2, name);
	if ((status = store_row(query)) == STORE_OK)
		*number_out = (uint16_t)(sql_column_number(query, 0) - STORE_KEYWORD_BIT_MIN);
	sql_reset(query);
	return status;
}

/* The number that the next keyword gets; STORE_LIMIT: there is no room for it. */
static enum store_status
next_number(struct store *store, uint64_t mailbox_id, size_t length, uint16_t *number_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT coalesce(max(bit) + 1, 5), coalesce(sum(length(name)), 0) FROM keyword WHERE mailbox_id = ?1");
	uint64_t number = 0, octets = 0;
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	if ((status = store_row(query)) == STORE_OK) {
		number = sql_column_number(query, 0) - STORE_KEYWORD_BIT_MIN;
		octets = sql_column_number(query, 1);
	}
	sql_reset(query);
	if (status != STORE_OK)
		return status;
	*number_out = (uint16_t)number;
	return number < STORE_KEYWORDS_MAX && octets + length <= STORE_KEYWORDS_OCTETS_MAX ? STORE_OK : STORE_LIMIT;
}

/* STORE_NOT_FOUND: there is no such mailbox any more. */
static enum store_status
add_keyword(struct store *store, uint64_t mailbox_id, struct span name, uint16_t *number_out)
{
	struct sql_statement *insert;
	enum store_status status;
	uint16_t number;

	if (name.length == 0 || name.length > STORE_NAME_MAX)
		return STORE_LIMIT;
	if ((status = next_number(store, mailbox_id, name.length, &number)) != STORE_OK)
		return status;
	insert = sql_prepare(
	    store->sql, "INSERT INTO keyword (mailbox_id, bit, name) SELECT id, ?2, ?3 FROM mailbox WHERE id = ?1");
	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_number(insert, 2, number + STORE_KEYWORD_BIT_MIN);
	sql_bind_text(insert, 3, name);
	if ((status = store_run(insert)) != STORE_OK)
		return status;
	*number_out = number;
	return sql_changed_rows(store->sql) == 0 ? STORE_NOT_FOUND : STORE_OK;
}

static int
compare_numbers(const void *left, const void *right)
{
	return *(const uint16_t *)left - *(const uint16_t *)right;
}

struct store_numbers
store_numbers_sort(uint16_t *numbers, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(numbers, count, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || numbers[kept - 1] != numbers[i])
			numbers[kept++] = numbers[i];
	return (struct store_numbers){ numbers, kept };
}

enum store_status
store_keyword_numbers(struct store *store, uint64_t mailbox_id, const struct span *names,
    size_t count, bool may_create, struct arena *arena, struct store_numbers *numbers_out)
{
	uint16_t *numbers = arena_alloc_array(arena, count + 1, sizeof *numbers);
	enum store_status status = may_create ? store_enter(store) : STORE_OK;
	size_t found = 0;

	assert_off_loop();
	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		status = find_keyword(store, mailbox_id, names[i], &numbers[found]);
		if (status == STORE_NOT_FOUND && may_create)
			status = add_keyword(store, mailbox_id, names[i], &numbers[found]);
		if (status == STORE_OK)
			found++;
		else if (status == STORE_NOT_FOUND)
			status = STORE_OK;
	}
	if (status == STORE_OK)
		*numbers_out = store_numbers_sort(numbers, found);
	return status;
}

enum store_status
store_keyword_flags(struct store *store, uint64_t mailbox_id, const struct span *names,
    size_t count, uint64_t *flags_out)
{
	struct arena *arena = arena_new();
	struct store_numbers numbers;
	enum store_status status;

	status = store_keyword_numbers(store, mailbox_id, names, count, true, arena, &numbers);
	if (status == STORE_OK)
		status = store_keyword_word(store, mailbox_id, numbers, flags_out);
	arena_free(&arena);
	return status;
}
