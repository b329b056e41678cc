/*
 * Keywords of the store: names and numbers, and messages with more of them than their flags have bits for, compared
 * with a model that keeps a table.
 */
#include "store_fixture.h"

#include <sqlite3.h>
#include <string.h>

#define NAMES	 150
#define MESSAGES 12
#define BOXES	 2

static void
test_names(void **state)
{
	struct fixture *fixture = *state;
	struct span names[] = { SPAN("$Forwarded"), SPAN("work"), SPAN("$FORWARDED") };
	struct store_keywords keywords;
	struct store_numbers numbers;

	assert_int_equal(store_keyword_numbers(fixture->store, fixture->inbox, names, 3, false, fixture->arena, &numbers),
	    STORE_OK);
	assert_int_equal(numbers.count, 0);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_keyword_numbers(fixture->store, fixture->inbox, names, 3, true, fixture->arena, &numbers),
	    STORE_OK);
	commit(fixture);
	assert_int_equal(numbers.count, 2);
	assert_int_equal(numbers.at[0], 0);
	assert_int_equal(numbers.at[1], 1);
	assert_int_equal(store_keyword_list(fixture->store, fixture->inbox, fixture->arena, &keywords), STORE_OK);
	assert_int_equal(keywords.count, 2);
	assert_string_equal(keywords.names[0], "$Forwarded");
	assert_string_equal(keywords.names[1], "work");
	assert_int_equal(store_keyword_news(fixture->store, fixture->inbox, 1, NULL, 0, fixture->arena, &keywords),
	    STORE_OK);
	assert_int_equal(keywords.first, 1);
	assert_int_equal(keywords.count, 1);
	assert_string_equal(keywords.names[0], "work");
}

static enum store_status
add_name(struct fixture *fixture, const char *form, unsigned number)
{
	char name[300];
	struct span span;
	struct store_numbers numbers;
	enum store_status status;

	snprintf(name, sizeof name, form, number);
	span = span_from_string(name);
	status = store_keyword_numbers(fixture->store, fixture->inbox, &span, 1, true, fixture->arena, &numbers);
	if (status == STORE_OK)
		assert_int_equal(numbers.at[0], number);
	return status;
}

static void
test_limits(void **state)
{
	struct fixture *fixture = *state;
	unsigned number = 0;

	begin(fixture, STORE_DURABLE);
	while (number < STORE_KEYWORDS_MAX)
		assert_int_equal(add_name(fixture, "k%u", number++), STORE_OK);
	assert_int_equal(add_name(fixture, "k%u", number), STORE_LIMIT);
	assert_int_equal(add_name(fixture, "k%u", number - 1), STORE_OK);	/* is there already */
	commit(fixture);
}

static void
test_octets(void **state)
{
	struct fixture *fixture = *state;
	unsigned number = 0;

	begin(fixture, STORE_DURABLE);
	while (add_name(fixture, "%0250u", number) == STORE_OK)
		number++;
	assert_int_equal(number, STORE_KEYWORDS_OCTETS_MAX / 250);
	commit(fixture);
}

/* The model: which message has which keyword and which system flags. */
struct model {
	struct fixture *fixture;
	uint64_t boxes[BOXES];
	struct {
		uint32_t uid;
		bool has[NAMES];
		uint64_t system;
	} messages[BOXES][1000];
	size_t counts[BOXES];
	uint32_t seed;
};

static uint32_t
draw(struct model *model, uint32_t below)
{
	model->seed = model->seed * 1103515245 + 12345;
	return (model->seed >> 16) % below;
}

static struct span
name_of(unsigned number)
{
	static char names[NAMES][8];

	snprintf(names[number], sizeof names[number], "n%u", number);
	return span_from_string(names[number]);
}

/* Change the flags of some messages in the file and in the model. */
static void
change_some(struct model *model)
{
	struct store *store = model->fixture->store;
	struct arena *arena = arena_new();
	unsigned box = draw(model, BOXES), drawn[4];
	struct span names[4];
	struct store_flag_change change = { .operation = (enum store_flag_operation)draw(model, 3),
		.flags = draw(model, 2) == 0 ? 0 : STORE_FLAG_SEEN, .unchanged_since = UINT64_MAX };
	struct store_flag_result results[MESSAGES * BOXES * 8];
	uint32_t uids[COUNT_OF(results)];
	size_t count = 0, name_count = draw(model, 5);

	for (size_t i = 0; i < name_count; i++)
		names[i] = name_of(drawn[i] = draw(model, draw(model, 3) == 0 ? 5 : NAMES));
	assert_int_equal(store_keyword_numbers(store, model->boxes[box], names, name_count, true, arena, &change.keywords),
	    STORE_OK);
	for (size_t m = 0; m < model->counts[box] && count < COUNT_OF(uids); m++) {
		if (draw(model, 3) == 0)
			continue;
		uids[count++] = model->messages[box][m].uid;
		if (change.operation == STORE_FLAGS_SET) {
			memset(model->messages[box][m].has, 0, NAMES);
			model->messages[box][m].system = 0;
		}
		for (size_t i = 0; i < name_count; i++)
			model->messages[box][m].has[drawn[i]] = change.operation != STORE_FLAGS_REMOVE;
		if (change.operation == STORE_FLAGS_REMOVE)
			model->messages[box][m].system &= ~change.flags;
		else
			model->messages[box][m].system |= change.flags;
	}
	assert_int_equal(store_change_flags(store, model->boxes[box], uids, count, &change, results, NULL), STORE_OK);
	arena_free(&arena);
}

/* Copy or move one message. */
static void
copy_one(struct model *model)
{
	unsigned box = draw(model, BOXES), to = draw(model, BOXES);
	struct store *store = model->fixture->store;
	struct store_copied copied;
	uint64_t modseq;
	size_t count, m;

	if (model->counts[box] == 0 || model->counts[to] >= COUNT_OF(model->messages[to]) - 1)
		return;
	m = draw(model, (uint32_t)model->counts[box]);
	if (draw(model, 2) == 0 || model->counts[to] > MESSAGES) {
		assert_int_equal(store_move(store, model->boxes[box], model->boxes[to], &model->messages[box][m].uid, 1,
		    &copied, &count, &modseq), STORE_OK);
		model->messages[to][model->counts[to]] = model->messages[box][m];
		model->messages[to][model->counts[to]++].uid = copied.message.uid;
		memmove(&model->messages[box][m], &model->messages[box][m + 1],
		    (--model->counts[box] - m) * sizeof model->messages[0][0]);
	} else {
		assert_int_equal(store_copy(store, model->boxes[box], model->boxes[to], &model->messages[box][m].uid, 1,
		    &copied, &count), STORE_OK);
		model->messages[to][model->counts[to]] = model->messages[box][m];
		model->messages[to][model->counts[to]++].uid = copied.message.uid;
	}
}

static bool
has_keyword(const struct store_snapshot *snapshot, uint64_t flags, size_t number)
{
	uint64_t id = (flags & ~STORE_FLAGS_HAS_SET) >> STORE_KEYWORD_BIT_MIN;

	if ((flags & STORE_FLAGS_HAS_SET) == 0)
		return number < STORE_KEYWORD_BITS && (flags >> (STORE_KEYWORD_BIT_MIN + number) & 1) != 0;
	for (size_t i = 0; i < snapshot->keywords.set_count; i++)
		for (size_t k = 0; snapshot->keywords.sets[i].id == id && k < snapshot->keywords.sets[i].members.count; k++)
			if (snapshot->keywords.sets[i].members.at[k] == number)
				return true;
	return false;
}

/* The file says of each message what the model says; words are equal where flags are. */
static void
compare(struct model *model)
{
	for (unsigned box = 0; box < BOXES; box++) {
		struct store_snapshot snapshot;
		bool has[NAMES];

		assert_int_equal(store_snapshot_init(model->fixture->store, model->boxes[box], &snapshot), STORE_OK);
		assert_int_equal(snapshot.count, model->counts[box]);
		for (size_t m = 0; m < snapshot.count; m++) {
			uint64_t flags = snapshot.messages[m].flags;
			bool needs_set = false;

			assert_int_equal(flags & STORE_FLAGS_SYSTEM, model->messages[box][m].system);
			memset(has, 0, sizeof has);
			for (size_t k = 0; k < snapshot.keywords.count; k++) {
				bool is_there = has_keyword(&snapshot, flags, k);

				has[atoi(snapshot.keywords.names[k] + 1)] = is_there;
				needs_set |= is_there && k >= STORE_KEYWORD_BITS;
			}
			assert_memory_equal(has, model->messages[box][m].has, sizeof has);
			assert_int_equal((flags & STORE_FLAGS_HAS_SET) != 0, needs_set);
			for (size_t n = 0; n < m; n++)
				if (memcmp(model->messages[box][n].has, has, sizeof has) == 0)
					assert_true((snapshot.messages[n].flags & ~STORE_FLAGS_SYSTEM) ==
					    (flags & ~STORE_FLAGS_SYSTEM));
		}
		store_snapshot_fini(&snapshot);
	}
}

static void
test_model(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = NEW(struct model);

	model->fixture = fixture;
	model->seed = 7;
	model->boxes[0] = fixture->inbox;
	model->boxes[1] = mailbox_id(fixture, "Sent");
	append_many(fixture, fixture->inbox, MESSAGES);
	for (size_t i = 0; i < MESSAGES; i++)
		model->messages[0][model->counts[0]++].uid = (uint32_t)i + 1;
	for (int round = 0; round < 60; round++) {
		begin(fixture, STORE_LAZY);
		for (int step = 0; step < 20; step++)
			if (draw(model, 4) == 0)
				copy_one(model);
			else
				change_some(model);
		commit(fixture);
		compare(model);
	}
	assert_verified(fixture->store);
	free(model);
}

/* Sets that no message has do not pile up. */
static void
test_sweep(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = arena_new();
	struct store_flag_change change = { .operation = STORE_FLAGS_SET, .unchanged_since = UINT64_MAX };
	struct store_flag_result result;
	struct store_snapshot snapshot;

	append_many(fixture, fixture->inbox, 1);
	for (unsigned i = 0; i < 1000; i++) {
		struct span names[] = { name_of(i % NAMES), name_of(i / 7 % NAMES), name_of(i * 31 % NAMES) };

		begin(fixture, STORE_LAZY);
		assert_int_equal(store_keyword_numbers(fixture->store, fixture->inbox, names, 3, true, arena,
		    &change.keywords), STORE_OK);
		assert_int_equal(store_change_flags(fixture->store, fixture->inbox, &(uint32_t){ 1 }, 1, &change, &result,
		    NULL), STORE_OK);
		commit(fixture);
	}
	assert_int_equal(store_snapshot_init(fixture->store, fixture->inbox, &snapshot), STORE_OK);
	assert_true(snapshot.keywords.set_count < 300);
	store_snapshot_fini(&snapshot);
	assert_verified(fixture->store);
	arena_free(&arena);
}

/* A file as the first release wrote it: its keywords keep their bits. */
static void
test_first_schema(void **state)
{
	struct fixture *fixture = *state;
	struct store_keywords keywords;
	uint64_t flags;
	sqlite3 *file;

	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &file), SQLITE_OK);
	assert_int_equal(sqlite3_exec(file, "DROP VIEW message_now; DROP TABLE flag_change; "
	    "ALTER TABLE mailbox DROP COLUMN deleted_size; DROP TABLE metadata; DROP TABLE acl; "
	    "ALTER TABLE mailbox DROP COLUMN is_seen_shared; ALTER TABLE account DROP COLUMN seen_doubt; "
	    "DROP TABLE seen; DROP TABLE seen_mailbox; DROP TABLE retained; DROP TABLE deleted_mailbox; "
	    "DROP TABLE keyword; DROP TABLE keyword_set; DROP TABLE ordering; "
	    "DROP TABLE searchable; DROP TABLE index_state; DROP TABLE index_block; DROP TABLE index_slots; "
	    "DROP TABLE index_row; DROP TABLE index_again; DROP TABLE dictionary; "
	    "ALTER TABLE content DROP COLUMN encoding; ALTER TABLE content DROP COLUMN texts; "
	    "ALTER TABLE content DROP COLUMN chunk_octets; ALTER TABLE content DROP COLUMN checksum; CREATE TABLE keyword ("
	    "mailbox_id INTEGER NOT NULL REFERENCES mailbox(id), bit INTEGER NOT NULL CHECK (bit BETWEEN 5 AND 62),"
	    "name TEXT NOT NULL COLLATE NOCASE, PRIMARY KEY (mailbox_id, bit)) WITHOUT ROWID;"
	    "INSERT INTO keyword SELECT id, 5, 'one' FROM mailbox WHERE name = 'INBOX';"
	    "INSERT INTO keyword SELECT id, 62, 'last' FROM mailbox WHERE name = 'INBOX'; PRAGMA user_version = 4", NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(file), SQLITE_OK);
	fixture_open(fixture);
	assert_int_equal(store_keyword_list(fixture->store, fixture->inbox, fixture->arena, &keywords), STORE_OK);
	assert_int_equal(keywords.count, 58);
	assert_string_equal(keywords.names[0], "one");
	assert_null(keywords.names[1]);
	assert_string_equal(keywords.names[57], "last");
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_keyword_flags(fixture->store, fixture->inbox, (struct span[]){ SPAN("LAST"), SPAN("new") }, 2,
	    &flags), STORE_OK);
	assert_true((flags & STORE_FLAGS_HAS_SET) != 0);
	commit(fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_limits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_octets, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_model, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sweep, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_first_schema, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
