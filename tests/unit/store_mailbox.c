/*
 * Accounts, mailboxes, subscriptions and keywords.
 */
#include "store_fixture.h"

#include <sys/stat.h>

/* Compare all names with a list that ends in NULL. */
static void
assert_names(struct fixture *fixture, const char *const *names)
{
	struct store_mailbox *mailboxes;
	size_t count;

	assert_int_equal(
	    store_mailbox_list(fixture->store, SPAN(""), fixture->arena, &mailboxes, &count), STORE_OK);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(names[i]);
		assert_string_equal(mailboxes[i].name, names[i]);
	}
	assert_null(names[count]);
}

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define FIRST "Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"

static enum store_status
create(struct fixture *fixture, const char *name)
{
	begin(fixture, STORE_DURABLE);
	return store_end(fixture->store,
	    store_mailbox_create(fixture->store, span_from_string(name), NULL, NULL));
}

static enum store_status delete (struct fixture *fixture, const char *name) {
	begin(fixture, STORE_DURABLE); return store_end(
	    fixture->store, store_mailbox_delete(fixture->store, span_from_string(name), NULL));
}

static enum store_status
rename_mailbox(struct fixture *fixture, const char *from, const char *to)
{
	begin(fixture, STORE_DURABLE);
	return store_end(fixture->store,
	    store_mailbox_rename(fixture->store, span_from_string(from), span_from_string(to)));
}

static void
test_new_account(void **state)
{
	struct fixture *fixture = *state;
	struct store_mailbox mailbox;
	struct span *names;
	struct stat about;
	size_t count;

	assert_names(fixture, NAMES(FIRST));
	assert_int_equal(
	    store_mailbox_find(fixture->store, SPAN("Sent"), fixture->arena, &mailbox), STORE_OK);
	assert_string_equal(mailbox.special_use, "\\Sent");
	assert_int_equal(mailbox.uidnext, 1);
	assert_true(mailbox.uidvalidity > 1000000000);
	assert_int_equal(
	    store_subscription_list(fixture->store, fixture->arena, &names, &count), STORE_OK);
	assert_int_equal(count, 6);
	assert_int_equal(stat(fixture->path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
}

static void
test_missing_account(void **state)
{
	struct store *store = NULL;

	(void)state;
	assert_int_equal(
	    store_open("/tmp/imapd-no-such-folder/mail.db", false, &store), STORE_NOT_FOUND);
	assert_null(store);
}

static void
test_create(void **state)
{
	static const struct { const char *name; enum store_status expected; } cases[] = {
		{ "a/b/c", STORE_OK },
		{ "a/b", STORE_EXISTS },	/* made as a parent */
		{ "INBOX/x", STORE_OK },
		{ "INBOX", STORE_EXISTS },
		{ "", STORE_LIMIT },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(create(fixture, cases[i].name), cases[i].expected);
	assert_names(fixture, NAMES("Archive", "Drafts", "INBOX", "INBOX/x", "Junk", "Sent",
				  "Trash", "a", "a/b", "a/b/c"));
}

static void
test_list_of_some(void **state)
{
	static const struct { const char *prefix; size_t count; } cases[] = {
		{ "a", 5 }, { "a/", 2 }, { "a/b", 2 }, { "a/b/c", 1 }, { "ab", 1 }, { "\xc3\xa4", 1 }, { "\xc3", 1 }, { "A", 1 }, { "b", 0 }, { "Z", 0 },
	};
	static const char *const names[] = { "a/b/c", "ab", "a b", "\xc3\xa4" };
	struct fixture *fixture = *state;
	struct store_mailbox *mailboxes;
	size_t count;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(create(fixture, names[i]), STORE_OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span prefix = span_from_string(cases[i].prefix);

		assert_int_equal(store_mailbox_list(fixture->store, prefix, fixture->arena, &mailboxes, &count), STORE_OK);
		assert_int_equal(count, cases[i].count);
		for (size_t j = 0; j < count; j++)
			assert_true(span_starts_with(span_from_string(mailboxes[j].name), prefix));
	}
}

static void
test_list_from_a_name(void **state)
{
	static const struct { const char *name, *first; size_t max, count; } cases[] = {
		{ "", "Archive", 2, 2 }, { "INBOX", "INBOX", 1, 1 }, { "INBOX", "INBOX", 9, 4 }, { "INBOY", "Junk", 9, 3 }, { "Z", NULL, 9, 0 },
	};
	struct fixture *fixture = *state;
	struct store_mailbox *mailboxes;
	size_t count;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(store_mailbox_list_from(fixture->store, span_from_string(cases[i].name), cases[i].max, fixture->arena,
		    &mailboxes, &count), STORE_OK);
		assert_int_equal(count, cases[i].count);
		if (count > 0)
			assert_string_equal(mailboxes[0].name, cases[i].first);
	}
}

static void
test_uidvalidity_is_never_given_twice(void **state)
{
	struct fixture *fixture = *state;
	struct store_mailbox mailbox;
	uint32_t last = 0;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(create(fixture, "again"), STORE_OK);
		assert_int_equal(
		    store_mailbox_find(fixture->store, SPAN("again"), fixture->arena, &mailbox),
		    STORE_OK);
		assert_true(mailbox.uidvalidity > last);
		last = mailbox.uidvalidity;
		assert_int_equal(delete(fixture, "again"), STORE_OK);
	}
}

static void
test_delete(void **state)
{
	struct fixture *fixture = *state;
	bool is_more;

	assert_int_equal(create(fixture, "a/b"), STORE_OK);
	append_many(fixture, mailbox_id(fixture, "a"), 3);
	assert_int_equal(delete(fixture, "INBOX"), STORE_FORBIDDEN);
	assert_int_equal(delete(fixture, "none"), STORE_NOT_FOUND);
	assert_int_equal(delete(fixture, "a"), STORE_OK);
	assert_names(fixture, NAMES(FIRST, "a/b"));
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_purge(fixture->store, 2, UINT64_MAX, &is_more), STORE_OK);
	assert_true(is_more);
	assert_int_equal(store_purge(fixture->store, 2, UINT64_MAX, &is_more), STORE_OK);
	assert_false(is_more);
	commit(fixture);
}

static void
test_rename(void **state)
{
	static const struct { const char *from, *to; enum store_status expected; } cases[] = {
		{ "none", "x", STORE_NOT_FOUND },
		{ "a", "a", STORE_EXISTS },
		{ "a", "Sent", STORE_EXISTS },
		{ "a", "a/b/c/d", STORE_FORBIDDEN },
		{ "a", "p/q", STORE_OK },	/* makes p */
		{ "p/q", "taken", STORE_EXISTS },	/* taken/b is there */
		{ "p/q", "ab", STORE_OK },
	};
	struct fixture *fixture = *state;
	uint64_t id;

	assert_int_equal(create(fixture, "a/b/c"), STORE_OK);
	assert_int_equal(create(fixture, "a0"), STORE_OK);
	assert_int_equal(create(fixture, "taken/b"), STORE_OK);
	assert_int_equal(delete(fixture, "taken"), STORE_OK);
	id = mailbox_id(fixture, "a/b/c");
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(
		    rename_mailbox(fixture, cases[i].from, cases[i].to), cases[i].expected);
	assert_names(fixture, NAMES(FIRST, "a0", "ab", "ab/b", "ab/b/c", "p", "taken/b"));
	assert_int_equal(mailbox_id(fixture, "ab/b/c"), id);
}

static void
test_rename_too_long(void **state)
{
	struct fixture *fixture = *state;
	char name[STORE_NAME_MAX + 1];

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(create(fixture, "a/b"), STORE_OK);
	assert_int_equal(rename_mailbox(fixture, "a", name), STORE_LIMIT);
	assert_int_equal(rename_mailbox(fixture, "a/b", name), STORE_OK);
}

static void
test_rename_inbox(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(create(fixture, "INBOX/below"), STORE_OK);
	append_many(fixture, fixture->inbox, 3);
	assert_int_equal(rename_mailbox(fixture, "INBOX", "old"), STORE_OK);
	assert_uids(fixture, fixture->inbox, UIDS(0));
	assert_uids(fixture, mailbox_id(fixture, "old"), UIDS(1, 2, 3));
	assert_int_equal(mailbox_id(fixture, "INBOX"), fixture->inbox);
	mailbox_id(fixture, "INBOX/below");
}

static void
test_subscriptions(void **state)
{
	struct fixture *fixture = *state;
	struct span *names;
	size_t count;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_subscribe(fixture->store, SPAN("no/such/mailbox")), STORE_OK);
	assert_int_equal(store_subscribe(fixture->store, SPAN("no/such/mailbox")), STORE_OK);
	assert_int_equal(store_unsubscribe(fixture->store, SPAN("Junk")), STORE_OK);
	assert_int_equal(store_unsubscribe(fixture->store, SPAN("Junk")), STORE_OK);
	commit(fixture);
	assert_int_equal(
	    store_subscription_list(fixture->store, fixture->arena, &names, &count), STORE_OK);
	assert_int_equal(count, 6);
	assert_true(span_equals(names[5], SPAN("no/such/mailbox")));
}

static void
test_subscriptions_below(void **state)
{
	static const char *const names[] = { "Others/ada", "Others/ada/In%x", "Others/adam", "Others/ada_", "Others/bob/ada" };
	struct fixture *fixture = *state;
	struct span *list;
	size_t count, renamed = 0;
	bool is_there;

	begin(fixture, STORE_DURABLE);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(store_subscribe(fixture->store, span_from_string(names[i])), STORE_OK);
	commit(fixture);
	assert_int_equal(store_subscription_has(fixture->store, SPAN("Others/ada"), &is_there), STORE_OK);
	assert_true(is_there);
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_subscription_rename(fixture->store, SPAN("Others/ada"), SPAN("Others/eve")), STORE_OK);
	commit(fixture);
	assert_int_equal(store_subscription_has(fixture->store, SPAN("Others/ada"), &is_there), STORE_OK);
	assert_false(is_there);
	assert_int_equal(store_subscription_list(fixture->store, fixture->arena, &list, &count), STORE_OK);
	for (size_t i = 0; i < count; i++)
		renamed += span_equals(list[i], SPAN("Others/eve")) || span_equals(list[i], SPAN("Others/eve/In%x")) ||
		    span_equals(list[i], SPAN("Others/adam")) || span_equals(list[i], SPAN("Others/ada_")) ||
		    span_equals(list[i], SPAN("Others/bob/ada"));
	assert_int_equal(renamed, COUNT_OF(names));
}

static void
test_special_use(void **state)
{
	struct fixture *fixture = *state;
	struct store_mailbox mailbox;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(
	    store_mailbox_set_special_use(fixture->store, fixture->inbox, "\\Flagged"), STORE_OK);
	assert_int_equal(
	    store_mailbox_set_special_use(fixture->store, 12345, NULL), STORE_NOT_FOUND);
	commit(fixture);
	assert_int_equal(
	    store_mailbox_get(fixture->store, fixture->inbox, fixture->arena, &mailbox), STORE_OK);
	assert_string_equal(mailbox.special_use, "\\Flagged");
}

static void
test_recent(void **state)
{
	struct fixture *fixture = *state;
	uint32_t recent_uid;

	append_many(fixture, fixture->inbox, 2);
	begin(fixture, STORE_LAZY);
	assert_int_equal(
	    store_mailbox_claim_recent(fixture->store, fixture->inbox, &recent_uid), STORE_OK);
	assert_int_equal(recent_uid, 1);
	assert_int_equal(
	    store_mailbox_claim_recent(fixture->store, fixture->inbox, &recent_uid), STORE_OK);
	assert_int_equal(recent_uid, 3);
	assert_int_equal(
	    store_mailbox_claim_recent(fixture->store, 12345, &recent_uid), STORE_NOT_FOUND);
	commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_account),
		TEST(test_missing_account),
		TEST(test_create),
		TEST(test_list_of_some),
		TEST(test_list_from_a_name),
		TEST(test_uidvalidity_is_never_given_twice),
		TEST(test_delete),
		TEST(test_rename),
		TEST(test_rename_too_long),
		TEST(test_rename_inbox),
		TEST(test_subscriptions),
		TEST(test_subscriptions_below),
		TEST(test_special_use),
		TEST(test_recent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
