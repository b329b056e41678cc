/*
 * Images of a file that is written to meanwhile: each is what the file was at one moment, whatever is committed, folded,
 * undone, closed or cut short in between.
 */
#include <sys/stat.h>

#include <fcntl.h>

#include "store/image.h"
#include "store_fixture.h"

#define PIECE 16384

/* Where an image is put together, as who asks for it does. */
struct copy {
	char folder[64], path[96];
	int descriptor;
	unsigned pieces;
	struct store_image *image;
	struct store_image_piece piece;
};

static void
copy_begin(struct copy *copy)
{
	*copy = (struct copy){ .image = store_image_new() };
	folder_make(copy->folder, sizeof copy->folder, "imapd-image");
	snprintf(copy->path, sizeof copy->path, "%s/mail.db", copy->folder);
	copy->descriptor = open(copy->path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(copy->descriptor >= 0);
}

static void
copy_next(struct fixture *fixture, struct copy *copy)
{
	struct store_image_piece *piece = &copy->piece;

	buffer_clear(&piece->octets);
	assert_int_equal(store_image_next(fixture->store, copy->image, PIECE, piece), STORE_OK);
	assert_true(piece->octets.length <= PIECE);
	assert_int_equal(pwrite(copy->descriptor, piece->octets.at == NULL ? "" : (const char *)piece->octets.at,
	    piece->octets.length, (off_t)piece->offset), piece->octets.length);
	if (piece->is_whole)
		assert_int_equal(ftruncate(copy->descriptor, (off_t)piece->size), 0);
	copy->pieces++;
}

static void
copy_rest(struct fixture *fixture, struct copy *copy)
{
	do
		copy_next(fixture, copy);
	while (!copy->piece.is_whole);
}

/* What stands in the copy; it is verified as any file is. */
static uint64_t
copy_messages(struct copy *copy)
{
	struct store_mailbox mailbox;
	struct store *store;
	struct arena *arena = arena_new();

	assert_int_equal(store_open(copy->path, false, &store), STORE_OK);
	assert_verified(store);
	assert_int_equal(store_mailbox_find(store, SPAN("INBOX"), arena, &mailbox), STORE_OK);
	assert_int_equal(store_close(&store), STORE_OK);
	arena_free(&arena);
	return mailbox.messages;
}

static void
copy_end(struct copy *copy)
{
	store_image_end(copy->image);
	store_image_free(&copy->image);
	buffer_free(&copy->piece.octets);
	close(copy->descriptor);
	remove_file(copy->path, "");
	assert_int_equal(rmdir(copy->folder), 0);
}

static void
append_some(struct fixture *fixture, unsigned first, unsigned count, size_t size)
{
	struct store_message message;

	assert_int_equal(store_begin(fixture->store, STORE_DURABLE), STORE_OK);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(try_append(fixture->store, fixture->inbox, first + i, size, 0, &message), STORE_OK);
	assert_int_equal(store_end(fixture->store, STORE_OK), STORE_OK);
}

static void
test_quiet_file(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;

	append_some(fixture, 1, 50, 5000);
	copy_begin(&copy);
	copy_rest(fixture, &copy);
	assert_true(copy.piece.is_newest);
	assert_true(copy.pieces > 3);
	assert_int_equal(copy_messages(&copy), 50);
	copy_end(&copy);
}

/* What comes and is not folded meanwhile is not in the copy, and the next round brings it by little. */
static void
test_delta(void **state)
{
	struct fixture *fixture = *state;
	unsigned pieces;
	struct copy copy;

	append_some(fixture, 1, 200, 5000);
	copy_begin(&copy);
	copy_next(fixture, &copy);
	append_some(fixture, 1000, 3, 5000);
	copy_rest(fixture, &copy);
	assert_int_equal(copy_messages(&copy), 200);
	pieces = copy.pieces;
	copy_rest(fixture, &copy);
	assert_true(copy.pieces - pieces < pieces / 2);
	assert_int_equal(copy_messages(&copy), 203);
	copy_rest(fixture, &copy);
	assert_int_equal(copy_messages(&copy), 203);
	copy_end(&copy);
}

/* Folded at every moment: what was given before is due again. */
static void
test_folded_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	unsigned given = 100;
	struct copy copy;

	append_some(fixture, 1, given, 5000);
	copy_begin(&copy);
	for (int i = 0; i < 20; i++) {
		copy_next(fixture, &copy);
		append_some(fixture, 1000 + given, 2, 3000);
		given += 2;
		assert_int_equal(store_fold(fixture->store), STORE_OK);
	}
	copy_rest(fixture, &copy);
	assert_int_equal(copy_messages(&copy), given);
	copy_end(&copy);
}

/* The file is closed, and opened anew: it begins again, and the copy is whole. */
static void
test_closed_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;

	append_some(fixture, 1, 100, 5000);
	copy_begin(&copy);
	copy_next(fixture, &copy);
	copy_next(fixture, &copy);
	run_sql(fixture, "CREATE TABLE unknown (a); INSERT INTO unknown VALUES (randomblob(100000)); DROP TABLE unknown");
	append_some(fixture, 1000, 7, 5000);
	copy_rest(fixture, &copy);
	assert_int_equal(copy_messages(&copy), 107);
	copy_end(&copy);
}

/* A file that is closed again and again is not waited for without end. */
static void
test_closed_always(void **state)
{
	struct fixture *fixture = *state;
	enum store_status status = STORE_OK;
	struct copy copy;
	int i;

	append_some(fixture, 1, 20, 5000);
	copy_begin(&copy);
	for (i = 0; i < 100 && status == STORE_OK; i++) {
		buffer_clear(&copy.piece.octets);
		status = store_image_next(fixture->store, copy.image, PIECE, &copy.piece);
		assert_int_equal(store_close(&fixture->store), STORE_OK);
		fixture_open(fixture);
	}
	assert_int_equal(status, STORE_LIMIT);
	copy_end(&copy);
}

/* A program that reads an older state holds the folding up: the copy is that state, whole, and says so. */
static void
test_foreign_reader(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *other;
	struct copy copy;

	append_some(fixture, 1, 30, 5000);
	assert_int_equal(store_fold(fixture->store), STORE_OK);
	assert_int_equal(sqlite3_open_v2(fixture->path, &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM message", NULL, NULL, NULL), SQLITE_OK);
	append_some(fixture, 1000, 5, 5000);
	copy_begin(&copy);
	copy_rest(fixture, &copy);
	assert_false(copy.piece.is_newest);
	assert_int_equal(copy_messages(&copy), 30);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	copy_rest(fixture, &copy);
	assert_true(copy.piece.is_newest);
	assert_int_equal(copy_messages(&copy), 35);
	copy_end(&copy);
}

/* Two at a time do not know of each other. */
static void
test_two(void **state)
{
	struct fixture *fixture = *state;
	struct copy one, other;

	append_some(fixture, 1, 60, 5000);
	copy_begin(&one);
	copy_begin(&other);
	copy_next(fixture, &one);
	copy_next(fixture, &other);
	copy_next(fixture, &other);
	append_some(fixture, 1000, 4, 5000);
	assert_int_equal(store_fold(fixture->store), STORE_OK);
	copy_rest(fixture, &one);
	assert_int_equal(copy_messages(&one), 64);
	copy_end(&one);
	copy_rest(fixture, &other);
	assert_int_equal(copy_messages(&other), 64);
	copy_end(&other);
}

/* Given up in the middle, then the file goes on, is closed, and the image freed after it. */
static void
test_given_up(void **state)
{
	struct fixture *fixture = *state;
	struct copy copy;

	append_some(fixture, 1, 60, 5000);
	copy_begin(&copy);
	copy_next(fixture, &copy);
	assert_int_equal(store_close(&fixture->store), STORE_OK);
	copy_end(&copy);
	fixture_open(fixture);
	append_some(fixture, 1000, 1, 5000);
}

/* Stamps differ after each change, and only then. */
static void
test_stamp(void **state)
{
	struct fixture *fixture = *state;
	struct buffer before = { 0 }, after = { 0 };

	append_some(fixture, 1, 3, 5000);
	assert_int_equal(store_fold(fixture->store), STORE_OK);
	while (!store_image_stamp(fixture->path, true, &before))
		;
	assert_true(store_image_stamp(fixture->path, true, &after));
	assert_true(span_equals(buffer_span(&before), buffer_span(&after)));
	assert_false(store_image_stamp(fixture->path, false, &after));	/* it has a log */
	append_some(fixture, 10, 1, 10);
	assert_int_equal(store_fold(fixture->store), STORE_OK);
	buffer_clear(&after);
	while (!store_image_stamp(fixture->path, true, &after))
		;
	assert_false(span_equals(buffer_span(&before), buffer_span(&after)));
	buffer_free(&before);
	buffer_free(&after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_quiet_file), TEST(test_delta), TEST(test_folded_meanwhile), TEST(test_closed_meanwhile),
		TEST(test_closed_always), TEST(test_foreign_reader), TEST(test_two), TEST(test_given_up), TEST(test_stamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
