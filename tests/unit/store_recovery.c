/*
 * Unclean ends: copies of the files taken while they are in use are what a kill leaves behind.
 */
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"

static void
copy_file(const char *from, const char *to, const char *suffix)
{
	struct buffer names[2] = { { 0 }, { 0 } }, octets = { 0 };
	struct stat about;
	int in, out;

	buffer_printf(&names[0], "%s%s", from, suffix);
	buffer_printf(&names[1], "%s%s", to, suffix);
	in = open(buffer_string(&names[0]), O_RDONLY);
	assert_true(in >= 0 && fstat(in, &about) == 0);
	assert_true(
	    read(in, buffer_reserve(&octets, about.st_size + 1), about.st_size) == about.st_size);
	out = open(buffer_string(&names[1]), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(out >= 0 && write(out, octets.at, about.st_size) == about.st_size);
	close(in);
	close(out);
	buffer_free(&names[0]);
	buffer_free(&names[1]);
	buffer_free(&octets);
}

/* Go on with what a kill would leave now. */
static void
crash(struct fixture *fixture)
{
	struct buffer path = { 0 };

	buffer_printf(&path, "%s.copy", fixture->path);
	copy_file(fixture->path, buffer_string(&path), "");
	copy_file(fixture->path, buffer_string(&path), "-wal");
	store_close(&fixture->store);
	copy_file(buffer_string(&path), fixture->path, "");
	copy_file(buffer_string(&path), fixture->path, "-wal");
	remove_file(buffer_string(&path), "");
	remove_file(buffer_string(&path), "-wal");
	buffer_free(&path);
	fixture_open(fixture);
}

static uint64_t
highest_modseq(struct fixture *fixture)
{
	struct store_mailbox mailbox;

	assert_int_equal(
	    store_mailbox_get(fixture->store, fixture->inbox, fixture->arena, &mailbox), STORE_OK);
	return mailbox.highest_modseq;
}

static void
flag_first(struct fixture *fixture)
{
	struct store_flag_change change = { .operation = STORE_FLAGS_ADD, .flags = STORE_FLAG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result result;

	begin(fixture, STORE_LAZY);
	assert_int_equal(
	    store_change_flags(fixture->store, fixture->inbox, UIDS(1), 1, &change, &result, NULL),
	    STORE_OK);
	commit(fixture);
	assert_int_equal(result.outcome, STORE_FLAGS_CHANGED);
}

static void
test_committed_survives(void **state)
{
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 4, 9000, 0, NULL), STORE_OK);
	crash(fixture);
	assert_uids(fixture, fixture->inbox, UIDS(1, 2, 3));
	assert_int_equal(highest_modseq(fixture), 4);	/* durable commits alone: nothing to step over */
}

static void
test_modseq_jumps_after_lazy_commits(void **state)
{
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, 1);
	flag_first(fixture);
	assert_int_equal(highest_modseq(fixture), 3);
	crash(fixture);
	assert_int_equal(highest_modseq(fixture), 3 + (1 << 20));
	crash(fixture);
	assert_int_equal(highest_modseq(fixture), 3 + (1 << 20));
}

static void
test_no_jump_after_orderly_close(void **state)
{
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, 1);
	flag_first(fixture);
	store_close(&fixture->store);
	fixture_open(fixture);
	assert_int_equal(highest_modseq(fixture), 3);
}

static void
test_flush(void **state)
{
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, 1);
	assert_false(store_needs_flush(fixture->store));
	flag_first(fixture);	/* the first also marks the file, and is durable for that */
	assert_false(store_needs_flush(fixture->store));
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_subscribe(fixture->store, SPAN("x")), STORE_OK);
	commit(fixture);
	assert_true(store_needs_flush(fixture->store));
	assert_int_equal(store_flush(fixture->store), STORE_OK);
	assert_false(store_needs_flush(fixture->store));
}

/* A restored backup must not give the UIDVALIDITY again that a mailbox got after the backup. */
static void
test_restored_backup(void **state)
{
	struct fixture *fixture = *state;
	struct store_mailbox before, after;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(fixture->store, SPAN("x"), NULL, NULL), STORE_OK);
	assert_int_equal(
	    store_mailbox_find(fixture->store, SPAN("x"), fixture->arena, &before), STORE_OK);
	assert_int_equal(store_end(fixture->store, STORE_LIMIT), STORE_LIMIT);	/* as if it had been lost */
	clock_fake(1, (clock_calendar_s() + 3600) * 1000000);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(fixture->store, SPAN("x"), NULL, NULL), STORE_OK);
	commit(fixture);
	clock_fake(0, 0);
	assert_int_equal(
	    store_mailbox_find(fixture->store, SPAN("x"), fixture->arena, &after), STORE_OK);
	assert_true(after.uidvalidity > before.uidvalidity);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_committed_survives),
		TEST(test_modseq_jumps_after_lazy_commits),
		TEST(test_no_jump_after_orderly_close),
		TEST(test_flush),
		TEST(test_restored_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
