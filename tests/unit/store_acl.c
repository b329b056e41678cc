/*
 * Rights of others in a user's mailboxes.
 */
#include "store_fixture.h"
#include "store/acl.h"

static void
set(struct fixture *fixture, uint64_t mailbox, const char *identifier, unsigned rights)
{
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_acl_set(fixture->store, mailbox, span_from_string(identifier), rights), STORE_OK);
	commit(fixture);
}

static unsigned
rights_of(struct fixture *fixture, uint64_t mailbox, const char *name)
{
	const struct span names[] = { span_from_string(name), SPAN("anyone") };
	unsigned rights = 12345;

	assert_int_equal(store_acl_rights(fixture->store, mailbox, &(struct store_identity){ names, 2 }, &rights), STORE_OK);
	return rights;
}

static void
test_what_is_given_without_what_is_taken(void **state)
{
	struct fixture *fixture = *state;
	uint64_t inbox = fixture->inbox;

	assert_int_equal(rights_of(fixture, inbox, "ada"), 0);
	set(fixture, inbox, "ada", 3);
	set(fixture, inbox, "anyone", 4);
	set(fixture, inbox, "-bob", 4);
	assert_int_equal(rights_of(fixture, inbox, "ada"), 7);
	assert_int_equal(rights_of(fixture, inbox, "bob"), 0);
	assert_int_equal(rights_of(fixture, inbox, "eve"), 4);
	set(fixture, inbox, "-anyone", 1);
	assert_int_equal(rights_of(fixture, inbox, "ada"), 6);
	set(fixture, inbox, "ada", 0);
	set(fixture, inbox, "nobody", 0);
	assert_int_equal(rights_of(fixture, inbox, "ada"), 4);
	assert_int_equal(rights_of(fixture, mailbox_id(fixture, "Sent"), "ada"), 0);
}

static void
test_inherited_kept_and_dropped(void **state)
{
	struct fixture *fixture = *state;
	struct store_acl_entry *entries;
	size_t count;

	set(fixture, mailbox_id(fixture, "Archive"), "ada", 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(fixture->store, SPAN("Archive/a/b"), NULL, NULL), STORE_OK);
	commit(fixture);
	assert_int_equal(rights_of(fixture, mailbox_id(fixture, "Archive/a/b"), "ada"), 3);
	set(fixture, mailbox_id(fixture, "Archive/a"), "ada", 1);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_rename(fixture->store, SPAN("Archive/a"), SPAN("Sent/a")), STORE_OK);
	commit(fixture);
	assert_int_equal(rights_of(fixture, mailbox_id(fixture, "Sent/a"), "ada"), 1);
	assert_int_equal(rights_of(fixture, mailbox_id(fixture, "Sent/a/b"), "ada"), 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_delete(fixture->store, SPAN("Sent/a/b"), NULL), STORE_OK);
	assert_int_equal(store_mailbox_create(fixture->store, SPAN("Sent/a/b"), NULL, NULL), STORE_OK);
	commit(fixture);
	assert_int_equal(store_acl_get(fixture->store, mailbox_id(fixture, "Sent/a/b"), fixture->arena, &entries, &count),
	    STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(entries[0].rights, 1);
}

static void
test_identifiers_and_forgetting(void **state)
{
	struct fixture *fixture = *state;
	struct span *names;
	size_t count;

	set(fixture, fixture->inbox, "ada", 3);
	set(fixture, fixture->inbox, "-ada", 1);
	set(fixture, mailbox_id(fixture, "Sent"), "bob", 1);
	set(fixture, mailbox_id(fixture, "Sent"), "ada", 1);
	set(fixture, mailbox_id(fixture, "Drafts"), "$all", 1);
	assert_int_equal(store_acl_identifiers(fixture->store, fixture->arena, &names, &count), STORE_OK);
	assert_int_equal(count, 3);
	assert_true(span_equals(names[0], SPAN("$all")) && span_equals(names[1], SPAN("ada")));
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_acl_forget(fixture->store, SPAN("ada")), STORE_OK);
	commit(fixture);
	assert_int_equal(store_acl_identifiers(fixture->store, fixture->arena, &names, &count), STORE_OK);
	assert_int_equal(count, 2);
	assert_true(span_equals(names[1], SPAN("bob")));
	assert_int_equal(rights_of(fixture, fixture->inbox, "ada"), 0);
}

static bool
has(struct fixture *fixture, const char *identifier)
{
	bool is_there = false;

	assert_int_equal(store_acl_has(fixture->store, span_from_string(identifier), &is_there), STORE_OK);
	return is_there;
}

static void
test_renaming(void **state)
{
	struct fixture *fixture = *state;
	uint64_t sent = mailbox_id(fixture, "Sent");

	set(fixture, fixture->inbox, "ada", 3);
	set(fixture, fixture->inbox, "anyone", 12);
	set(fixture, fixture->inbox, "-ada", 4);
	set(fixture, fixture->inbox, "-eve", 8);
	set(fixture, sent, "ada", 1);
	set(fixture, sent, "eve", 2);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_acl_rename(fixture->store, SPAN("ada"), SPAN("eve")), STORE_OK);
	assert_int_equal(store_acl_rename(fixture->store, SPAN("ada"), SPAN("eve")), STORE_OK);
	commit(fixture);
	assert_false(has(fixture, "ada"));
	assert_true(has(fixture, "eve"));
	assert_int_equal(rights_of(fixture, fixture->inbox, "eve"), 3);
	assert_int_equal(rights_of(fixture, fixture->inbox, "ada"), 12);
	assert_int_equal(rights_of(fixture, sent, "eve"), 3);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_acl_set(fixture->store, fixture->inbox, SPAN("-only"), 1), STORE_OK);
	commit(fixture);
	assert_true(has(fixture, "only"));
}

static void
test_limits(void **state)
{
	struct fixture *fixture = *state;
	char name[32];

	begin(fixture, STORE_DURABLE);
	for (int i = 0; i < STORE_ACL_MAX; i++) {
		snprintf(name, sizeof name, "user%d", i);
		assert_int_equal(store_acl_set(fixture->store, fixture->inbox, span_from_string(name), 1), STORE_OK);
	}
	assert_int_equal(store_acl_set(fixture->store, fixture->inbox, SPAN("one-more"), 1), STORE_LIMIT);
	assert_int_equal(store_acl_set(fixture->store, fixture->inbox, SPAN("user7"), 3), STORE_OK);
	assert_int_equal(store_acl_set(fixture->store, fixture->inbox, SPAN(""), 3), STORE_LIMIT);
	commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_given_without_what_is_taken),
		TEST(test_inherited_kept_and_dropped),
		TEST(test_identifiers_and_forgetting),
		TEST(test_renaming),
		TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
