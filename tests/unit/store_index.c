/*
 * The index of texts: what was put into it is found, through all its changes of shape.
 */
#include <sqlite3.h>

#include "base/clock.h"
#include "mime/signature.h"
#include "store/index.h"
#include "store_fixture.h"

#define VERSION_OF_TEST 7
#define MANY		2200	/* contents, one in each slot: more than a large block has */

/* The text of a content: some that all have, and some of its own. */
static struct span
text_of(uint64_t content_id, unsigned place, char out[64])
{
	snprintf(out, 64, "%s %010u", place == 0 ? "SUBJECT" : "BODY OF", (uint32_t)content_id * 2654435761u);
	return span_from_string(out);
}

static void
add_text(struct store_indexing *indexing, unsigned place, uint64_t content_id, struct span text)
{
	mime_signature_add((struct mime_signature *)indexing->open[place].bits, text);
	indexing->open[place].octets += (uint32_t)text.length;
	store_indexing_note(indexing, place, content_id);
}

/* Index up to so many contents in one transaction; each slot takes some. */
static unsigned
index_some(struct fixture *fixture, unsigned most, unsigned contents_in_slot)
{
	struct store *store = fixture->store;
	struct store_indexing indexing;
	uint64_t content_id;
	unsigned count = 0;
	char text[64];

	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_indexing_begin(store, VERSION_OF_TEST, &indexing), STORE_OK);
	while (count < most && store_indexing_next(store, &indexing, &content_id) == STORE_OK) {
		for (unsigned place = 0; place < STORE_INDEX_TEXTS; place++) {
			add_text(&indexing, place, content_id, text_of(content_id, place, text));
			if (indexing.open[place].octets >= contents_in_slot * 18)
				assert_int_equal(store_indexing_close(store, &indexing, place), STORE_OK);
		}
		assert_int_equal(store_indexing_done(store, &indexing, content_id), STORE_OK);
		count++;
	}
	assert_int_equal(store_indexing_end(store, &indexing), STORE_OK);
	store_indexing_fini(&indexing);
	commit(fixture);
	return count;
}

static bool
tend_once(struct fixture *fixture)
{
	bool is_more;

	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_index_tend(fixture->store, &is_more), STORE_OK);
	commit(fixture);
	return is_more;
}

static void
tend(struct fixture *fixture)
{
	while (tend_once(fixture))
		;
}

static void
assert_index_verified(struct fixture *fixture, bool is_whole)
{
	struct buffer findings = { 0 };
	enum store_status status;
	struct store_index_place place = { .block_id = 0 };

	while ((status = store_index_verify(fixture->store, &place, &findings)) == STORE_OK)
		;
	assert_int_equal(status, STORE_NOT_FOUND);
	assert_int_equal(findings.length == 0, is_whole);
	buffer_free(&findings);
}

/* Find, in as many slices as there are blocks, with some work on the index between them. */
static struct store_candidates
find_slowly(struct fixture *fixture, unsigned texts, struct span key, bool tends)
{
	struct store_index_cursor cursor = { .version = VERSION_OF_TEST };
	struct store_candidates found = { 0 };
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	size_t count = mime_signature_key(key, buckets);
	bool is_whole = false;

	while (!is_whole) {
		assert_int_equal(store_index_find(fixture->store, texts, buckets, count, 0, &cursor, &found, &is_whole),
		    STORE_OK);
		if (tends)
			tend_once(fixture);
	}
	for (size_t i = 1; i < found.count; i++)
		assert_true(found.ids[i - 1] < found.ids[i]);
	return found;
}

static bool
is_candidate(const struct store_candidates *found, uint64_t content_id)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->ids[i] == content_id)
			return true;
	return content_id > found->indexed_through;
}

/* Each content is a candidate for its own text, and few others are. */
static void
assert_found(struct fixture *fixture, uint64_t content_id, size_t most)
{
	for (unsigned place = 0; place < STORE_INDEX_TEXTS; place++) {
		char text[64];
		struct span key = text_of(content_id, place, text);
		struct store_candidates found = find_slowly(fixture, 1u << place, key, false);

		assert_true(is_candidate(&found, content_id));
		assert_in_range(found.count, 0, most);
		store_candidates_fini(&found);
		found = find_slowly(fixture, STORE_INDEX_HEADER | STORE_INDEX_BODY, key, false);
		assert_true(is_candidate(&found, content_id));
		store_candidates_fini(&found);
		found = find_slowly(fixture, 1u << !place, key, false);	/* the other kind of text has no such word */
		assert_int_equal(is_candidate(&found, content_id), content_id > found.indexed_through);
		store_candidates_fini(&found);
	}
}

static void
starts_with_everything(void **state)
{
	struct fixture *fixture = *state;
	struct store_candidates found;

	append_many(fixture, fixture->inbox, 3);
	found = find_slowly(fixture, STORE_INDEX_BODY, SPAN("BODY"), false);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.indexed_through, 0);
	assert_int_equal(index_some(fixture, 2, 10), 2);
	assert_true(store_index_backlog(fixture->store) > 0);
	found = find_slowly(fixture, STORE_INDEX_BODY, SPAN("BODY OF"), false);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.indexed_through, found.ids[1]);
	store_candidates_fini(&found);
	found = find_slowly(fixture, STORE_INDEX_BODY, SPAN("BO"), false);	/* has no buckets */
	assert_int_equal(found.count, 0);
	assert_int_equal(found.indexed_through, 0);
	assert_int_equal(index_some(fixture, 10, 10), 1);
	assert_int_equal(index_some(fixture, 10, 10), 0);
	tend(fixture);
	found = find_slowly(fixture, STORE_INDEX_BODY, SPAN("ABSENT"), false);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.indexed_through, 3);
	assert_int_equal(store_index_backlog(fixture->store), 0);
	store_candidates_fini(&found);
}

static void
finds_in_blocks_of_each_width(void **state)
{
	struct fixture *fixture = *state;
	struct store_index_figures figures;

	append_many(fixture, fixture->inbox, MANY);
	index_some(fixture, 63, 1);
	assert_false(tend_once(fixture));	/* one is lacking */
	index_some(fixture, 1, 1);
	tend(fixture);
	assert_int_equal(store_index_measure(fixture->store, &figures), STORE_OK);
	assert_int_equal(figures.blocks, 2);
	assert_int_equal(figures.slots, 128);
	index_some(fixture, MANY, 1);
	tend(fixture);
	assert_int_equal(store_index_measure(fixture->store, &figures), STORE_OK);
	assert_int_equal(figures.slots, 2 * MANY);
	assert_int_equal(figures.blocks, 2 * (1 + (MANY - 2048) / 64 + MANY % 64));
	assert_int_equal(figures.indexed, MANY);
	assert_index_verified(fixture, true);
	for (uint64_t id = 1; id <= MANY; id += id < 2040 ? 97 : 1)
		assert_found(fixture, id, 20);
}

/* Contents are found, too, when blocks become others while somebody looks. */
static void
finds_while_blocks_change(void **state)
{
	struct fixture *fixture = *state;
	struct store_candidates found;
	char text[64];

	append_many(fixture, fixture->inbox, MANY);
	for (unsigned last = 0; last < MANY; last += 200) {
		index_some(fixture, 200, 1);
		for (uint64_t id = 1; id <= last; id += 71) {
			found = find_slowly(fixture, STORE_INDEX_BODY, text_of(id, 1, text), true);
			assert_true(is_candidate(&found, id));
			store_candidates_fini(&found);
		}
	}
}

static void
expunge(struct fixture *fixture, uint32_t first, uint32_t last)
{
	uint32_t *uids = memory_new_array(last - first + 1, sizeof *uids), *expunged;
	uint64_t modseq;
	size_t count;
	bool is_more = true;

	expunged = memory_new_array(last - first + 1, sizeof *expunged);
	for (uint32_t uid = first; uid <= last; uid++)
		uids[uid - first] = uid;
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, uids, last - first + 1, NULL, expunged, &count, &modseq),
	    STORE_OK);
	while (is_more)
		assert_int_equal(store_purge(fixture->store, 200, UINT64_MAX, &is_more), STORE_OK);
	commit(fixture);
	free(uids);
	free(expunged);
}

/* A block of which little is left goes, and what was in it is found all the same. */
static void
gives_up_what_is_mostly_gone(void **state)
{
	struct fixture *fixture = *state;
	struct store_index_figures figures;
	struct store_candidates found;
	char text[64];

	append_many(fixture, fixture->inbox, 2100);
	index_some(fixture, 2100, 1);
	tend(fixture);
	expunge(fixture, 1, 1500);
	tend(fixture);
	assert_int_equal(store_index_measure(fixture->store, &figures), STORE_OK);
	assert_int_equal(figures.slots, 2 * 2100);	/* more than a quarter is left */
	expunge(fixture, 1501, 1900);
	tend(fixture);
	found = find_slowly(fixture, STORE_INDEX_BODY, text_of(2000, 1, text), false);
	assert_true(is_candidate(&found, 2000));
	assert_int_equal(found.indexed_through, 2100);
	store_candidates_fini(&found);
	assert_int_equal(index_some(fixture, 2100, 1), 148);
	tend(fixture);
	assert_int_equal(store_index_measure(fixture->store, &figures), STORE_OK);
	assert_int_equal(figures.slots, 2 * 200);
	for (uint64_t id = 1901; id <= 2100; id += 9)
		assert_found(fixture, id, 20);
	expunge(fixture, 1901, 2100);
	tend(fixture);
	assert_int_equal(store_index_measure(fixture->store, &figures), STORE_OK);
	assert_int_equal(figures.blocks, 0);
	assert_index_verified(fixture, true);
}

/* Somebody who looks misses nothing when contents go from a block that was not looked at to a slot that was. */
static void
begins_anew_when_contents_have_moved(void **state)
{
	struct fixture *fixture = *state;
	struct store_index_cursor cursor = { .version = VERSION_OF_TEST };
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	struct store_candidates found = { 0 };
	bool is_whole = false;
	char text[64];
	size_t count;

	append_many(fixture, fixture->inbox, 66);
	index_some(fixture, 64, 1);
	assert_int_equal(index_some(fixture, 1, 100), 1);	/* slots that stay open, with lower ids than the block's */
	tend(fixture);
	count = mime_signature_key(text_of(64, 1, text), buckets);
	assert_int_equal(store_index_find(fixture->store, STORE_INDEX_BODY, buckets, count, 0, &cursor, &found, &is_whole),
	    STORE_OK);
	assert_false(is_whole);
	expunge(fixture, 1, 63);
	tend(fixture);
	assert_int_equal(index_some(fixture, 10, 100), 2);
	while (!is_whole)
		assert_int_equal(store_index_find(fixture->store, STORE_INDEX_BODY, buckets, count, 0, &cursor, &found,
		    &is_whole), STORE_OK);
	assert_true(is_candidate(&found, 64));
	assert_true(is_candidate(&found, 66));
	store_candidates_fini(&found);
}

static int64_t
ask(struct fixture *fixture, const char *text)
{
	sqlite3_stmt *statement;
	int64_t number = -1;
	sqlite3 *file;

	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &file), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(file, text, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(file);
	fixture_open(fixture);
	return number;
}

/* An index of another version is not used, and goes in slices. */
static void
is_made_anew_for_another_version(void **state)
{
	struct fixture *fixture = *state;
	struct store_index_cursor cursor = { .version = VERSION_OF_TEST + 1 };
	struct store_candidates found = { 0 };
	struct store_indexing indexing;
	bool is_whole;

	append_many(fixture, fixture->inbox, 200);
	index_some(fixture, 200, 1);
	tend(fixture);
	assert_int_equal(store_index_find(fixture->store, STORE_INDEX_BODY, (uint16_t[]){ 1 }, 1, UINT64_MAX, &cursor, &found,
	    &is_whole), STORE_OK);
	assert_true(is_whole);
	assert_int_equal(found.indexed_through, 0);
	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_indexing_begin(fixture->store, VERSION_OF_TEST + 1, &indexing), STORE_OK);
	assert_int_equal(indexing.indexed_through, 0);
	store_indexing_fini(&indexing);
	commit(fixture);
	tend(fixture);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM index_row"), 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM index_slots"), 0);
	assert_int_equal(index_some(fixture, 1000, 3), 200);
	assert_found(fixture, 150, 20);
	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_index_drop(fixture->store), STORE_OK);
	commit(fixture);
	assert_true(store_index_backlog(fixture->store) >= 200);
	assert_int_equal(index_some(fixture, 1000, 3), 200);
	tend(fixture);
	assert_found(fixture, 150, 20);
	assert_index_verified(fixture, true);
}

/* What was not committed is not indexed; what was, is there after the file is opened again. */
static void
is_as_far_as_it_was_committed(void **state)
{
	struct fixture *fixture = *state;
	struct store_indexing indexing;
	uint64_t content_id;

	append_many(fixture, fixture->inbox, 10);
	index_some(fixture, 5, 100);
	begin(fixture, STORE_DERIVED);
	assert_int_equal(store_indexing_begin(fixture->store, VERSION_OF_TEST, &indexing), STORE_OK);
	assert_int_equal(store_indexing_next(fixture->store, &indexing, &content_id), STORE_OK);
	assert_int_equal(content_id, 6);
	assert_int_equal(store_indexing_done(fixture->store, &indexing, content_id), STORE_OK);
	assert_int_equal(store_indexing_end(fixture->store, &indexing), STORE_OK);
	store_indexing_fini(&indexing);
	assert_int_equal(store_end(fixture->store, STORE_LIMIT), STORE_LIMIT);
	store_close(&fixture->store);
	fixture_open(fixture);
	assert_true(store_index_backlog(fixture->store) >= 5);
	for (uint64_t id = 1; id <= 10; id++)
		assert_found(fixture, id, 5);
	assert_int_equal(index_some(fixture, 100, 100), 5);
	for (uint64_t id = 1; id <= 10; id++)
		assert_found(fixture, id, 10);
}

/* Nothing that is damaged says that a content has not what it has. */
static void
excludes_nothing_when_damaged(void **state)
{
	static const char *const damages[] = {
		"DELETE FROM index_row WHERE id IN (SELECT id FROM index_row LIMIT 300)",
		"UPDATE index_row SET octets = x'00' WHERE id IN (SELECT id FROM index_row LIMIT 300)",
		"UPDATE index_slots SET contents = substr(contents, 1, 20)",
		"DELETE FROM index_slots",
	};
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, 130);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		begin(fixture, STORE_DERIVED);
		assert_int_equal(store_index_drop(fixture->store), STORE_OK);
		commit(fixture);
		tend(fixture);
		assert_int_equal(index_some(fixture, 1000, 1), 130);
		tend(fixture);
		assert_index_verified(fixture, true);
		ask(fixture, damages[i]);
		assert_index_verified(fixture, false);
		for (uint64_t id = 1; id <= 130; id += 3) {
			char text[64];
			struct store_candidates found = find_slowly(fixture, STORE_INDEX_BODY, text_of(id, 1, text), false);

			assert_true(is_candidate(&found, id));
			store_candidates_fini(&found);
		}
	}
}

static void
says_what_holds_a_content(void **state)
{
	struct fixture *fixture = *state;
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	bool holds;
	char text[64];
	size_t count;

	append_many(fixture, fixture->inbox, 70);
	index_some(fixture, 70, 1);
	tend(fixture);
	count = mime_signature_key(text_of(12, 1, text), buckets);
	assert_int_equal(store_index_holds(fixture->store, STORE_INDEX_BODY, 12, buckets, count, &holds), STORE_OK);
	assert_true(holds);
	assert_int_equal(store_index_holds(fixture->store, STORE_INDEX_BODY, 45, buckets, count, &holds), STORE_OK);
	assert_false(holds);
	assert_int_equal(store_index_holds(fixture->store, STORE_INDEX_HEADER, 12, buckets, count, &holds), STORE_OK);
	assert_false(holds);
	assert_int_equal(store_index_holds(fixture->store, STORE_INDEX_BODY, 70, buckets, 0, &holds), STORE_OK);
	assert_true(holds);
	assert_int_equal(store_index_holds(fixture->store, STORE_INDEX_BODY, 71, buckets, 0, &holds), STORE_OK);
	assert_false(holds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_with_everything, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(finds_in_blocks_of_each_width, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(finds_while_blocks_change, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(gives_up_what_is_mostly_gone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(begins_anew_when_contents_have_moved, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(is_made_anew_for_another_version, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(is_as_far_as_it_was_committed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(excludes_nothing_when_damaged, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(says_what_holds_a_content, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
