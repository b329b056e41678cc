/*
 * Dictionaries that a file gets of what is in it: when, what becomes of rows that are made with them, and of those
 * whose dictionary is damaged.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/packed.h"
#include "store/searchable.h"
#include "store/training.h"

#define FIRST 512	/* contents, before the first dictionary */

struct letter {
	struct buffer octets, envelope, structure, preview, from;
	uint32_t header_length;
};

static void
letter_fini(struct letter *letter)
{
	buffer_free(&letter->octets);
	buffer_free(&letter->envelope);
	buffer_free(&letter->structure);
	buffer_free(&letter->preview);
	buffer_free(&letter->from);
}

/* Letters of a few people; those of a later era are of others. */
static void
letter_init(struct letter *letter, unsigned number, unsigned era)
{
	unsigned person = number * 2654435761u % 40 + era * 1000, word = number * 40503u;

	*letter = (struct letter){ .header_length = 0 };
	buffer_printf(&letter->octets, "Received: from host%u.example.net by mx%u.example.org; %u\r\nFrom: Person %u of era %u "
	    "<person.%u@department-%u.example.com>\r\nSubject: about %x\r\n\r\n", person, era, number, person, era, person, era, word);
	letter->header_length = (uint32_t)letter->octets.length;
	for (unsigned i = 0; i < 12; i++)
		buffer_printf(&letter->octets, "A line of era %u with %x in it, by person %u\r\n", era, word * (i + 1), person);
	buffer_printf(&letter->envelope, "(NIL \"about %x\" ((\"Person %u of era %u\" NIL \"person.%u\" \"department-%u.example.com\")) "
	    "NIL NIL NIL NIL NIL NIL NIL)", word, person, era, person, era);
	buffer_printf(&letter->structure, "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" %u 12 NIL NIL NIL NIL)", number);
	buffer_printf(&letter->preview, "A line of era %u with %x in it", era, word);
	buffer_printf(&letter->from, "PERSON %u OF ERA %u <PERSON.%u@DEPARTMENT-%u.EXAMPLE.COM>", person, era, person, era);
}

static uint64_t
append(struct fixture *fixture, unsigned number, unsigned era, enum store_compression compression)
{
	struct store_searchable searchable = { .version = 1 };
	struct store_message message;
	struct letter letter;
	struct span piece;

	letter_init(&letter, number, era);
	piece = buffer_span(&letter.octets);
	searchable.texts[STORE_SEARCHABLE_FROM] = buffer_span(&letter.from);
	searchable.texts[STORE_SEARCHABLE_CC] = SPAN("");
	assert_int_equal(store_append(fixture->store, fixture->inbox, &(struct store_arrival){ .pieces = &piece, .piece_count = 1,
	    .header_length = letter.header_length, .compression = compression, .envelope = buffer_span(&letter.envelope),
	    .bodystructure = buffer_span(&letter.structure), .body = SPAN("(\"TEXT\" \"PLAIN\")"), .parts = SPAN("parts"),
	    .preview = buffer_span(&letter.preview), .message_id = SPAN("<id@example.org>"), .searchable = &searchable }, &message),
	    STORE_OK);
	letter_fini(&letter);
	return message.content_id;
}

static uint64_t
append_letters(struct fixture *fixture, unsigned count, unsigned era, enum store_compression compression)
{
	uint64_t last = 0;

	begin(fixture, STORE_DURABLE);
	for (unsigned number = 0; number < count; number++)
		last = append(fixture, number, era, compression);
	commit(fixture);
	return last;
}

static void
train(struct fixture *fixture, enum store_status end)
{
	assert_true(store_is_training_due(fixture->store));
	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_train(fixture->store), STORE_OK);
	store_end(fixture->store, end);
}

static int64_t
ask(struct fixture *fixture, const char *query)
{
	sqlite3_stmt *statement;
	sqlite3 *other;
	int64_t number;

	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, query, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(other);
	return number;
}

static bool
on_content(const struct store_content *content, void *context)
{
	const struct letter *letter = context;

	assert_true(span_equals(content->envelope, buffer_span(&letter->envelope)));
	assert_true(span_equals(content->bodystructure, buffer_span(&letter->structure)));
	assert_true(span_equals(content->body, SPAN("(\"TEXT\" \"PLAIN\")")));
	assert_true(span_equals(content->parts, SPAN("parts")));
	assert_true(span_equals(content->message_id, SPAN("<id@example.org>")));
	assert_true(content->has_preview && span_equals(content->preview, buffer_span(&letter->preview)));
	return true;
}

static bool
on_envelope(const struct store_content *content, void *context)
{
	const struct letter *letter = context;

	assert_true(span_equals(content->envelope, buffer_span(&letter->envelope)));
	assert_int_equal(content->preview.length + content->body.length, 0);
	return true;
}

static bool
on_searchable(size_t place, const struct store_searchable *row, void *context)
{
	const struct letter *letter = context;

	(void)place;
	assert_non_null(row);
	assert_null(row->texts[STORE_SEARCHABLE_SUBJECT].at);
	assert_true(span_equals(row->texts[STORE_SEARCHABLE_FROM], buffer_span(&letter->from)));
	assert_non_null(row->texts[STORE_SEARCHABLE_CC].at);	/* there, and empty */
	assert_int_equal(row->texts[STORE_SEARCHABLE_CC].length, 0);
	return true;
}

/* All of a content comes back. */
static void
assert_whole(struct fixture *fixture, uint64_t id, unsigned number, unsigned era)
{
	struct buffer octets = { 0 };
	struct letter letter;

	letter_init(&letter, number, era);
	assert_int_equal(store_read_octets(fixture->store, id, 0, UINT64_MAX, &octets), STORE_OK);
	assert_true(span_equals(buffer_span(&octets), buffer_span(&letter.octets)));
	buffer_clear(&octets);
	assert_int_equal(store_read_octets(fixture->store, id, letter.header_length + 3, 50, &octets), STORE_OK);
	assert_true(span_equals(buffer_span(&octets), span_slice(buffer_span(&letter.octets), letter.header_length + 3, 50)));
	assert_int_equal(store_content_each(fixture->store, &id, 1, UINT32_MAX, on_content, &letter), STORE_OK);
	assert_int_equal(store_content_each(fixture->store, &id, 1, STORE_CONTENT_ENVELOPE, on_envelope, &letter), STORE_OK);
	assert_int_equal(store_searchable_each(fixture->store, &id, 1, UINT32_MAX, on_searchable, &letter), STORE_OK);
	buffer_free(&octets);
	letter_fini(&letter);
}

static void
test_rows_of_all_kinds(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first, last;

	first = append_letters(fixture, FIRST - 1, 0, STORE_COMPRESSION_ZSTD);
	assert_false(store_is_training_due(fixture->store));
	append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	assert_false(store_is_training_due(fixture->store));
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary WHERE encoding = 16 AND messages = 512 AND through = 512"), 1);
	last = append_letters(fixture, 20, 0, STORE_COMPRESSION_ZSTD);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding = 16"), 40);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM content WHERE encoding = 16"), 20);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM searchable WHERE encoding = 16"), 20);
	/* They are shorter by a third than those that came before. */
	assert_true(3 * ask(fixture, "SELECT avg(length(octets)) FROM chunk WHERE encoding = 16 AND id & 1048575 = 0") <
	    2 * ask(fixture, "SELECT avg(length(octets)) FROM chunk WHERE encoding < 16 AND id & 1048575 = 0"));
	for (int round = 0; round < 3; round++) {
		for (unsigned number = 0; number < 20; number++) {
			assert_whole(fixture, first - FIRST + 2 + number, number, 0);
			assert_whole(fixture, last - 19 + number, number, 0);
		}
		if (round == 0)
			store_shrink(fixture->store);	/* what was loaded is loaded again */
		else
			run_sql(fixture, "SELECT 1");
	}
}

static void
test_nothing_without_compression(void **state)
{
	struct fixture *fixture = *state;
	uint64_t last = append_letters(fixture, 2 * FIRST, 0, STORE_COMPRESSION_NONE);

	assert_false(store_is_training_due(fixture->store));
	assert_whole(fixture, last, 2 * FIRST - 1, 0);
	last = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	last = append_letters(fixture, 1, 0, STORE_COMPRESSION_NONE);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding <> 0 AND id >> 20 = "
	    "(SELECT max(id) FROM content)"), 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM content WHERE encoding NOT NULL "
	    "AND id = (SELECT max(id) FROM content)"), 0);
	assert_whole(fixture, last, 0, 0);
}

/* What is undone is no dictionary, and the number may be that of another one later. */
static void
test_training_undone(void **state)
{
	struct fixture *fixture = *state;
	uint64_t last;

	append_letters(fixture, FIRST, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_LIMIT);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary WHERE encoding >= 16"), 0);
	last = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	assert_whole(fixture, last, 0, 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding >= 16"), 0);
	train(fixture, STORE_OK);
	last = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	assert_whole(fixture, last, 0, 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding >= 16"), 2);
}

/* Ten times as many: another dictionary where mail has become another, and none where it is the same. */
static void
test_training_again(void **state)
{
	struct fixture *fixture = *state;
	uint64_t last;

	append_letters(fixture, FIRST, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	append_letters(fixture, 9 * FIRST - 1, 0, STORE_COMPRESSION_ZSTD);
	assert_false(store_is_training_due(fixture->store));
	append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary WHERE encoding >= 16"), 1);
	assert_int_equal(ask(fixture, "SELECT messages FROM dictionary WHERE encoding = 16"), 10 * FIRST);
	run_sql(fixture, "UPDATE dictionary SET messages = 512, through = 512 WHERE encoding = 16; "
	    "DELETE FROM index_state");
	append_letters(fixture, 12 * FIRST, 1, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary WHERE encoding >= 16"), 2);
	last = append_letters(fixture, 1, 1, STORE_COMPRESSION_ZSTD);
	assert_int_equal(ask(fixture, "SELECT min(encoding) FROM chunk WHERE id >> 20 = (SELECT max(id) FROM content)"), 17);
	assert_whole(fixture, last, 0, 1);
	assert_whole(fixture, FIRST + 1, 0, 0);
}

static bool
on_any(const struct store_content *content, void *context)
{
	(void)content;
	(void)context;
	return true;
}

static void
assert_corrupt(struct fixture *fixture, uint64_t id)
{
	struct buffer octets = { 0 };

	assert_int_equal(store_read_octets(fixture->store, id, 0, UINT64_MAX, &octets), STORE_CORRUPT);
	assert_int_equal(store_content_each(fixture->store, &id, 1, STORE_CONTENT_ENVELOPE, on_any, NULL), STORE_CORRUPT);
	assert_int_equal(store_content_each(fixture->store, &id, 1, STORE_CONTENT_PREVIEW, on_any, NULL), STORE_CORRUPT);
	assert_int_equal(store_verify(fixture->store, STORE_VERIFY_ALL, &octets), STORE_CORRUPT);
	buffer_free(&octets);
}

/* What it was used for is damaged; all else is read, and what comes is written without. */
static void
test_damaged_dictionary(void **state)
{
	static const char *const damages[] = {
		"UPDATE dictionary SET octets = substr(octets, 1, length(octets) - 1) || x'00' WHERE encoding = 16",
		"UPDATE dictionary SET octets = x'' WHERE encoding = 16", "UPDATE dictionary SET sha256 = NULL WHERE encoding = 16",
		"UPDATE dictionary SET octets = x'37a430ec00', sha256 = x'00' WHERE encoding = 16",
		"DELETE FROM dictionary WHERE encoding = 16",
	};
	struct fixture *fixture = *state;
	uint64_t packed, last;

	append_letters(fixture, FIRST, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	packed = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	run_sql(fixture, "CREATE TABLE kept AS SELECT * FROM dictionary");
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		run_sql(fixture, damages[i]);
		assert_corrupt(fixture, packed);
		assert_whole(fixture, packed - 1, FIRST - 1, 0);
		last = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
		assert_whole(fixture, last, 0, 0);
		run_sql(fixture, "DELETE FROM dictionary; INSERT INTO dictionary SELECT * FROM kept");
		assert_whole(fixture, packed, 0, 0);
	}
}

/* Each octet of what is packed: read as it was, or damage, or for a letter of a text another one; never a crash. */
static void
test_damaged_texts(void **state)
{
	static const char *const columns[][2] = { { "content", "envelope" }, { "content", "texts" }, { "searchable", "texts" } };
	struct fixture *fixture = *state;
	struct buffer text = { 0 };
	uint64_t id;

	append_letters(fixture, FIRST, 0, STORE_COMPRESSION_ZSTD);
	train(fixture, STORE_OK);
	id = append_letters(fixture, 1, 0, STORE_COMPRESSION_ZSTD);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		const char *table = columns[i][0], *column = columns[i][1];
		int64_t length;

		buffer_clear(&text);
		buffer_printf(&text, "CREATE TABLE whole%zu AS SELECT %s AS octets FROM %s ORDER BY rowid DESC LIMIT 1", i, column, table);
		run_sql(fixture, buffer_string(&text));
		buffer_clear(&text);
		buffer_printf(&text, "SELECT length(octets) FROM whole%zu", i);
		length = ask(fixture, buffer_string(&text));
		assert_true(length > 20);
		for (int64_t at = 0; at <= length; at++) {
			buffer_clear(&text);
			buffer_printf(&text, "UPDATE %s SET %s = (SELECT CAST(substr(octets, 1, %lld) || x'55' || substr(octets, %lld) AS BLOB) "
			    "FROM whole%zu) WHERE rowid = %llu", table, column, (long long)at, (long long)at + (at % 3 == 0 ? 1 : 2), i,
			    (unsigned long long)id);
			run_sql(fixture, buffer_string(&text));
			store_content_each(fixture->store, &id, 1, UINT32_MAX, on_any, NULL);
			buffer_clear(&text);
			store_verify(fixture->store, STORE_VERIFY_ALL, &text);
		}
		buffer_clear(&text);
		buffer_printf(&text, "UPDATE %s SET %s = (SELECT octets FROM whole%zu) WHERE rowid = %llu", table, column, i,
		    (unsigned long long)id);
		run_sql(fixture, buffer_string(&text));
		assert_whole(fixture, id, 0, 0);
	}
	buffer_free(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows_of_all_kinds),
		TEST(test_nothing_without_compression),
		TEST(test_training_undone),
		TEST(test_training_again),
		TEST(test_damaged_dictionary),
		TEST(test_damaged_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
