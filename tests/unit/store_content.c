/*
 * Contents: every octet comes back, whatever the size; ready-made answers; damage is found.
 */
#include "store_fixture.h"


#define CHUNK STORE_CHUNK_OCTETS

static uint64_t
append_pieces(struct fixture *fixture, struct span octets, size_t header_length, size_t piece_length,
    enum store_compression compression)
{
	size_t count = (octets.length + piece_length - 1) / piece_length;
	struct span *pieces = memory_new_array(count, sizeof *pieces);
	struct store_arrival arrival = {
		.pieces = pieces,
		.piece_count = count,
		.header_length = header_length,
		.compression = compression,
	};
	struct store_message message;

	for (size_t i = 0; i < count; i++)
		pieces[i] = span_slice(octets, i * piece_length, piece_length);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(
	    store_append(fixture->store, fixture->inbox, &arrival, &message), STORE_OK);
	commit(fixture);
	free(pieces);
	return message.content_id;
}

static void
assert_octets(struct fixture *fixture, uint64_t content_id, struct span whole, uint64_t offset,
    uint64_t length)
{
	struct buffer read = { 0 };

	buffer_add_string(&read, "before");
	assert_int_equal(
	    store_read_octets(fixture->store, content_id, offset, length, &read), STORE_OK);
	assert_true(
	    span_equals(span_from(buffer_span(&read), 6), span_slice(whole, offset, length)));
	buffer_free(&read);
}

/* From a message of one octet in the header and a body: at least so many, up to the end of a row, or of what is asked for. */
static void
assert_ahead(struct fixture *fixture, struct span whole, uint64_t id, uint64_t offset, uint64_t least, uint64_t most)
{
	uint64_t expected = most < whole.length - offset ? most : whole.length - offset, end;
	struct buffer read = { 0 };

	for (end = 1; end < offset + least; end += CHUNK)
		continue;
	expected = end - offset < expected ? end - offset : expected;
	buffer_add_string(&read, "before");
	assert_int_equal(store_read_ahead(fixture->store, id, offset, least, most, &read), STORE_OK);
	assert_int_equal(read.length - 6, expected);
	assert_true(span_equals(span_from(buffer_span(&read), 6), span_slice(whole, offset, expected)));
	buffer_free(&read);
}

static void
test_reading_ahead(void **state)
{
	struct fixture *fixture = *state;
	struct buffer octets = { 0 };
	struct span whole;
	uint64_t id;

	make_message(&octets, 3, 3 * CHUNK);
	whole = span_slice(buffer_span(&octets), 21, 3 * CHUNK);
	id = append_pieces(fixture, whole, 1, 1 << 30, STORE_COMPRESSION_ZSTD);
	assert_ahead(fixture, whole, id, 0, 1, UINT64_MAX);
	assert_ahead(fixture, whole, id, 0, 2, UINT64_MAX);
	assert_ahead(fixture, whole, id, 1, CHUNK, UINT64_MAX);
	assert_ahead(fixture, whole, id, 5, CHUNK, UINT64_MAX);
	assert_ahead(fixture, whole, id, 5, CHUNK, CHUNK + 2);
	assert_ahead(fixture, whole, id, CHUNK, 10, 20);
	assert_ahead(fixture, whole, id, 2 * CHUNK, 2 * CHUNK, UINT64_MAX);
	buffer_free(&octets);
}

static void
assert_header(struct fixture *fixture, uint64_t content_id, struct span header)
{
	struct buffer read = { 0 };

	buffer_add_string(&read, "before");
	assert_int_equal(store_read_header(fixture->store, content_id, &read), STORE_OK);
	assert_true(span_equals(span_from(buffer_span(&read), 6), header));
	buffer_free(&read);
}

static void
test_octets(void **state)
{
	static const struct { size_t header, body; } cases[] = {
		{ 40, 0 }, { 2, 40 }, { 1, 1 }, { 40, CHUNK - 1 }, { 40, CHUNK }, { 40, CHUNK + 1 },
		{ CHUNK, CHUNK }, { CHUNK + 1, 5 }, { 3 * CHUNK - 1, 2 * CHUNK + 7 },
	};
	static const size_t piece_lengths[] = { 1 << 30, 1000, CHUNK + 100 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t header = cases[i].header, size = header + cases[i].body;
		struct buffer octets = { 0 };
		struct span whole;

		make_message(&octets, i, size);
		whole = span_slice(buffer_span(&octets), 21, size);
		for (size_t j = 0; j < COUNT_OF(piece_lengths); j++) {
			uint64_t id = append_pieces(fixture, whole, header, piece_lengths[j],
			    (i + j) % 2 == 0 ? STORE_COMPRESSION_NONE : STORE_COMPRESSION_ZSTD);

			assert_octets(fixture, id, whole, 0, UINT64_MAX);
			assert_octets(fixture, id, whole, 0, header);
			assert_header(fixture, id, span_slice(whole, 0, header));
			assert_octets(fixture, id, whole, header, size);
			assert_octets(fixture, id, whole, header + CHUNK - 1, 2);
			assert_octets(fixture, id, whole, size - 1, 5);
			assert_octets(fixture, id, whole, size, 1);
			assert_octets(fixture, id, whole, UINT64_MAX, UINT64_MAX);
		}
		buffer_free(&octets);
	}
}

static bool
on_content(const struct store_content *content, void *context)
{
	unsigned *fields = context;

	assert_true(span_equals(
	    content->envelope, (*fields & STORE_CONTENT_ENVELOPE) ? SPAN("(envelope)") : SPAN("")));
	assert_true(
	    span_equals(content->body, (*fields & STORE_CONTENT_BODY) ? SPAN("(body)") : SPAN("")));
	assert_true(span_equals(content->bodystructure,
	    (*fields & STORE_CONTENT_BODYSTRUCTURE) ? SPAN("(bodystructure)") : SPAN("")));
	assert_true(span_equals(
	    content->parts, (*fields & STORE_CONTENT_PARTS) ? SPAN("parts") : SPAN("")));
	assert_true(span_equals(content->message_id,
	    (*fields & STORE_CONTENT_MESSAGE_ID) ? SPAN("<1@example.org>") : SPAN("")));
	assert_int_equal(content->size - content->header_length, 100);
	assert_false(content->has_sent_date);
	return true;
}

static bool
on_first(const struct store_content *content, void *context)
{
	*(uint64_t *)context = content->id;
	return false;
}

static void
test_fields(void **state)
{
	struct fixture *fixture = *state;
	struct store_snapshot snapshot;
	uint64_t ids[3], seen = 0;

	append_many(fixture, fixture->inbox, 2);
	snapshot = snapshot_of(fixture, fixture->inbox);
	ids[0] = snapshot.messages[1].content_id;
	ids[1] = snapshot.messages[0].content_id;
	ids[2] = 12345;
	for (unsigned fields = 0; fields < 32; fields++)
		assert_int_equal(
		    store_content_each(fixture->store, ids, 2, fields, on_content, &fields),
		    STORE_OK);
	assert_int_equal(store_content_each(fixture->store, ids, 3, 0, on_first, &seen), STORE_OK);
	assert_int_equal(seen, ids[0]);
	assert_int_equal(
	    store_content_each(fixture->store, &ids[2], 1, 0, on_first, &seen), STORE_NOT_FOUND);
	store_snapshot_fini(&snapshot);
}

static bool
on_dated(const struct store_content *content, void *context)
{
	assert_true(content->has_sent_date);
	assert_int_equal(content->sent_s, -5);
	assert_int_equal(content->sent_day, -1);
	assert_true(content->digest.is_checksum);
	assert_int_equal(content->digest.checksum, UINT64_C(0xd4d7b9f6bd4fbfcf));	/* RFC 4418, of "abc" */
	*(bool *)context = true;
	return true;
}

static void
test_dates_and_digest(void **state)
{
	struct fixture *fixture = *state;
	struct span pieces[] = { SPAN("a"), SPAN(""), SPAN("bc") };
	struct store_arrival arrival = { .pieces = pieces,
		.piece_count = 3,
		.header_length = 3,
		.has_sent_date = true,
		.sent_s = -5,
		.sent_day = -1 };
	struct store_message message;
	bool is_seen = false;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(
	    store_append(fixture->store, fixture->inbox, &arrival, &message), STORE_OK);
	commit(fixture);
	assert_int_equal(
	    store_content_each(fixture->store, &message.content_id, 1, STORE_CONTENT_DIGEST, on_dated, &is_seen),
	    STORE_OK);
	assert_true(is_seen);
}

static void
test_purge_in_steps(void **state)
{
	struct fixture *fixture = *state;
	uint32_t uids[10], expunged[10];
	uint64_t modseq;
	size_t count;
	bool is_more = true;
	int steps;

	append_many(fixture, fixture->inbox, 10);
	for (uint32_t i = 0; i < 10; i++)
		uids[i] = i + 1;
	begin(fixture, STORE_DURABLE);
	assert_int_equal(
	    store_expunge(fixture->store, fixture->inbox, uids, 10, NULL, expunged, &count, &modseq),
	    STORE_OK);
	commit(fixture);
	for (steps = 0; is_more; steps++) {
		begin(fixture, STORE_LAZY);
		assert_int_equal(store_purge(fixture->store, 4, 300, &is_more), STORE_OK);
		commit(fixture);
		assert_verified(fixture->store);
	}
	assert_int_equal(steps, 5);	/* 122 octets each: two in a step */
}

/* What someone else did to the file must be found, and must not be served. */
static void
test_damage_is_found(void **state)
{
	static const char *const damages[] = {
		"UPDATE mailbox SET unseen = unseen + 1 WHERE name = 'INBOX'",
		"UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'",
		"DELETE FROM message WHERE uid = 2",
		"DELETE FROM content WHERE id = 2",
		"DELETE FROM chunk WHERE id = 2 << 20",
		"UPDATE chunk SET octets = zeroblob(length(octets)) WHERE id = 2 << 20 | 1",
		"UPDATE content SET size = size + 1 WHERE id = 1",
		"UPDATE content SET checksum = checksum + 1 WHERE id = 1",
		"UPDATE content SET sha256 = zeroblob(32) WHERE id = 1",
		"UPDATE content SET checksum = NULL WHERE id = 1",
		"INSERT INTO shared VALUES (1, 1)",
		"INSERT INTO garbage VALUES (1)",
		"INSERT INTO expunged VALUES (1, 2, 1, 9, 0)",
		"INSERT INTO expunged VALUES (1, 99, 8, 9, 0)",
	};
	struct fixture *fixture = *state;
	struct buffer findings = { 0 };

	append_many(fixture, fixture->inbox, 3);
	assert_verified(fixture->store);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		run_sql(fixture, damages[i]);
		assert_int_equal(
		    store_verify(fixture->store, STORE_VERIFY_ALL, &findings), STORE_CORRUPT);
		store_close(&fixture->store);
		remove_file(fixture->path, "");
		fixture_open(fixture);
		append_many(fixture, fixture->inbox, 3);
	}
	buffer_free(&findings);
}

/* A content that came in before there were checksums is looked at by its SHA-256. */
static void
test_older_digest(void **state)
{
	struct fixture *fixture = *state;
	struct buffer octets = { 0 }, text = { 0 };
	uint8_t digest[DIGEST_LENGTH];

	append_many(fixture, fixture->inbox, 1);
	make_message(&octets, 1, 100);
	digest_sha256(buffer_span(&octets), digest);
	buffer_add_string(&text, "UPDATE content SET checksum = NULL, sha256 = x'");
	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		buffer_printf(&text, "%02x", digest[i]);
	buffer_add_string(&text, "'");
	run_sql(fixture, buffer_string(&text));
	assert_verified(fixture->store);
	buffer_free(&octets);
	buffer_free(&text);
}

static void
assert_next_id(struct fixture *fixture, uint64_t expected)
{
	struct store_message message;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 100, 0, &message), STORE_OK);
	commit(fixture);
	assert_int_equal(message.content_id, expected);
}

/* Ids follow each other, over closing, too; and what was undone takes none that was given. */
static void
test_ids(void **state)
{
	struct fixture *fixture = *state;
	struct store_message message;

	for (uint64_t id = 1; id <= 40; id++)
		assert_next_id(fixture, id);
	assert_int_equal(store_close(&fixture->store), STORE_OK);
	fixture_open(fixture);
	assert_next_id(fixture, 41);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 100, 0, &message), STORE_OK);
	assert_int_equal(message.content_id, 42);
	assert_int_equal(store_end(fixture->store, STORE_LIMIT), STORE_LIMIT);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 100, 0, &message), STORE_OK);
	commit(fixture);
	assert_true(message.content_id > 41);
	assert_next_id(fixture, message.content_id + 1);
}

static void
test_damage_is_not_served(void **state)
{
	struct fixture *fixture = *state;
	struct buffer octets = { 0 };

	append_many(fixture, fixture->inbox, 1);
	run_sql(fixture, "UPDATE chunk SET octets = substr(octets, 2) WHERE id & 1");
	assert_int_equal(
	    store_read_octets(fixture->store, 1, 0, UINT64_MAX, &octets), STORE_CORRUPT);
	assert_int_equal(octets.length, 0);
	run_sql(fixture, "DELETE FROM chunk; DELETE FROM content; DELETE FROM message; "
	    "UPDATE mailbox SET messages = 0, unseen = 0, size = 0");
	buffer_free(&octets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_octets),
		TEST(test_reading_ahead),
		TEST(test_fields),
		TEST(test_dates_and_digest),
		TEST(test_purge_in_steps),
		TEST(test_damage_is_found),
		TEST(test_damage_is_not_served),
		TEST(test_older_digest),
		TEST(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
