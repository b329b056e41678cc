/*
 * Whole files that take their place: where there is nothing, something, and what a crash has left; and files that are none.
 */
#include "store_fixture.h"

#include <sys/stat.h>

#include "store/mark.h"
#include "store/place.h"

/* Where files go to, beside the fixture's own. */
struct place {
	char staged[96], path[96], mark[96];
};

static struct place
place_of(const struct fixture *fixture)
{
	struct place place;

	snprintf(place.staged, sizeof place.staged, "%s/staged.db", fixture->folder);
	snprintf(place.path, sizeof place.path, "%s/other/mail.db", fixture->folder);
	snprintf(place.mark, sizeof place.mark, "%s/marks/other", fixture->folder);
	return place;
}

/* A copy of the fixture's file, with so many messages, that a statement has changed. */
static void
stage(struct fixture *fixture, unsigned messages, const char *statement)
{
	struct place place = place_of(fixture);
	struct buffer command = { 0 };
	sqlite3 *copy;

	if (messages > 0)
		append_many(fixture, fixture->inbox, messages);
	store_close(&fixture->store);
	buffer_printf(&command, "cp %s %s", fixture->path, place.staged);
	assert_int_equal(system(buffer_string(&command)), 0);
	buffer_free(&command);
	assert_int_equal(sqlite3_open(place.staged, &copy), SQLITE_OK);
	assert_int_equal(sqlite3_exec(copy, statement, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(copy, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(copy);
	fixture_open(fixture);
}

static enum store_status
put(struct fixture *fixture, enum store_placing placing, uint64_t *messages_out)
{
	struct place place = place_of(fixture);
	char *error = NULL;
	enum store_status status = store_place(place.staged, place.path, place.mark, placing, messages_out, &error);

	free(error);
	return status;
}

static enum store_finding
look(struct fixture *fixture, uint64_t messages)
{
	struct place place = place_of(fixture);
	struct store_opening opening = { .path = place.path, .mark_path = place.mark, .era = 1 };
	struct store_mailbox mailbox;
	struct store *store;

	assert_int_equal(store_open_marked(&opening, &store), STORE_OK);
	assert_int_equal(store_mailbox_find(store, SPAN("INBOX"), fixture->arena, &mailbox), STORE_OK);
	assert_int_equal(mailbox.messages, messages);
	assert_verified(store);
	assert_int_equal(store_close(&store), STORE_OK);
	return opening.finding;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct place place = place_of(fixture);
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char folder[96];

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		remove_file(place.path, suffixes[i]);
		remove_file(place.staged, suffixes[i]);
	}
	unlink(place.mark);
	snprintf(folder, sizeof folder, "%s/other", fixture->folder);
	rmdir(folder);
	snprintf(folder, sizeof folder, "%s/marks", fixture->folder);
	rmdir(folder);
	return fixture_teardown(state);
}

/* Nobody knows how far clients had come: the file is doubtful, and keeps its UIDs. */
static void
where_nothing_is(void **state)
{
	struct fixture *fixture = *state;
	struct place place = place_of(fixture);
	uint64_t messages = 0;
	struct stat about;

	stage(fixture, 3, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_OK);
	assert_int_equal(messages, 3);
	assert_int_equal(stat(place.staged, &about), -1);
	assert_int_equal(look(fixture, 3), STORE_DOUBTFUL);
	assert_int_equal(look(fixture, 3), STORE_AS_LEFT);
}

static void
where_something_is(void **state)
{
	struct fixture *fixture = *state;
	uint64_t messages;

	stage(fixture, 1, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_OK);
	stage(fixture, 1, "SELECT 1");		/* died before anybody has opened the first: it may be put over */
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_EXISTS);
	assert_int_equal(put(fixture, STORE_PLACE_LEFTOVER, &messages), STORE_OK);
	look(fixture, 2);
	stage(fixture, 1, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_EXISTS);
	assert_int_equal(put(fixture, STORE_PLACE_LEFTOVER, &messages), STORE_EXISTS);
	look(fixture, 2);
	assert_int_equal(put(fixture, STORE_PLACE_OVER, &messages), STORE_OK);
	assert_int_equal(messages, 3);
	look(fixture, 3);
}

/* What lies there cannot be opened, and has a log: neither gets into the new one. */
static void
over_what_is_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct place place = place_of(fixture);
	uint64_t messages;
	struct buffer log = { 0 };
	FILE *file;

	stage(fixture, 2, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_OK);
	look(fixture, 2);
	assert_non_null(file = fopen(place.path, "r+"));
	fwrite("no database at all", 1, 18, file);
	fclose(file);
	buffer_printf(&log, "%s-wal", place.path);
	assert_non_null(file = fopen(buffer_string(&log), "w"));
	fwrite("no log either", 1, 13, file);
	fclose(file);
	buffer_free(&log);
	stage(fixture, 1, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_OVER, &messages), STORE_OK);
	look(fixture, 3);
}

/* All or nothing: what is there stays. */
static void
what_is_none(void **state)
{
	static const char *const statements[] = {
		"DROP TABLE retained",
		"DROP TABLE message",
		"ALTER TABLE mailbox ADD COLUMN more INTEGER",
		"ALTER TABLE content DROP COLUMN preview",
		"DROP TABLE ordering; CREATE TABLE ordering (content_id INTEGER PRIMARY KEY)",
		"PRAGMA user_version = 1000",
	};
	struct fixture *fixture = *state;
	struct place place = place_of(fixture);
	uint64_t messages;
	char *error;

	stage(fixture, 1, "SELECT 1");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_OK);
	for (size_t i = 0; i < COUNT_OF(statements); i++) {
		stage(fixture, 0, statements[i]);
		assert_int_equal(store_place_check(place.staged, &messages, &error), STORE_CORRUPT);
		assert_non_null(error);
		free(error);
		assert_int_equal(put(fixture, STORE_PLACE_OVER, &messages), STORE_CORRUPT);
	}
	look(fixture, 1);
}

/* A view that answers something else would be believed. */
static void
view_is_made_anew(void **state)
{
	struct fixture *fixture = *state;
	uint64_t messages;

	stage(fixture, 2, "DROP VIEW message_now; CREATE VIEW message_now AS SELECT mailbox_id, uid, content_id, size, 0 AS flags, "
	    "modseq, internal_date, save_date FROM message LIMIT 1; CREATE VIEW another AS SELECT 1; ANALYZE");
	assert_int_equal(put(fixture, STORE_PLACE_NEW, &messages), STORE_OK);
	look(fixture, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(where_nothing_is, fixture_setup, tear_down),
		cmocka_unit_test_setup_teardown(where_something_is, fixture_setup, tear_down),
		cmocka_unit_test_setup_teardown(over_what_is_damaged, fixture_setup, tear_down),
		cmocka_unit_test_setup_teardown(what_is_none, fixture_setup, tear_down),
		cmocka_unit_test_setup_teardown(view_is_made_anew, fixture_setup, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
