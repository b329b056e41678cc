/*
 * What is kept of messages that have left: who uses their contents, when they are let go, and how they come back.
 */
#include "store_fixture.h"

#include "store/quota.h"
#include "store/retained.h"

static const struct store_parting expunged = { STORE_LEFT_EXPUNGED, SPAN("ada") };

static void
append(struct fixture *fixture, uint64_t mailbox_id, uint32_t count)
{
	struct span piece = SPAN("Subject: a\r\n\r\nHello.\r\n");
	struct store_arrival arrival = { .pieces = &piece, .piece_count = 1, .header_length = 14,
		.internal_date_s = 1000, .flags = STORE_FLAG_FLAGGED | STORE_FLAG_DELETED };

	begin(fixture, STORE_DURABLE);
	while (count-- > 0)
		assert_int_equal(store_append(fixture->store, mailbox_id, &arrival, NULL), STORE_OK);
	commit(fixture);
}

static void
expunge(struct fixture *fixture, uint64_t mailbox_id, uint32_t first, uint32_t last, const struct store_parting *parting)
{
	uint32_t uids[16], gone[16];
	size_t count = 0;
	uint64_t modseq;

	for (uint32_t uid = first; uid <= last; uid++)
		uids[count++] = uid;
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(fixture->store, mailbox_id, uids, count, parting, gone, &count, &modseq), STORE_OK);
	commit(fixture);
}

struct list {
	struct store_retained rows[16];	/* without their strings */
	uint64_t ids[16];
	size_t count;
};

static bool
keep_id(const struct store_retained *retained, void *context)
{
	struct list *list = context;

	assert_string_equal(retained->by, "ada");
	list->rows[list->count] = *retained;
	list->ids[list->count++] = retained->id;
	return true;
}

static struct list
list_all(struct fixture *fixture)
{
	struct list list = { .count = 0 };

	assert_int_equal(store_retained_each(fixture->store, 0, keep_id, &list), STORE_OK);
	return list;
}

static void
purge(struct fixture *fixture)
{
	bool is_more = true;

	for (int i = 0; is_more && i < 100; i++) {
		begin(fixture, STORE_LAZY);
		assert_int_equal(store_purge(fixture->store, 3, UINT64_MAX, &is_more), STORE_OK);
		commit(fixture);
	}
	assert_false(is_more);
	assert_false(store_is_retention_over(fixture->store));
}

static enum store_status
restore(struct fixture *fixture, const struct store_retained *wanted, struct store_returned *returned_out)
{
	enum store_status status;

	begin(fixture, STORE_DURABLE);
	status = store_retained_restore(fixture->store, wanted, 0, fixture->arena, returned_out);
	return store_end(fixture->store, status);
}

static int64_t
contents(struct fixture *fixture)
{
	sqlite3 *other;
	sqlite3_stmt *query;
	int64_t count;

	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT count(*) FROM content", -1, &query, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	count = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(other);
	return count;
}

static void
kept_and_brought_back(void **state)
{
	struct fixture *fixture = *state;
	struct store_returned returned;
	struct list list;

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 3);
	expunge(fixture, fixture->inbox, 2, 3, &expunged);
	assert_verified(fixture->store);
	purge(fixture);
	list = list_all(fixture);
	assert_int_equal(list.count, 2);
	assert_int_equal(restore(fixture, &list.rows[0], &returned), STORE_OK);
	assert_int_equal(returned.message.uid, 4);
	assert_int_equal(returned.message.flags, STORE_FLAG_FLAGGED);
	assert_int_equal(returned.message.internal_date_s, 1000);
	assert_string_equal(returned.mailbox, "INBOX");
	assert_int_equal(restore(fixture, &list.rows[0], &returned), STORE_NOT_FOUND);
	assert_int_equal(list_all(fixture).count, 1);
	assert_verified(fixture->store);
}

/* The id of the newest is given again once it has gone: who still has it does not get another message by it. */
static void
id_given_again(void **state)
{
	struct fixture *fixture = *state;
	struct store_returned returned;
	struct list first, second;

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 2);
	expunge(fixture, fixture->inbox, 1, 1, &expunged);
	first = list_all(fixture);
	assert_int_equal(restore(fixture, &first.rows[0], &returned), STORE_OK);
	expunge(fixture, fixture->inbox, 2, 2, &expunged);
	second = list_all(fixture);
	assert_int_equal(second.ids[0], first.ids[0]);
	assert_int_equal(restore(fixture, &first.rows[0], &returned), STORE_NOT_FOUND);
	assert_int_equal(restore(fixture, &second.rows[0], &returned), STORE_OK);
	assert_verified(fixture->store);
}

/* A content that a message and something kept have goes when both have gone. */
static void
shared_with_a_copy(void **state)
{
	struct fixture *fixture = *state;
	uint64_t archive = mailbox_id(fixture, "Archive");
	struct store_copied copies[1];
	size_t count;

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 1);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_copy(fixture->store, fixture->inbox, archive, (uint32_t[]){ 1 }, 1, copies, &count), STORE_OK);
	commit(fixture);
	expunge(fixture, fixture->inbox, 1, 1, &expunged);
	assert_verified(fixture->store);
	store_set_retention(fixture->store, 0);
	assert_true(store_is_retention_over(fixture->store));
	purge(fixture);
	assert_verified(fixture->store);
	assert_int_equal(contents(fixture), 1);
	expunge(fixture, archive, 1, 1, &expunged);
	assert_int_equal(list_all(fixture).count, 0);
	purge(fixture);
	assert_int_equal(contents(fixture), 0);
	assert_verified(fixture->store);
}

/* The oldest go first, and of a time to come only when it is over counted from now. */
static void
let_go_in_time(void **state)
{
	struct fixture *fixture = *state;
	struct list list;

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 9);
	expunge(fixture, fixture->inbox, 1, 9, &expunged);
	assert_false(store_is_retention_over(fixture->store));
	run_sql(fixture, "UPDATE retained SET left_at = left_at - 3601 WHERE id <= 4; "
	    "UPDATE retained SET left_at = left_at + 86400 WHERE id = 9; UPDATE retained SET left_how = 4 WHERE id = 2");
	store_set_retention(fixture->store, 3600);
	assert_true(store_is_retention_over(fixture->store));
	purge(fixture);
	assert_int_equal(store_take_let_go(fixture->store), 3);
	assert_int_equal(store_take_let_go(fixture->store), 0);
	list = list_all(fixture);
	assert_int_equal(list.count, 6);
	assert_int_equal(list.ids[0], 2);
	assert_int_equal(list.ids[1], 5);
	run_sql(fixture, "UPDATE retained SET left_at = left_at + 86400 WHERE id = 5");
	store_set_retention(fixture->store, 3600);
	assert_true(store_is_retention_over(fixture->store));
	purge(fixture);
	assert_int_equal(list_all(fixture).count, 6);
	assert_verified(fixture->store);
}

/* As much as the mailboxes may hold. */
static void
no_more_than_the_quota(void **state)
{
	struct fixture *fixture = *state;
	struct store_quota quota = { .limits = { { 200, STORE_NO_QUOTA, STORE_NO_QUOTA } } };

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 9);
	store_set_quota(fixture->store, &quota);
	for (uint32_t uid = 1; uid <= 9; uid++)
		expunge(fixture, fixture->inbox, uid, uid, &expunged);
	purge(fixture);
	append(fixture, fixture->inbox, 9);
	expunge(fixture, fixture->inbox, 10, 18, &expunged);
	assert_true(store_is_retention_over(fixture->store));
	purge(fixture);
	assert_int_equal(list_all(fixture).count, 200 / 22);
	assert_verified(fixture->store);
}

/* What fails is undone, and what is known of it, too. */
static void
undone(void **state)
{
	struct fixture *fixture = *state;
	uint32_t uid = 1, gone;
	uint64_t modseq;
	size_t count;

	store_set_retention(fixture->store, 3600);
	append(fixture, fixture->inbox, 1);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, &uid, 1, &expunged, &gone, &count, &modseq), STORE_OK);
	assert_int_equal(store_end(fixture->store, STORE_LIMIT), STORE_LIMIT);
	assert_int_equal(list_all(fixture).count, 0);
	assert_verified(fixture->store);
	purge(fixture);
}

static void
mailbox_gone(void **state)
{
	struct fixture *fixture = *state;
	struct store_returned returned;
	uint64_t made;
	struct list list;

	store_set_retention(fixture->store, 3600);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(fixture->store, SPAN("a/b"), NULL, &made), STORE_OK);
	commit(fixture);
	append(fixture, made, 2);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_delete(fixture->store, SPAN("a/b"), &expunged), STORE_OK);
	assert_int_equal(store_mailbox_delete(fixture->store, SPAN("a"), &expunged), STORE_OK);
	commit(fixture);
	assert_verified(fixture->store);
	list = list_all(fixture);
	assert_int_equal(restore(fixture, &list.rows[0], &returned), STORE_OK);
	assert_true(returned.is_made);
	assert_string_equal(returned.mailbox, "a/b");
	assert_int_not_equal(returned.mailbox_id, made);
	assert_verified(fixture->store);
	assert_int_equal(restore(fixture, &list.rows[1], &returned), STORE_OK);
	assert_false(returned.is_made);
	assert_verified(fixture->store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_and_brought_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(id_given_again, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(shared_with_a_copy, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(let_go_in_time, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(no_more_than_the_quota, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(undone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(mailbox_gone, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
