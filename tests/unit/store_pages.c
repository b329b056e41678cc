/*
 * A copy of a file page by page while it is written to: what was committed last is what the copy has, and nothing else.
 */
#include <fcntl.h>
#include <sqlite3.h>

#include "store/pages.h"
#include "store_fixture.h"

#define PIECE 16384

struct copy {
	char path[128];
	int descriptor;
	struct store_pages pages;
	unsigned pieces;
};

static void
begin_copy(struct fixture *fixture, struct copy *copy)
{
	*copy = (struct copy){ 0 };
	snprintf(copy->path, sizeof copy->path, "%s/copy.db", fixture->folder);
	copy->descriptor = open(copy->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(copy->descriptor >= 0);
	assert_int_equal(store_pages_begin(fixture->store, &copy->pages), STORE_OK);
}

static void
write_records(struct copy *copy, struct span records)
{
	for (; records.length > 0; records = span_from(records, STORE_PAGE_RECORD)) {
		const uint8_t *at = records.at;
		uint32_t number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];

		assert_true(number > 0);
		assert_int_equal(pwrite(copy->descriptor, at + 4, STORE_PAGE_OCTETS, (off_t)(number - 1) * STORE_PAGE_OCTETS),
		    STORE_PAGE_OCTETS);
	}
}

static bool
copy_piece(struct fixture *fixture, struct copy *copy)
{
	struct buffer records = { 0 };
	bool is_more;

	assert_int_equal(store_pages_read(fixture->store, &copy->pages, PIECE, &records, &is_more), STORE_OK);
	assert_int_equal(records.length % STORE_PAGE_RECORD, 0);
	write_records(copy, buffer_span(&records));
	buffer_free(&records);
	copy->pieces++;
	return is_more;
}

static struct store_snapshot
snapshot_of_copy(struct copy *copy)
{
	struct fixture other = { .arena = arena_new() };
	struct store_snapshot snapshot;

	assert_int_equal(ftruncate(copy->descriptor, (off_t)copy->pages.pages.page_count * STORE_PAGE_OCTETS), 0);
	assert_int_equal(store_open(copy->path, false, &other.store), STORE_OK);
	assert_verified(other.store);
	snapshot = snapshot_of(&other, mailbox_id(&other, "INBOX"));
	assert_int_equal(store_close(&other.store), STORE_OK);
	arena_free(&other.arena);
	return snapshot;
}

static void
end_copy(struct fixture *fixture, struct copy *copy)
{
	struct store_snapshot here = snapshot_of(fixture, fixture->inbox), there = snapshot_of_copy(copy);

	assert_int_equal(here.count, there.count);
	assert_int_equal(here.mailbox.uidnext, there.mailbox.uidnext);
	assert_int_equal(here.mailbox.highest_modseq, there.mailbox.highest_modseq);
	for (size_t i = 0; i < here.count; i++) {
		assert_int_equal(here.messages[i].uid, there.messages[i].uid);
		assert_int_equal(here.messages[i].modseq, there.messages[i].modseq);
	}
	store_snapshot_fini(&here);
	store_snapshot_fini(&there);
	store_pages_end(fixture->store);
	close(copy->descriptor);
	remove_file(copy->path, "");
	remove_file(copy->path, "-wal");
	remove_file(copy->path, "-shm");
}

/* Between any two pieces something is committed; folding and closing the WAL are held back. */
static void
has_what_comes_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;

	append_many(fixture, fixture->inbox, 300);
	begin_copy(fixture, &copy);
	while (copy_piece(fixture, &copy)) {
		if (copy.pieces < 20)
			append_many(fixture, fixture->inbox, 3);
		assert_int_equal(store_fold(fixture->store), STORE_OK);
	}
	assert_true(copy.pieces > 20);
	append_many(fixture, fixture->inbox, 2);
	assert_true(store_pages_left(fixture->store, &copy.pages) > 0);
	while (copy_piece(fixture, &copy))
		;
	assert_int_equal(store_pages_left(fixture->store, &copy.pages), 0);
	end_copy(fixture, &copy);
}

/* What was undone, or is not committed yet, is no part of it. */
static void
lacks_what_was_undone(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;
	struct store_message message;

	append_many(fixture, fixture->inbox, 10);
	begin_copy(fixture, &copy);
	assert_int_equal(store_begin(fixture->store, STORE_DURABLE), STORE_OK);
	for (unsigned i = 0; i < 100; i++)
		try_append(fixture->store, fixture->inbox, i, 100000, 0, &message);
	store_end(fixture->store, STORE_LIMIT);
	while (copy_piece(fixture, &copy))
		;
	end_copy(fixture, &copy);
}

/* A file that was closed meanwhile has another WAL: the copy is void, and says so. */
static void
knows_another_opening(void **state)
{
	struct fixture *fixture = *state;
	struct buffer records = { 0 };
	struct copy copy;
	bool is_more;

	begin_copy(fixture, &copy);
	assert_int_equal(store_close(&fixture->store), STORE_OK);
	fixture_open(fixture);
	assert_int_equal(store_pages_read(fixture->store, &copy.pages, PIECE, &records, &is_more), STORE_NOT_FOUND);
	close(copy.descriptor);
	remove_file(copy.path, "");
	buffer_free(&records);
}

/* Lazy changes are there, and the copy, as the file, says that none can be missing: modseqs do not jump. */
static void
settles(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;

	append_many(fixture, fixture->inbox, 5);
	assert_int_equal(store_begin(fixture->store, STORE_LAZY), STORE_OK);
	assert_int_equal(store_touch(fixture->store), STORE_OK);
	assert_int_equal(store_end(fixture->store, STORE_OK), STORE_OK);
	begin_copy(fixture, &copy);
	assert_int_equal(store_settle(fixture->store), STORE_OK);
	while (copy_piece(fixture, &copy))
		;
	end_copy(fixture, &copy);
}

/* Another program that may write, and so fold the WAL unseen: then there is no copy, until it has gone. */
static void
wants_no_other_writer(void **state)
{
	struct fixture *fixture = *state;
	struct store_pages pages;
	sqlite3 *other;

	append_many(fixture, fixture->inbox, 5);
	assert_int_equal(store_close(&fixture->store), STORE_OK);
	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_open(fixture->path, false, &fixture->store), STORE_OK);
	assert_int_equal(store_pages_begin(fixture->store, &pages), STORE_UNAVAILABLE);
	sqlite3_close(other);
	append_many(fixture, fixture->inbox, 1);
	assert_int_equal(store_pages_begin(fixture->store, &pages), STORE_OK);
	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
	assert_int_not_equal(sqlite3_wal_checkpoint_v2(other, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	store_pages_end(fixture->store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(has_what_comes_meanwhile, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(lacks_what_was_undone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(wants_no_other_writer, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(knows_another_opening, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(settles, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
