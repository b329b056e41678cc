/*
 * Users in a SQLite file, and what they may be called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "directory/directory.h"
#include "folder_fixture.h"

static char folder[64], path[96];

static int
make_folder(void **state)
{
	(void)state;
	folder_make(folder, sizeof folder, "imapd-directory");
	snprintf(path, sizeof path, "%s/directory.db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void
prepares_names(void **state)
{
	static const struct {
		struct span name;
		const char *expected;
	} cases[] = {
		{ SPAN("Tim"), "tim" },
		{ SPAN("tim@Example.ORG"), "tim@example.org" },
		{ SPAN("../../etc/passwd"), "../../etc/passwd" },	/* never a path */
		{ SPAN("J\xc3\xbcrgen"), "j\xc3\xbcrgen" },
		{ SPAN("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80" },
		{ SPAN("a$b-"), "a$b-" },
		{ SPAN("anyone@example.org"), "anyone@example.org" },
		{ SPAN("Anyone"), NULL },		/* identifiers of RFC 4314 that mean many */
		{ SPAN("authenticated"), NULL },
		{ SPAN("$staff"), NULL },
		{ SPAN("-tim"), NULL },
		{ SPAN(""), NULL },
		{ SPAN("a b"), NULL },
		{ SPAN("a\nb"), NULL },
		{ SPAN("a\0b"), NULL },
		{ SPAN("a\x7f"), NULL },
		{ SPAN("a\xc2\x85"), NULL },		/* NEL */
		{ SPAN("a\xe2\x80\xa8"), NULL },	/* LINE SEPARATOR */
		{ SPAN("a\xe2\x80\xae"), NULL },	/* RIGHT-TO-LEFT OVERRIDE */
		{ SPAN("a\xff"), NULL },
		{ SPAN("a\xc3"), NULL },
		{ SPAN("\xc1\xa1"), NULL },		/* overlong */
		{ SPAN("\xed\xa0\x80"), NULL },		/* a surrogate */
		{ SPAN("\xf4\x90\x80\x80"), NULL },	/* above U+10FFFF */
		{ SPAN("\xef\xbf\xbf"), NULL },		/* a noncharacter */
	};
	char long_name[DIRECTORY_NAME_MAX + 1];
	struct directory_name name;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool is_good = directory_prepare_name(cases[i].name, &name);

		assert_int_equal(is_good, cases[i].expected != NULL);
		if (is_good)
			assert_string_equal(name.text, cases[i].expected);
	}
	memset(long_name, 'a', sizeof long_name);
	assert_true(directory_prepare_name(span_of(long_name, DIRECTORY_NAME_MAX), &name));
	assert_int_equal(directory_name_span(&name).length, DIRECTORY_NAME_MAX);
	assert_false(directory_prepare_name(span_of(long_name, sizeof long_name), &name));
	assert_true(directory_prepare_group(SPAN(" Domain Users "), &name));
	assert_string_equal(name.text, "domain users");
	assert_false(directory_prepare_group(SPAN(" "), &name));
	assert_false(directory_prepare_group(SPAN("a\tb"), &name));
}

static void
keeps_users(void **state)
{
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user, again;
	uint64_t count;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &user), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("one")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("two")), DIRECTORY_EXISTS);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &user), DIRECTORY_OK);
	assert_true(span_equals(user.name, SPAN("tim")));
	assert_true(span_equals(user.credential, SPAN("one")));
	assert_int_equal(strlen(user.mailbox_id), DIRECTORY_ID_LENGTH);
	assert_int_equal(user.home.length, 0);
	assert_true(user.is_enabled);
	assert_true(user.created_s > 0);
	assert_true(user.changed_s == user.created_s);

	assert_int_equal(directory_set_credential(directory, SPAN("tim"), SPAN("two")), DIRECTORY_OK);
	assert_int_equal(directory_set_enabled(directory, SPAN("tim"), false), DIRECTORY_OK);
	assert_int_equal(directory_set_home(directory, SPAN("tim"), SPAN("mbx1")), DIRECTORY_OK);
	directory_close(&directory);
	assert_null(directory);
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &again), DIRECTORY_OK);
	assert_true(span_equals(again.credential, SPAN("two")));
	assert_true(again.credential_version != user.credential_version);
	assert_false(again.is_enabled);
	assert_true(span_equals(again.home, SPAN("mbx1")));
	assert_true(again.changed_s >= user.changed_s);
	assert_string_equal(again.mailbox_id, user.mailbox_id);

	assert_int_equal(directory_delete(directory, SPAN("tim")), DIRECTORY_OK);
	assert_int_equal(directory_delete(directory, SPAN("tim")), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_set_credential(directory, SPAN("tim"), SPAN("x")),
	    DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_set_enabled(directory, SPAN("tim"), true), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_set_home(directory, SPAN("tim"), SPAN("")), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_count(directory, &count), DIRECTORY_OK);
	assert_int_equal(count, 0);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("three")), DIRECTORY_OK);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &again), DIRECTORY_OK);
	assert_string_not_equal(again.mailbox_id, user.mailbox_id);
	directory_close(&directory);
	arena_free(&arena);
}

static void
lists_by_pages(void **state)
{
	static const char *const names[] = { "bob", "ann", "zoe", "tim@example.org", "'; --" };
	static const char *const sorted[] = { "'; --", "ann", "bob", "tim@example.org", "zoe" };
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user users[2];
	struct span after = SPAN("");
	size_t count, seen = 0;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(directory_add(directory, span_from_string(names[i]), SPAN("")),
		    DIRECTORY_OK);
	do {
		assert_int_equal(directory_list(directory, after, arena, users, 2, &count),
		    DIRECTORY_OK);
		for (size_t i = 0; i < count; i++)
			assert_true(span_equals(users[i].name, span_from_string(sorted[seen++])));
		if (count > 0)
			after = users[count - 1].name;
	} while (count == 2);
	assert_int_equal(seen, COUNT_OF(sorted));
	directory_close(&directory);
	directory_close(&directory);
	arena_free(&arena);
}

static size_t
group_count(struct directory *directory, struct span name)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	size_t count;

	assert_int_equal(directory_lookup(directory, name, arena, &user), DIRECTORY_OK);
	assert_int_equal(user.group_count, 0);
	assert_int_equal(directory_find_groups(directory, arena, &user), DIRECTORY_OK);
	count = user.group_count;
	for (size_t i = 1; i < count; i++)
		assert_true(span_compare(user.groups[i - 1], user.groups[i]) < 0);
	arena_free(&arena);
	return count;
}

static void
keeps_groups(void **state)
{
	static const struct {
		struct span group, name;
	} members[] = {
		{ SPAN("boss"), SPAN("ann") }, { SPAN("sales"), SPAN("ann") }, { SPAN("sales"), SPAN("tim") },
	};
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_member page[2], after = { SPAN(""), SPAN("") };
	size_t count, seen = 0;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_join(directory, SPAN("sales"), SPAN("tim")), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("ann"), SPAN("")), DIRECTORY_OK);
	assert_int_equal(group_count(directory, SPAN("tim")), 0);
	for (size_t i = COUNT_OF(members); i-- > 0;)
		assert_int_equal(directory_join(directory, members[i].group, members[i].name), DIRECTORY_OK);
	assert_int_equal(directory_join(directory, SPAN("sales"), SPAN("tim")), DIRECTORY_OK);	/* again */
	assert_int_equal(group_count(directory, SPAN("ann")), 2);
	assert_int_equal(group_count(directory, SPAN("tim")), 1);
	do {
		assert_int_equal(directory_list_members(directory, &after, arena, page, 2, &count), DIRECTORY_OK);
		for (size_t i = 0; i < count; i++, seen++) {
			assert_true(span_equals(page[i].group, members[seen].group));
			assert_true(span_equals(page[i].name, members[seen].name));
			after = page[i];
		}
	} while (count == 2);
	assert_int_equal(seen, COUNT_OF(members));
	assert_int_equal(directory_leave(directory, SPAN("boss"), SPAN("tim")), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_leave(directory, SPAN("boss"), SPAN("ann")), DIRECTORY_OK);
	assert_int_equal(group_count(directory, SPAN("ann")), 1);

	/* Who gets the name later is in no group. */
	assert_int_equal(directory_delete(directory, SPAN("ann")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("ann"), SPAN("")), DIRECTORY_OK);
	assert_int_equal(group_count(directory, SPAN("ann")), 0);
	directory_close(&directory);
	arena_free(&arena);
}

static void
keeps_shared_accounts(void **state)
{
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("one")), DIRECTORY_OK);
	assert_int_equal(directory_add_shared(directory, SPAN("tim")), DIRECTORY_EXISTS);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &user), DIRECTORY_OK);
	assert_false(user.is_shared);
	assert_int_equal(directory_add_shared(directory, SPAN("support")), DIRECTORY_OK);
	assert_int_equal(directory_add_shared(directory, SPAN("sales")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("support"), SPAN("one")), DIRECTORY_EXISTS);
	assert_int_equal(directory_set_credential(directory, SPAN("support"), SPAN("one")), DIRECTORY_SHARED);
	assert_int_equal(directory_release(directory, SPAN("support")), DIRECTORY_SHARED);
	assert_int_equal(directory_set_home(directory, SPAN("support"), SPAN("mbx1")), DIRECTORY_OK);
	assert_int_equal(directory_lookup(directory, SPAN("support"), arena, &user), DIRECTORY_OK);
	assert_true(user.is_shared);
	assert_int_equal(user.credential.length, 0);
	assert_int_equal(directory_delete(directory, SPAN("support")), DIRECTORY_OK);
	assert_int_equal(directory_add_shared(directory, SPAN("support")), DIRECTORY_OK);
	directory_close(&directory);
	arena_free(&arena);
}

static void
keeps_limits(void **state)
{
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user, listed[2];
	size_t count;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_set_limit(directory, SPAN("tim"), DIRECTORY_STORAGE, 1), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_add(directory, SPAN("ann"), SPAN("")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("")), DIRECTORY_OK);
	assert_int_equal(directory_list_limited(directory, SPAN(""), arena, listed, 2, &count), DIRECTORY_OK);
	assert_int_equal(count, 0);
	assert_int_equal(directory_set_limit(directory, SPAN("tim"), DIRECTORY_MAILBOXES, 5), DIRECTORY_OK);
	assert_int_equal(directory_set_limit(directory, SPAN("tim"), DIRECTORY_STORAGE, DIRECTORY_NO_LIMIT), DIRECTORY_OK);
	assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &user), DIRECTORY_OK);
	assert_int_equal(user.quota.of[DIRECTORY_STORAGE], DIRECTORY_NO_LIMIT);
	assert_int_equal(user.quota.of[DIRECTORY_MESSAGES], 0);
	assert_int_equal(user.quota.of[DIRECTORY_MAILBOXES], 5);
	assert_int_equal(directory_list_limited(directory, SPAN(""), arena, listed, 2, &count), DIRECTORY_OK);
	assert_int_equal(count, 1);
	assert_true(span_equals(listed[0].name, SPAN("tim")));
	assert_int_equal(listed[0].quota.of[DIRECTORY_MAILBOXES], 5);
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		assert_int_equal(directory_set_limit(directory, SPAN("tim"), i, 0), DIRECTORY_OK);
	assert_int_equal(directory_list_limited(directory, SPAN(""), arena, listed, 2, &count), DIRECTORY_OK);
	assert_int_equal(count, 0);
	directory_close(&directory);
	arena_free(&arena);
}

static void
reports_what_is_wrong(void **state)
{
	struct directory *directory = NULL;
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("not a database", file);
	fclose(file);
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_CORRUPT);
	assert_null(directory);
	for (int i = 0; i < DIRECTORY_STATUS_COUNT; i++)
		assert_non_null(directory_status_text((enum directory_status)i));
}

static void
imports_aliases(void **state)
{
	static const enum directory_alias_outcome expected[] = { DIRECTORY_ALIAS_ADDED, DIRECTORY_ALIAS_TAKEN,
		DIRECTORY_ALIAS_OF_NOBODY, DIRECTORY_ALIAS_WAS_THERE, DIRECTORY_ALIAS_TAKEN, DIRECTORY_ALIAS_TAKEN };
	struct directory_new_alias aliases[] = {
		{ .alias = SPAN("info"), .name = SPAN("tim") }, { .alias = SPAN("tim"), .name = SPAN("ann") },
		{ .alias = SPAN("other"), .name = SPAN("nobody") }, { .alias = SPAN("info"), .name = SPAN("tim") },
		{ .alias = SPAN("info"), .name = SPAN("ann") }, { .alias = SPAN("info"), .name = SPAN("nobody") },
	};
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user;

	(void)state;
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("one")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("ann"), SPAN("two")), DIRECTORY_OK);
	for (unsigned flags = DIRECTORY_IMPORT_TRIAL;; flags = 0) {
		assert_int_equal(directory_import_aliases(directory, aliases, COUNT_OF(aliases), flags), DIRECTORY_OK);
		for (size_t i = 0; i < COUNT_OF(aliases); i++)
			assert_int_equal(aliases[i].outcome, expected[i]);
		assert_int_equal(directory_lookup_alias(directory, SPAN("info"), arena, &user),
		    flags == 0 ? DIRECTORY_OK : DIRECTORY_NOT_FOUND);
		if (flags == 0)
			break;
	}
	assert_true(span_equals(user.name, SPAN("tim")));
	assert_int_equal(directory_import_aliases(directory, &aliases[4], 2, DIRECTORY_IMPORT_UPDATES), DIRECTORY_OK);
	assert_int_equal(aliases[4].outcome, DIRECTORY_ALIAS_UPDATED);
	assert_int_equal(aliases[5].outcome, DIRECTORY_ALIAS_TAKEN);
	assert_int_equal(directory_lookup_alias(directory, SPAN("info"), arena, &user), DIRECTORY_OK);
	assert_true(span_equals(user.name, SPAN("ann")));
	assert_int_equal(directory_import_aliases(directory, NULL, 0, 0), DIRECTORY_OK);
	arena_free(&arena);
	directory_close(&directory);
}

int
main(void)
{
#define ON_FILES(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prepares_names),
		ON_FILES(keeps_users),
		ON_FILES(lists_by_pages),
		ON_FILES(keeps_groups),
		ON_FILES(keeps_shared_accounts),
		ON_FILES(keeps_limits),
		ON_FILES(imports_aliases),
		ON_FILES(reports_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
