/*
 * Messages: appending, flags, expunging, copying, moving.
 */

#include "store/quota.h"
#include "store_fixture.h"

static void
test_append(void **state)
{
	struct fixture *fixture = *state;
	struct store_snapshot snapshot;
	struct store_message message;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 100, 0, &message), STORE_OK);
	assert_int_equal(message.uid, 1);
	assert_int_equal(message.modseq, 2);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 2, 200,
	    STORE_FLAG_SEEN | STORE_FLAG_DELETED, &message), STORE_OK);
	assert_int_equal(message.uid, 2);
	assert_int_equal(try_append(fixture->store, 12345, 2, 200, 0, &message), STORE_NOT_FOUND);
	commit(fixture);
	snapshot = snapshot_of(fixture, fixture->inbox);
	assert_int_equal(snapshot.mailbox.uidnext, 3);
	assert_int_equal(snapshot.mailbox.highest_modseq, 3);
	assert_int_equal(snapshot.mailbox.unseen, 1);
	assert_int_equal(snapshot.mailbox.deleted, 1);
	assert_int_equal(
	    snapshot.mailbox.size_octets, snapshot.messages[0].size + snapshot.messages[1].size);
	assert_int_equal(snapshot.messages[1].flags, STORE_FLAG_SEEN | STORE_FLAG_DELETED);
	assert_int_equal(snapshot.messages[1].internal_date_s, 1002);
	store_snapshot_fini(&snapshot);
}

static void
test_quota(void **state)
{
	struct fixture *fixture = *state;
	struct store_copied copies[2];
	size_t copied;

	store_set_quota(fixture->store, &(struct store_quota){ .limits = { { 250, STORE_NO_QUOTA, STORE_NO_QUOTA } } });
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 100, 0, NULL), STORE_OK);
	assert_int_equal(
	    try_append(fixture->store, fixture->inbox, 2, 200, 0, NULL), STORE_OVER_QUOTA);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 2, 90, 0, NULL), STORE_OK);
	assert_int_equal(store_copy(fixture->store, fixture->inbox, mailbox_id(fixture, "Sent"),
			     UIDS(1), 1, copies, &copied),
	    STORE_OVER_QUOTA);
	commit(fixture);
}

static void
test_step_fails_alone(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;

	begin(fixture, STORE_DURABLE);
	for (unsigned i = 0; i < 4; i++) {
		enum store_status wanted = i % 2 == 0 ? STORE_OK : STORE_LIMIT;

		assert_int_equal(store_step_begin(store), STORE_OK);
		assert_int_equal(try_append(store, fixture->inbox, i, 10, 0, NULL), STORE_OK);
		assert_int_equal(store_step_end(store, wanted), wanted);
	}
	commit(fixture);
	assert_uids(fixture, fixture->inbox, UIDS(1, 2));
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(store, fixture->inbox, 9, 10, 0, NULL), STORE_OK);
	assert_int_equal(store_end(store, STORE_LIMIT), STORE_LIMIT);
	assert_uids(fixture, fixture->inbox, UIDS(1, 2));
}

static void
change(struct fixture *fixture, const uint32_t *uids, size_t count,
    enum store_flag_operation operation, uint64_t flags, uint64_t unchanged_since,
    struct store_flag_result *results, uint64_t *modseq)
{
	static const uint16_t first = 0;
	struct store_flag_change change = { .operation = operation, .flags = flags,
		.unchanged_since = unchanged_since, .keywords = { &first, flags >> 5 & 1 } };

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_change_flags(
			     fixture->store, fixture->inbox, uids, count, &change, results, modseq),
	    STORE_OK);
	commit(fixture);
}

static void
test_flag_operations(void **state)
{
	static const struct {
		enum store_flag_operation operation;
		uint64_t flags, expected;
		enum store_flag_outcome outcome;
	} cases[] = {
		{ STORE_FLAGS_ADD, STORE_FLAG_SEEN, STORE_FLAG_SEEN, STORE_FLAGS_CHANGED },
		{ STORE_FLAGS_ADD, STORE_FLAG_SEEN, STORE_FLAG_SEEN, STORE_FLAGS_SAME },
		{ STORE_FLAGS_ADD, 1 << 5, STORE_FLAG_SEEN | 1 << 5, STORE_FLAGS_CHANGED },
		{ STORE_FLAGS_REMOVE, STORE_FLAG_SEEN, 1 << 5, STORE_FLAGS_CHANGED },
		{ STORE_FLAGS_SET, STORE_FLAG_DELETED, STORE_FLAG_DELETED, STORE_FLAGS_CHANGED },
		{ STORE_FLAGS_SET, STORE_FLAG_DELETED, STORE_FLAG_DELETED, STORE_FLAGS_SAME },
		{ STORE_FLAGS_SET, 0, 0, STORE_FLAGS_CHANGED },
	};
	struct fixture *fixture = *state;
	struct store_flag_result result;
	uint64_t modseq, last = 2;

	append_many(fixture, fixture->inbox, 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		change(fixture, UIDS(1), 1, cases[i].operation, cases[i].flags, UINT64_MAX, &result,
		    &modseq);
		assert_int_equal(result.uid, 1);
		assert_int_equal(result.outcome, cases[i].outcome);
		assert_int_equal(result.flags, cases[i].expected);
		assert_int_equal(modseq, cases[i].outcome == STORE_FLAGS_CHANGED ? last + 1 : last);
		assert_int_equal(result.modseq, modseq);
		last = modseq;
	}
}

static void
test_flags_of_many(void **state)
{
	struct fixture *fixture = *state;
	struct store_flag_result results[6];
	struct store_snapshot snapshot;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 40);
	change(fixture, UIDS(3), 1, STORE_FLAGS_ADD, STORE_FLAG_SEEN, UINT64_MAX, results, &modseq);
	assert_int_equal(modseq, 42);
	/* 1 and 2 together, 3 as it was, 40 far away, 41 missing; 4 untouched between. */
	change(fixture, UIDS(1, 2, 3, 5, 40, 41), 6, STORE_FLAGS_ADD, STORE_FLAG_SEEN, UINT64_MAX,
	    results, &modseq);
	assert_int_equal(modseq, 43);
	assert_int_equal(results[0].outcome, STORE_FLAGS_CHANGED);
	assert_int_equal(results[2].outcome, STORE_FLAGS_SAME);
	assert_int_equal(results[2].modseq, 42);
	assert_int_equal(results[4].outcome, STORE_FLAGS_CHANGED);
	assert_int_equal(results[5].outcome, STORE_FLAGS_MISSING);
	snapshot = snapshot_of(fixture, fixture->inbox);
	assert_int_equal(snapshot.mailbox.unseen, 35);
	assert_int_equal(snapshot.messages[3].flags, 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(snapshot.messages[results[i].uid - 1].flags, results[i].flags);
		assert_int_equal(snapshot.messages[results[i].uid - 1].modseq, results[i].modseq);
	}
	store_snapshot_fini(&snapshot);
}

static void
test_unchanged_since(void **state)
{
	struct fixture *fixture = *state;
	struct store_flag_result results[3];
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 3);	/* modseqs 2, 3, 4 */
	change(fixture, UIDS(1, 2, 3), 3, STORE_FLAGS_SET, STORE_FLAG_FLAGGED, 3, results, &modseq);
	assert_int_equal(results[0].outcome, STORE_FLAGS_CHANGED);
	assert_int_equal(results[1].outcome, STORE_FLAGS_CHANGED);
	assert_int_equal(results[2].outcome, STORE_FLAGS_MODIFIED);
	assert_int_equal(results[2].modseq, 4);
	assert_int_equal(modseq, 5);
}

/* RFC 7162 section 3.1.12: another flag that somebody else has changed is no conflict. */
static void
test_unchanged_as_known(void **state)
{
	static const struct { enum store_flag_operation operation; uint64_t flags, known, since; bool is_done; } cases[] = {
		{ STORE_FLAGS_ADD, STORE_FLAG_SEEN, 0, 2, true },
		{ STORE_FLAGS_REMOVE, STORE_FLAG_SEEN, 0, 2, true },
		{ STORE_FLAGS_ADD, STORE_FLAG_DELETED, 0, 2, false },
		{ STORE_FLAGS_ADD, STORE_FLAG_DELETED | STORE_FLAG_SEEN, 0, 2, false },
		{ STORE_FLAGS_SET, STORE_FLAG_SEEN, 0, 2, false },
		{ STORE_FLAGS_ADD, STORE_FLAG_SEEN, 0, 1, false },	/* older than what was known */
		{ STORE_FLAGS_ADD, STORE_FLAG_SEEN, STORE_FLAG_SEEN, 2, false },
	};
	struct fixture *fixture = *state;
	struct store_flag_result result;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 1);	/* modseq 2 */
	change(fixture, UIDS(1), 1, STORE_FLAGS_SET, STORE_FLAG_DELETED, UINT64_MAX, &result, &modseq);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store_flag_known known = { cases[i].known, 2 };
		struct store_flag_change change = { .operation = cases[i].operation, .flags = cases[i].flags,
			.unchanged_since = cases[i].since, .known = &known };

		begin(fixture, STORE_LAZY);
		assert_int_equal(store_change_flags(fixture->store, fixture->inbox, UIDS(1), 1, &change, &result, NULL),
		    STORE_OK);
		store_end(fixture->store, STORE_LIMIT);		/* the next one finds it as it was */
		assert_int_equal(result.outcome != STORE_FLAGS_MODIFIED, cases[i].is_done);
	}
}

static void
expunge(struct fixture *fixture, const uint32_t *uids, size_t count, const uint32_t *expected,
    uint64_t *modseq)
{
	uint32_t expunged[16];
	size_t expunged_count;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, uids, count, NULL, expunged,
			     &expunged_count, modseq),
	    STORE_OK);
	commit(fixture);
	for (size_t i = 0; i < expunged_count; i++)
		assert_int_equal(expunged[i], expected[i]);
	assert_int_equal(expected[expunged_count], 0);
}

/* What went after a modseq, as "3 5:6"; "?" when that is forgotten. */
static void
assert_history(struct fixture *fixture, uint64_t modseq, const char *expected)
{
	struct store_history history;
	struct buffer text = { 0 };

	assert_int_equal(store_expunged_since(fixture->store, fixture->inbox, modseq, fixture->arena, &history),
	    STORE_OK);
	buffer_add_string(&text, history.is_whole ? "" : "?");
	for (size_t i = 0; i < history.count; i++) {
		buffer_printf(&text, i > 0 ? " %u" : "%u", history.ranges[i].first);
		if (history.ranges[i].last > history.ranges[i].first)
			buffer_printf(&text, ":%u", history.ranges[i].last);
	}
	assert_string_equal(buffer_string(&text), expected);
	buffer_free(&text);
}

static void
test_expunge(void **state)
{
	struct fixture *fixture = *state;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 8);
	expunge(fixture, UIDS(3), 1, UIDS(3), &modseq);
	assert_int_equal(modseq, 10);
	expunge(fixture, UIDS(2, 3, 4, 6, 99), 5, UIDS(2, 4, 6), &modseq);
	assert_int_equal(modseq, 11);
	expunge(fixture, UIDS(2, 3), 2, UIDS(0), &modseq);
	assert_int_equal(modseq, 11);
	assert_uids(fixture, fixture->inbox, UIDS(1, 5, 7, 8));
	assert_history(fixture, 9, "3 2 4 6");
	assert_history(fixture, 10, "2 4 6");
	assert_history(fixture, 11, "");
	assert_history(fixture, UINT64_MAX, "");
}

static void
test_uids_do_not_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct store_message message;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 3);
	expunge(fixture, UIDS(1, 2, 3), 3, UIDS(1, 2, 3), &modseq);
	store_close(&fixture->store);
	fixture_open(fixture);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 1, 0, &message), STORE_OK);
	commit(fixture);
	assert_int_equal(message.uid, 4);
	assert_true(message.modseq > modseq);
}

static void
test_copy(void **state)
{
	struct fixture *fixture = *state;
	uint64_t sent = mailbox_id(fixture, "Sent"), bits;
	struct span names[] = { SPAN("one"), SPAN("two") }, other = SPAN("other");
	struct store_snapshot snapshot;
	struct store_copied copies[3];
	int64_t save_date_s;
	size_t copied;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(
	    store_keyword_flags(fixture->store, sent, &other, 1, &bits), STORE_OK);
	assert_int_equal(
	    store_keyword_flags(fixture->store, fixture->inbox, names, 2, &bits), STORE_OK);
	assert_int_equal(
	    try_append(fixture->store, fixture->inbox, 1, 10, STORE_FLAG_SEEN, NULL), STORE_OK);
	assert_int_equal(
	    try_append(fixture->store, fixture->inbox, 2, 20, UINT64_C(1) << 6, NULL), STORE_OK);
	assert_int_equal(
	    store_copy(fixture->store, fixture->inbox, sent, UIDS(1, 2, 7), 3, copies, &copied),
	    STORE_OK);
	commit(fixture);
	assert_int_equal(copied, 2);
	assert_int_equal(copies[1].source_uid, 2);
	assert_int_equal(copies[1].message.uid, 2);
	snapshot = snapshot_of(fixture, sent);
	assert_int_equal(snapshot.messages[0].flags, STORE_FLAG_SEEN);
	assert_int_equal(snapshot.messages[1].flags, UINT64_C(1) << 6);	/* "two", behind "other" */
	assert_int_equal(snapshot.keywords.count, 2);
	assert_string_equal(snapshot.keywords.names[1], "two");
	assert_int_equal(snapshot.messages[1].internal_date_s, 1002);
	assert_int_equal(snapshot.messages[1].content_id, copies[1].message.content_id);
	assert_int_equal(store_message_save_date(fixture->store, sent, 2, &save_date_s), STORE_OK);
	assert_true(save_date_s > 1000000000);
	store_snapshot_fini(&snapshot);
}

/* Content is freed when its last message goes, in whatever order. */
static void
test_shared_content(void **state)
{
	struct fixture *fixture = *state;
	struct store_copied copies[2];
	struct buffer octets = { 0 };
	size_t copied;
	uint64_t modseq;
	bool is_more;

	append_many(fixture, fixture->inbox, 1);
	begin(fixture, STORE_DURABLE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_copy(fixture->store, fixture->inbox, fixture->inbox, UIDS(1),
				     1, copies, &copied),
		    STORE_OK);
	commit(fixture);
	assert_uids(fixture, fixture->inbox, UIDS(1, 2, 3));
	for (uint32_t uid = 1; uid <= 3; uid++) {
		enum store_status expected = uid < 3 ? STORE_OK : STORE_NOT_FOUND;

		assert_verified(fixture->store);
		expunge(fixture, UIDS(uid), 1, UIDS(uid), &modseq);
		begin(fixture, STORE_LAZY);
		assert_int_equal(store_purge(fixture->store, 10, UINT64_MAX, &is_more), STORE_OK);
		commit(fixture);
		assert_int_equal(store_read_octets(fixture->store, copies[0].message.content_id, 0,
				     UINT64_MAX, &octets),
		    expected);
	}
	buffer_free(&octets);
}

static void
test_move(void **state)
{
	struct fixture *fixture = *state;
	uint64_t trash = mailbox_id(fixture, "Trash"), modseq;
	struct store_copied moved[3];
	size_t count;

	append_many(fixture, fixture->inbox, 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_move(fixture->store, fixture->inbox, trash, UIDS(1, 3), 2, moved,
			     &count, &modseq),
	    STORE_OK);
	assert_int_equal(
	    store_move(fixture->store, fixture->inbox, 12345, UIDS(2), 1, moved, &count, &modseq),
	    STORE_NOT_FOUND);
	commit(fixture);
	assert_uids(fixture, fixture->inbox, UIDS(2));
	assert_uids(fixture, trash, UIDS(1, 2));
	assert_history(fixture, 1, "1 3");
}

static void
purge(struct fixture *fixture)
{
	bool is_more = true;

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_purge(fixture->store, 1000, 1 << 20, &is_more), STORE_OK);
	commit(fixture);
	assert_false(is_more);
}

/* Of expunges a year is kept; what went before is not told one by one, and that is known. */
static void
test_old_history_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	struct store_snapshot snapshot;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 8);	/* modseqs 2 to 9 */
	expunge(fixture, UIDS(1, 2), 2, UIDS(1, 2), &modseq);
	expunge(fixture, UIDS(4), 1, UIDS(4), &modseq);
	run_sql(fixture, "UPDATE expunged SET expunged_at = expunged_at - 366 * 86400 - 60 WHERE modseq = 10");
	purge(fixture);		/* also where nothing was expunged since */
	assert_history(fixture, 9, "?");
	assert_history(fixture, 10, "4");
	expunge(fixture, UIDS(6), 1, UIDS(6), &modseq);
	purge(fixture);
	assert_history(fixture, 9, "?");
	assert_history(fixture, 10, "4 6");
	assert_int_equal(store_verify(fixture->store, STORE_VERIFY_ALL, &(struct buffer){ 0 }), STORE_OK);
	assert_int_equal(store_snapshot_init(fixture->store, fixture->inbox, &snapshot), STORE_OK);
	assert_int_equal(snapshot.expunged_modseq, 12);
	store_snapshot_fini(&snapshot);
}

/* In another mailbox, before the history of the first was looked at. */
static void
expunge_elsewhere(struct fixture *fixture)
{
	uint64_t inbox = fixture->inbox, modseq;

	fixture->inbox = mailbox_id(fixture, "Sent");
	append_many(fixture, fixture->inbox, 1);
	expunge(fixture, UIDS(1), 1, UIDS(1), &modseq);
	fixture->inbox = inbox;
}

static void
test_much_history_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	uint64_t modseq;

	append_many(fixture, fixture->inbox, 3);
	run_sql(fixture, "UPDATE mailbox SET uidnext = 50001, highest_modseq = 20001 WHERE name = 'INBOX';"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO expunged "
	    "SELECT mailbox.id, 4 + i, 10 + 2 * i, 10 + 2 * i, unixepoch() FROM n, mailbox WHERE name = 'INBOX'");
	expunge(fixture, UIDS(2), 1, UIDS(2), &modseq);
	assert_history(fixture, 10003, "20010 2");
	expunge_elsewhere(fixture);
	purge(fixture);
	assert_history(fixture, 10003, "20010 2");
	assert_history(fixture, 4, "?");
}

static void
test_move_within(void **state)
{
	struct fixture *fixture = *state;
	struct store_copied moved[2];
	uint64_t modseq;
	size_t count;

	append_many(fixture, fixture->inbox, 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_move(fixture->store, fixture->inbox, fixture->inbox, UIDS(1, 2), 2,
			     moved, &count, &modseq),
	    STORE_OK);
	commit(fixture);
	assert_true(modseq > moved[0].message.modseq);
	assert_uids(fixture, fixture->inbox, UIDS(3, 4, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_append),
		TEST(test_quota),
		TEST(test_step_fails_alone),
		TEST(test_flag_operations),
		TEST(test_flags_of_many),
		TEST(test_unchanged_since),
		TEST(test_unchanged_as_known),
		TEST(test_expunge),
		TEST(test_old_history_is_forgotten),
		TEST(test_much_history_is_forgotten),
		TEST(test_uids_do_not_come_back),
		TEST(test_copy),
		TEST(test_shared_content),
		TEST(test_move),
		TEST(test_move_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
