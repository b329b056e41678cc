/*
 * Rows that are compressed: all octets come back, from files of any age; what does not pay stays as it is; and what is
 * damaged, or says that it holds more than a row can, is damage and nothing else.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/packed.h"

#define CHUNK STORE_CHUNK_OCTETS
#define HEADER "Return-Path: <ada@example.com>\r\nFrom: Ada <ada@example.com>\r\nTo: demo@example.org\r\n" \
    "Subject: rows\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
#define HEADER_LENGTH (sizeof HEADER - 1)


/* Text that gets shorter, of no short period. */
static void
add_text(struct buffer *out, size_t length)
{
	size_t end = out->length + length;

	for (unsigned i = 0; out->length < end; i++)
		buffer_printf(out, "line %u of a text, %x\r\n", i, i * 2654435761u);
	out->length = end;
}

/* Octets without any order. */
static void
add_noise(struct buffer *out, size_t length, const char *alphabet)
{
	uint64_t state = 88172645463325252u;

	for (size_t i = 0; i < length; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		buffer_add_octet(out, alphabet == NULL ? (uint8_t)state : (uint8_t)alphabet[state % 64]);
	}
}

static uint64_t
append(struct fixture *fixture, struct span body, enum store_compression compression, bool is_packed)
{
	struct span pieces[] = { SPAN(HEADER), body };
	struct store_packed packed = { 0 };
	struct store_arrival arrival = {
		.pieces = pieces,
		.piece_count = 2,
		.header_length = HEADER_LENGTH,
		.compression = compression,
		.packed = is_packed ? &packed : NULL,
	};
	struct store_message message;

	if (is_packed)
		store_pack(body, &packed);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_append(fixture->store, fixture->inbox, &arrival, &message), STORE_OK);
	commit(fixture);
	store_packed_fini(&packed);
	return message.content_id;
}

/* One number of the file, as another program reads it. */
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

static enum store_status
read_range(struct fixture *fixture, uint64_t content_id, uint64_t offset, uint64_t length, struct span expected)
{
	struct buffer octets = { 0 };
	enum store_status status;

	buffer_add_string(&octets, "before");
	status = store_read_octets(fixture->store, content_id, offset, length, &octets);
	if (status == STORE_OK)
		assert_true(span_equals(span_from(buffer_span(&octets), 6), expected));
	else
		assert_int_equal(octets.length, 6);
	buffer_free(&octets);
	return status;
}

static void
assert_ranges(struct fixture *fixture, uint64_t content_id, struct span body)
{
	static const struct { size_t offset, length; } ranges[] = {
		{ 0, SIZE_MAX }, { 0, 1 }, { 1, 1 }, { CHUNK - 1, 2 }, { CHUNK, CHUNK }, { CHUNK - 1, CHUNK + 2 },
		{ 2 * CHUNK, 7 }, { 1000, 3 * CHUNK }, { SIZE_MAX / 2, 1 },
	};
	struct buffer whole = { 0 };

	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		assert_int_equal(read_range(fixture, content_id, HEADER_LENGTH + ranges[i].offset, ranges[i].length,
		    span_slice(body, ranges[i].offset, ranges[i].length)), STORE_OK);
	buffer_add_span(&whole, SPAN(HEADER));
	buffer_add_span(&whole, body);
	assert_int_equal(read_range(fixture, content_id, 0, UINT64_MAX, buffer_span(&whole)), STORE_OK);
	assert_int_equal(read_range(fixture, content_id, 0, HEADER_LENGTH, SPAN(HEADER)), STORE_OK);
	buffer_free(&whole);
}

/* With and without compression, before the transaction and in it, side by side. */
static void
test_all_octets_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 5000, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK + 77 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct buffer text = { 0 }, noise = { 0 };

		add_text(&text, sizes[i]);
		add_noise(&noise, sizes[i], NULL);
		for (int how = 0; how < 3; how++) {
			enum store_compression compression = how == 0 ? STORE_COMPRESSION_NONE : STORE_COMPRESSION_ZSTD;

			assert_ranges(fixture, append(fixture, buffer_span(&text), compression, how == 2),
			    buffer_span(&text));
			assert_ranges(fixture, append(fixture, buffer_span(&noise), compression, how == 2),
			    buffer_span(&noise));
		}
		buffer_free(&text);
		buffer_free(&noise);
	}
}

static void
test_what_pays(void **state)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct fixture *fixture = *state;
	struct buffer body = { 0 };

	append(fixture, SPAN("none\r\n"), STORE_COMPRESSION_NONE, true);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding <> 0"), 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary"), 0);

	/* A header block, and text in rows of its own; noise and base64 as they are. */
	add_text(&body, 2 * CHUNK);
	add_noise(&body, CHUNK, NULL);
	add_noise(&body, CHUNK, base64);
	for (int is_packed = 0; is_packed < 2; is_packed++)
		append(fixture, buffer_span(&body), STORE_COMPRESSION_ZSTD, is_packed);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE id >> 20 = 2 AND (id & 1048575, encoding) "
	    "IN (VALUES (0, 2), (1, 1), (2, 1), (3, 0), (4, 0))"), 5);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk AS a JOIN chunk AS b ON a.id & 1048575 = b.id & 1048575 "
	    "WHERE a.id >> 20 = 2 AND b.id >> 20 = 3 AND a.encoding = b.encoding AND a.octets = b.octets"), 5);
	assert_true(ask(fixture, "SELECT max(length(octets)) FROM chunk WHERE encoding = 1") < CHUNK / 2);
	assert_true(ask(fixture, "SELECT length(octets) FROM chunk WHERE id = 2 << 20") < (int)HEADER_LENGTH / 2);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary WHERE encoding = 2"), 1);
	buffer_free(&body);
}

static void
assert_damaged(struct fixture *fixture, uint64_t id)
{
	struct buffer findings = { 0 };

	assert_int_equal(read_range(fixture, id, 0, UINT64_MAX, SPAN("")), STORE_CORRUPT);
	assert_int_equal(store_verify(fixture->store, STORE_VERIFY_ALL, &findings), STORE_CORRUPT);
	buffer_free(&findings);
}

/* Lines of base64, of octets without any order, or each row of few octets again and again. */
static void
add_base64(struct buffer *out, size_t lines, bool is_noise)
{
	struct buffer letters = { 0 };

	add_noise(&letters, is_noise ? lines * 76 : 760, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	for (size_t i = 0; i < lines; i++) {
		buffer_add_span(out, span_slice(buffer_span(&letters), i * 76 % letters.length, 76));
		buffer_add_string(out, "\r\n");
	}
	buffer_free(&letters);
}

/* An attachment: each row by itself, so that any part is read from the rows that it lies in. */
static void
test_base64(void **state)
{
	struct fixture *fixture = *state;
	struct buffer body = { 0 };
	uint64_t id;

	for (int is_packed = 0; is_packed < 2; is_packed++) {
		buffer_clear(&body);
		buffer_add_string(&body, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		add_base64(&body, 4000, true);
		buffer_add_string(&body, "AA==\r\n--b--\r\n");
		id = append(fixture, buffer_span(&body), STORE_COMPRESSION_ZSTD, is_packed);
		assert_ranges(fixture, id, buffer_span(&body));
	}
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding = 3"), 20);
	assert_true(ask(fixture, "SELECT sum(length(octets)) * 100 / (SELECT sum(size) FROM content) FROM chunk") < 75);
	buffer_clear(&body);
	add_base64(&body, 4000, false);
	id = append(fixture, buffer_span(&body), STORE_COMPRESSION_ZSTD, true);
	assert_ranges(fixture, id, buffer_span(&body));
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chunk WHERE encoding = 4"), 10);
	assert_verified(fixture->store);
	run_sql(fixture, "UPDATE chunk SET octets = CAST(x'00' || substr(octets, 2) AS BLOB) WHERE encoding = 4 AND id & 1048575 = 3");
	assert_damaged(fixture, id);
	run_sql(fixture, "UPDATE chunk SET octets = CAST(substr(octets, 1, 99) || x'00' || substr(octets, 101) AS BLOB) "
	    "WHERE encoding = 3 AND id & 1048575 = 3");
	for (id = 1; id <= 2; id++) {
		struct buffer findings = { 0 }, text = { 0 };

		assert_int_equal(store_verify(fixture->store, STORE_VERIFY_ALL, &findings), STORE_CORRUPT);
		buffer_printf(&text, "octets differ from their digest: id %llu\n", (unsigned long long)id);
		assert_non_null(strstr(buffer_string(&findings), buffer_string(&text)));
		buffer_free(&findings);
		buffer_free(&text);
	}
	store_close(&fixture->store);
	remove_file(fixture->path, "");
	fixture_open(fixture);
	buffer_free(&body);
}

/* What was undone with its transaction comes with the next one. */
static void
test_dictionary_of_a_rollback(void **state)
{
	struct span piece = SPAN(HEADER);
	struct store_arrival arrival = { .pieces = &piece, .piece_count = 1, .header_length = HEADER_LENGTH,
		.compression = STORE_COMPRESSION_ZSTD };
	struct fixture *fixture = *state;

	for (int is_step = 0; is_step < 2; is_step++) {
		begin(fixture, STORE_DURABLE);
		if (is_step)
			assert_int_equal(store_step_begin(fixture->store), STORE_OK);
		assert_int_equal(store_append(fixture->store, fixture->inbox, &arrival, NULL), STORE_OK);
		if (is_step)
			store_step_end(fixture->store, STORE_LIMIT);
		store_end(fixture->store, is_step ? STORE_OK : STORE_LIMIT);
		assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary"), 0);
	}
	append(fixture, SPAN(""), STORE_COMPRESSION_ZSTD, false);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM dictionary"), 1);
}

static void
insert_row(sqlite3 *other, uint64_t id, struct span octets)
{
	sqlite3_stmt *insert;

	assert_int_equal(sqlite3_prepare_v2(other, "INSERT INTO chunk VALUES (?1, 0, ?2)", -1, &insert, NULL), SQLITE_OK);
	sqlite3_bind_int64(insert, 1, (int64_t)id);
	sqlite3_bind_blob64(insert, 2, octets.at, octets.length, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
	sqlite3_finalize(insert);
}

/* Contents of older files lie in rows of 262,144 octets. */
static void
test_older_rows(void **state)
{
	struct fixture *fixture = *state;
	struct buffer body = { 0 };
	struct span octets;
	sqlite3 *other;
	uint64_t id;

	add_noise(&body, 300000, NULL);
	octets = buffer_span(&body);
	id = append(fixture, octets, STORE_COMPRESSION_NONE, false);
	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "DELETE FROM chunk WHERE id & 1048575; "
	    "UPDATE content SET chunk_octets = 262144", NULL, NULL, NULL), SQLITE_OK);
	insert_row(other, id << 20 | 1, span_slice(octets, 0, 262144));
	insert_row(other, id << 20 | 2, span_from(octets, 262144));
	sqlite3_close(other);
	fixture_open(fixture);
	assert_ranges(fixture, id, octets);
	append(fixture, octets, STORE_COMPRESSION_ZSTD, false);	/* beside newer ones */
	assert_ranges(fixture, id + 1, octets);
	buffer_free(&body);
}

/* One bit of a row is another: never other octets. */
static void
test_each_octet_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct buffer body = { 0 }, text = { 0 };
	uint64_t id;

	add_text(&body, 600);
	id = append(fixture, buffer_span(&body), STORE_COMPRESSION_ZSTD, false);
	for (int position = 0; position < 2; position++) {
		int64_t row = (int64_t)(id << 20 | (uint64_t)position), length;

		buffer_clear(&text);
		buffer_printf(&text, "SELECT length(octets) FROM chunk WHERE id = %lld AND encoding > 0", (long long)row);
		length = ask(fixture, buffer_string(&text));
		run_sql(fixture, "CREATE TABLE whole AS SELECT id, octets FROM chunk");
		for (int64_t at = 1; at <= length; at++) {
			buffer_clear(&text);
			buffer_printf(&text, "UPDATE chunk SET octets = CAST(substr(octets, 1, %lld) || "
			    "CASE substr(octets, %lld, 1) WHEN x'55' THEN x'54' ELSE x'55' END || "
			    "substr(octets, %lld) AS BLOB) WHERE id = %lld", (long long)at - 1, (long long)at,
			    (long long)at + 1, (long long)row);
			run_sql(fixture, buffer_string(&text));
			assert_int_equal(read_range(fixture, id, 0, UINT64_MAX, SPAN("")), STORE_CORRUPT);
			run_sql(fixture, "UPDATE chunk SET octets = (SELECT octets FROM whole WHERE whole.id = chunk.id)");
		}
		run_sql(fixture, "DROP TABLE whole");
	}
	assert_ranges(fixture, id, buffer_span(&body));
	buffer_free(&body);
	buffer_free(&text);
}

/* Each is found when it is read, and by verify; none makes the reader hold more than a row. */
static void
test_damage(void **state)
{
	static const char *const damages[] = {
		"UPDATE chunk SET octets = substr(octets, 1, length(octets) - 1) WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET octets = octets || x'00' WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET octets = octets || octets WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET octets = x'' WHERE id = 1 << 20",
		"UPDATE chunk SET octets = x'28b52ffd' WHERE id = 1 << 20",
		"UPDATE chunk SET encoding = 3 WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET encoding = 4 WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET encoding = 3 WHERE id = 1 << 20",
		"UPDATE chunk SET encoding = 5 WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET encoding = 0 WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET encoding = 0 WHERE id = 1 << 20",
		"UPDATE chunk SET encoding = 1 WHERE id = 1 << 20",		/* without its dictionary */
		"UPDATE chunk SET encoding = -1 WHERE id = 1 << 20",
		"UPDATE chunk SET encoding = 4294967296 WHERE id = 1 << 20",	/* 0, if it were cut */
		"DELETE FROM chunk WHERE id = 1 << 20 | 2",
		"DELETE FROM chunk WHERE id = 1 << 20",
		"UPDATE chunk SET id = id + 1 WHERE id = 1 << 20 | 3",
		"UPDATE content SET chunk_octets = 0",
		"UPDATE content SET chunk_octets = 16384",
		"UPDATE content SET chunk_octets = 1 << 30",
		"UPDATE content SET header_length = size + 1",
		/* Frames of 1 GiB, of 2^64 - 1 octets and of a length that is not told: one block of the same octet. */
		"UPDATE chunk SET octets = x'28b52ffda00000004002000000' WHERE id = 1 << 20",
		"UPDATE chunk SET octets = x'28b52ffdc0feffffffffffffff02000000' WHERE id = 1 << 20",
		"UPDATE chunk SET octets = x'28b52ffd004002000861' WHERE id = 1 << 20",
		"UPDATE chunk SET octets = x'28b52ffda00000004002000000' WHERE id = 1 << 20 | 1",
		"UPDATE chunk SET octets = x'502a4d1800000000' WHERE id = 1 << 20",		/* nothing, to be skipped */
	};
	struct fixture *fixture = *state;
	struct buffer body = { 0 };

	add_text(&body, 2 * CHUNK + 5000);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		uint64_t id = append(fixture, buffer_span(&body), STORE_COMPRESSION_ZSTD, false);

		assert_ranges(fixture, id, buffer_span(&body));
		run_sql(fixture, damages[i]);
		assert_damaged(fixture, id);
		store_close(&fixture->store);
		remove_file(fixture->path, "");
		fixture_open(fixture);
	}
	buffer_free(&body);
}

/* What others would read with must be what imapd has read with. */
static void
test_dictionary_is_verified(void **state)
{
	static const char *const damages[] = {
		"UPDATE dictionary SET octets = x'00' || octets", "UPDATE dictionary SET encoding = 1",
		"DELETE FROM dictionary",
	};
	struct fixture *fixture = *state;
	struct buffer findings = { 0 };

	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		append(fixture, SPAN("text\r\n"), STORE_COMPRESSION_ZSTD, false);
		assert_verified(fixture->store);
		run_sql(fixture, damages[i]);
		assert_int_equal(store_verify(fixture->store, STORE_VERIFY_ALL, &findings), STORE_CORRUPT);
		assert_int_equal(read_range(fixture, 1, 0, HEADER_LENGTH, SPAN(HEADER)), STORE_OK);
		store_close(&fixture->store);
		remove_file(fixture->path, "");
		fixture_open(fixture);
	}
	buffer_free(&findings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_octets_come_back),
		TEST(test_what_pays),
		TEST(test_base64),
		TEST(test_dictionary_of_a_rollback),
		TEST(test_older_rows),
		TEST(test_each_octet_damaged),
		TEST(test_damage),
		TEST(test_dictionary_is_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
