/*
 * Sets of keywords, for messages that have one without a bit: each combination of a mailbox once, under an id that
 * is never given again.  In the file a set is a JSON array of what keyword.bit holds.  Worker threads.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "internal.h"

#define KEYWORD_BITS (~(STORE_FLAGS_HAS_SET | STORE_FLAGS_SYSTEM))

static uint64_t
id_of(uint64_t flags)
{
	return (flags & KEYWORD_BITS) >> STORE_KEYWORD_BIT_MIN;
}

static void
write_members(struct store_numbers members, struct buffer *out)
{
	buffer_add_octet(out, '[');
	for (size_t i = 0; i < members.count; i++) {
		if (i > 0)
			buffer_add_octet(out, ',');
		buffer_add_number(out, (uint64_t)members.at[i] + STORE_KEYWORD_BIT_MIN);
	}
	buffer_add_octet(out, ']');
}

/* STORE_CORRUPT: this is no such array. */
static enum store_status
read_members(struct span text, uint16_t numbers_out[STORE_KEYWORDS_MAX], size_t *count_out)
{
	size_t count = 0;

	if (text.length < 2 || text.at[0] != '[' || text.at[text.length - 1] != ']')
		return STORE_CORRUPT;
	text = span_slice(text, 1, text.length - 2);
	while (text.length > 0) {
		size_t length = span_find(text, ',');
		uint64_t bit;

		if (count == STORE_KEYWORDS_MAX || !span_to_number(span_slice(text, 0, length), UINT16_MAX, &bit) ||
		    bit < STORE_KEYWORD_BIT_MIN || bit - STORE_KEYWORD_BIT_MIN >= STORE_KEYWORDS_MAX ||
		    (count > 0 && bit - STORE_KEYWORD_BIT_MIN <= numbers_out[count - 1]))
			return STORE_CORRUPT;
		numbers_out[count++] = (uint16_t)(bit - STORE_KEYWORD_BIT_MIN);
		text = span_from(text, length + 1);
	}
	*count_out = count;
	return STORE_OK;
}

static struct store_keyword_set
make_set(uint64_t id, const uint16_t *numbers, size_t count, struct arena *arena)
{
	uint16_t *copy = arena_alloc_array(arena, count + 1, sizeof *copy);

	memcpy(copy, numbers, count * sizeof *copy);
	return (struct store_keyword_set){ id, { copy, count } };
}

static enum store_status
count_sets(struct store *store, uint64_t mailbox_id, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT count(*) FROM keyword_set WHERE mailbox_id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	if ((status = store_row(query)) == STORE_OK)
		*count_out = (size_t)sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

enum store_status
store_sets_list(struct store *store, uint64_t mailbox_id, struct arena *arena, struct store_keywords *keywords)
{
	struct sql_statement *query;
	enum sql_status stepped = SQL_OK;
	uint16_t numbers[STORE_KEYWORDS_MAX];
	enum store_status status;
	size_t count, members;

	if ((status = count_sets(store, mailbox_id, &count)) != STORE_OK)
		return status;
	keywords->sets = arena_alloc_array(arena, count + 1, sizeof *keywords->sets);
	query = sql_prepare(store->sql, "SELECT id, members FROM keyword_set WHERE mailbox_id = ?1 ORDER BY id");
	sql_bind_number(query, 1, mailbox_id);
	while (status == STORE_OK && keywords->set_count < count && (stepped = sql_step(query)) == SQL_ROW) {
		status = read_members(sql_column_text(query, 1), numbers, &members);
		if (status == STORE_OK)
			keywords->sets[keywords->set_count++] =
			    make_set((uint64_t)sql_column_number(query, 0), numbers, members, arena);
	}
	sql_reset(query);
	return status != STORE_OK || stepped == SQL_ROW ? status : store_from_sql(stepped);
}

/* What the set of a word has; a set that is not there is damage. */
static enum store_status
find_members(struct store *store, uint64_t id, uint16_t numbers_out[STORE_KEYWORDS_MAX], size_t *count_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT members FROM keyword_set WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, id);
	if ((status = store_row(query)) == STORE_OK)
		status = read_members(sql_column_text(query, 0), numbers_out, count_out);
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_CORRUPT : status;
}

static int
compare_ids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* The ids that words have, rising, each once; to be freed. */
static uint64_t *
collect_ids(const uint64_t *flags, size_t count, size_t *ids_out)
{
	uint64_t *ids = memory_new_array(count + 1, sizeof *ids);
	size_t found = 0, kept = 0;

	for (size_t i = 0; i < count; i++)
		if ((flags[i] & STORE_FLAGS_HAS_SET) != 0)
			ids[found++] = id_of(flags[i]);
	if (found > 1)
		qsort(ids, found, sizeof *ids, compare_ids);
	for (size_t i = 0; i < found; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	*ids_out = kept;
	return ids;
}

enum store_status
store_sets_find(struct store *store, const uint64_t *flags, size_t count, struct arena *arena,
    struct store_keywords *keywords)
{
	enum store_status status = STORE_OK;
	uint16_t numbers[STORE_KEYWORDS_MAX];
	size_t ids_count, members;
	uint64_t *ids = collect_ids(flags, count, &ids_count);

	keywords->sets = arena_alloc_array(arena, ids_count + 1, sizeof *keywords->sets);
	for (size_t i = 0; i < ids_count && status == STORE_OK; i++) {
		status = find_members(store, ids[i], numbers, &members);
		if (status == STORE_OK)
			keywords->sets[keywords->set_count++] = make_set(ids[i], numbers, members, arena);
	}
	free(ids);
	return status;
}

enum store_status
store_word_expand(struct store *store, uint64_t word, uint16_t numbers_out[STORE_KEYWORDS_MAX], size_t *count_out)
{
	uint64_t bits = (word & KEYWORD_BITS) >> STORE_KEYWORD_BIT_MIN;
	size_t count = 0;

	if ((word & STORE_FLAGS_HAS_SET) != 0)
		return find_members(store, id_of(word), numbers_out, count_out);
	for (uint16_t number = 0; bits != 0; number++, bits >>= 1)
		if ((bits & 1) != 0)
			numbers_out[count++] = number;
	*count_out = count;
	return STORE_OK;
}

static enum store_status
find_set(struct store *store, uint64_t mailbox_id, struct span members, uint64_t *id_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id FROM keyword_set WHERE mailbox_id = ?1 AND members = ?2");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_text(query, 2, members);
	if ((status = store_row(query)) == STORE_OK)
		*id_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

static enum store_status
add_set(struct store *store, uint64_t mailbox_id, struct span members, uint64_t *id_out)
{
	struct sql_statement *insert;
	enum store_status status;

	insert = sql_prepare(store->sql, "INSERT INTO keyword_set (mailbox_id, members) VALUES (?1, ?2)");
	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_text(insert, 2, members);
	if ((status = store_run(insert)) != STORE_OK)
		return status;
	*id_out = sql_last_row_id(store->sql);
	store->sets_made++;
	return *id_out > KEYWORD_BITS >> STORE_KEYWORD_BIT_MIN ? STORE_LIMIT : STORE_OK;
}

bool
store_numbers_have_bits(struct store_numbers numbers)
{
	return numbers.count == 0 || numbers.at[numbers.count - 1] < STORE_KEYWORD_BITS;
}

enum store_status
store_keyword_word(struct store *store, uint64_t mailbox_id, struct store_numbers numbers, uint64_t *word_out)
{
	struct buffer members = { 0 };
	enum store_status status;
	uint64_t id = 0;

	if (store_numbers_have_bits(numbers)) {
		*word_out = 0;
		for (size_t i = 0; i < numbers.count; i++)
			*word_out |= UINT64_C(1) << (STORE_KEYWORD_BIT_MIN + numbers.at[i]);
		return STORE_OK;
	}
	if ((status = store_enter(store)) != STORE_OK)
		return status;
	write_members(numbers, &members);
	status = find_set(store, mailbox_id, buffer_span(&members), &id);
	if (status == STORE_NOT_FOUND)
		status = add_set(store, mailbox_id, buffer_span(&members), &id);
	buffer_free(&members);
	if (status == STORE_OK)
		*word_out = STORE_FLAGS_HAS_SET | id << STORE_KEYWORD_BIT_MIN;
	return status;
}

/*
 * A message that gets another combination leaves its set behind.  Now and then those that no message has are
 * deleted, by one look at the messages; not while a set has just been made and its message is not yet written.
 */
enum store_status
store_sets_sweep(struct store *store)
{
	enum store_status status;

	if (store->sets_made < STORE_SETS_SWEPT)
		return STORE_OK;
	status = store_run(sql_prepare(store->sql, "DELETE FROM keyword_set WHERE id NOT IN "
	    "(SELECT flags >> 5 & 0x3ffffffffffffff FROM message WHERE flags < 0)"));
	if (status == STORE_OK)
		store->sets_made = 0;
	return status;
}
