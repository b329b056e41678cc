/*
 * Users who get another name: what is in the way, what changes at the switch, and what stays reserved until the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "directory/moving.h"
#include "directory/renaming.h"

static char folder[64], path[96];
static struct directory *directory;

static int
make_users(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/imapd-renames-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/directory.db", folder);
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("ada"), SPAN("x")), DIRECTORY_OK);
	assert_int_equal(directory_add(directory, SPAN("bob"), SPAN("y")), DIRECTORY_OK);
	return 0;
}

static int
remove_users(void **state)
{
	char command[128];

	(void)state;
	directory_close(&directory);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static struct directory_rename
row(const char *name, const char *new_name, bool is_told, bool is_walked)
{
	struct directory_rename rename = { .is_told = is_told, .is_walked = is_walked };

	assert_true(directory_prepare_name(span_from_string(name), &rename.name));
	assert_true(directory_prepare_name(span_from_string(new_name), &rename.new_name));
	return rename;
}

static enum directory_hindrance
begin(struct directory_rename *rename)
{
	enum directory_hindrance hindrance;

	assert_int_equal(directory_rename_begin(directory, rename, &hindrance), DIRECTORY_OK);
	return hindrance;
}

static enum directory_hindrance
switch_to(const struct directory_rename *rename)
{
	enum directory_hindrance hindrance;

	assert_int_equal(directory_rename_switch(directory, rename, &hindrance), DIRECTORY_OK);
	return hindrance;
}

static bool
is_user(const char *name)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status = directory_lookup(directory, span_from_string(name), arena, &user);

	arena_free(&arena);
	assert_true(status == DIRECTORY_OK || status == DIRECTORY_NOT_FOUND);
	return status == DIRECTORY_OK;
}

static size_t
count_rows(void)
{
	struct arena *arena = arena_new();
	struct directory_rename *rows;
	size_t count;

	assert_int_equal(directory_rename_list(directory, arena, &rows, &count), DIRECTORY_OK);
	arena_free(&arena);
	return count;
}

static void
finds_what_is_in_the_way(void **state)
{
	static const struct {
		const char *name, *new_name;
		enum directory_hindrance expected;
	} cases[] = {
		{ "nobody", "new", DIRECTORY_NO_USER }, { "ada", "ada", DIRECTORY_SAME_NAME }, { "ada", "bob", DIRECTORY_NEW_IS_USER },
		{ "ada", "info", DIRECTORY_NEW_IS_ALIAS }, { "ada", "sales", DIRECTORY_NEW_IS_GROUP },
	};
	struct directory_move move;
	struct arena *arena = arena_new();
	struct directory_rename rename;

	(void)state;
	assert_int_equal(directory_add_alias(directory, SPAN("info"), SPAN("bob")), DIRECTORY_OK);
	assert_int_equal(directory_join(directory, SPAN("sales"), SPAN("bob")), DIRECTORY_OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		rename = row(cases[i].name, cases[i].new_name, true, true);
		assert_int_equal(begin(&rename), cases[i].expected);
	}
	assert_int_equal(directory_move_begin(directory, SPAN("bob"), SPAN("mbx2"), arena, &move), DIRECTORY_OK);
	rename = row("ada", "new", true, true);
	assert_int_equal(begin(&rename), DIRECTORY_USERS_MOVE);
	assert_int_equal(count_rows(), 0);
	assert_true(is_user("ada"));
	arena_free(&arena);
}

static void
switches_at_once_when_nobody_is_told(void **state)
{
	struct directory_rename rename = row("ada", "info", true, true);
	struct arena *arena = arena_new();
	struct directory_user user;

	(void)state;
	assert_int_equal(directory_add_alias(directory, SPAN("info"), SPAN("ada")), DIRECTORY_OK);
	rename.is_alias = true;
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_true(rename.is_switched && is_user("info") && !is_user("ada"));
	assert_int_equal(count_rows(), 0);
	assert_int_equal(directory_lookup_alias(directory, SPAN("ada"), arena, &user), DIRECTORY_OK);
	assert_true(span_equals(user.name, SPAN("info")));
	assert_int_equal(directory_lookup_alias(directory, SPAN("info"), arena, &user), DIRECTORY_NOT_FOUND);
	arena_free(&arena);
}

static void
keeps_both_names_until_files_are_walked(void **state)
{
	struct directory_rename rename = row("ada", "countess", true, false), again = row("ada", "countess", true, false),
				other = row("bob", "ada", true, false);
	struct directory_name former;
	struct directory_share *shares;
	struct arena *arena = arena_new();
	struct directory_user user;
	size_t count;

	(void)state;
	assert_int_equal(directory_lookup(directory, SPAN("bob"), arena, &user), DIRECTORY_OK);
	assert_int_equal(directory_share_set(directory, user.mailbox_id, SPAN("ada"), true), DIRECTORY_OK);
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(directory_share_list(directory, arena, &shares, &count), DIRECTORY_OK);
	assert_int_equal(count, 2);
	assert_int_equal(directory_find_former(directory, SPAN("countess"), &former), DIRECTORY_OK);
	assert_string_equal(former.text, "ada");
	assert_int_equal(directory_add(directory, SPAN("ada"), SPAN("z")), DIRECTORY_EXISTS);
	assert_int_equal(directory_add_alias(directory, SPAN("ada"), SPAN("bob")), DIRECTORY_EXISTS);
	assert_int_equal(directory_delete(directory, SPAN("countess")), DIRECTORY_BUSY);
	assert_int_equal(begin(&other), DIRECTORY_USERS_ARE_RENAMED);
	assert_int_equal(begin(&again), DIRECTORY_UNHINDERED);
	assert_string_equal(again.rename_id, rename.rename_id);
	assert_int_equal(directory_rename_walked(directory, &rename), DIRECTORY_OK);
	assert_int_equal(directory_share_list(directory, arena, &shares, &count), DIRECTORY_OK);
	assert_true(count == 1 && span_equals(shares[0].identifier, SPAN("countess")));
	assert_int_equal(directory_find_former(directory, SPAN("countess"), &former), DIRECTORY_OK);
	assert_int_equal(former.length, 0);
	assert_int_equal(count_rows(), 0);
	assert_int_equal(directory_add(directory, SPAN("ada"), SPAN("z")), DIRECTORY_OK);
	assert_int_equal(directory_delete(directory, SPAN("countess")), DIRECTORY_OK);
	arena_free(&arena);
}

static void
waits_for_the_switch_and_is_taken_back(void **state)
{
	struct directory_rename rename = row("ada", "countess", false, true);
	enum directory_presence presence;
	struct directory_move move;
	struct arena *arena = arena_new();

	(void)state;
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_true(!rename.is_switched && is_user("ada"));
	assert_int_equal(directory_find_presence(directory, SPAN("countess"), &presence), DIRECTORY_OK);
	assert_int_equal(presence, DIRECTORY_ARRIVING);
	assert_int_equal(directory_move_begin(directory, SPAN("bob"), SPAN("mbx2"), arena, &move), DIRECTORY_BUSY);
	assert_int_equal(directory_rename_drop(directory, &rename), DIRECTORY_OK);
	assert_int_equal(count_rows(), 0);
	rename.rename_id[0] = '\0';
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(directory_rename_drop(directory, &rename), DIRECTORY_OK);
	assert_true(is_user("countess") && count_rows() == 1);
	assert_int_equal(directory_rename_told(directory, &rename), DIRECTORY_OK);
	assert_int_equal(count_rows(), 0);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	arena_free(&arena);
}

static void
is_asked_where_the_user_is_not(void **state)
{
	struct directory_rename rename = row("far", "away", true, false);

	(void)state;
	memset(rename.rename_id, '7', DIRECTORY_RENAME_ID_LENGTH);
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_false(rename.is_switched);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	assert_true(!is_user("away") && count_rows() == 1);
	assert_int_equal(directory_rename_walked(directory, &rename), DIRECTORY_OK);
	assert_int_equal(count_rows(), 0);
}

/* By its id, or by its names as long as they are whose they were. */
static void
is_known_when_it_is_over(void **state)
{
	struct directory_rename rename = row("ada", "countess", true, true), again = row("ada", "countess", true, true),
				other = row("ada", "countess", true, true);

	(void)state;
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(count_rows(), 0);
	assert_int_equal(begin(&again), DIRECTORY_UNHINDERED);
	assert_true(again.is_over && again.is_switched && count_rows() == 0);
	other.is_alias = true;
	assert_int_equal(begin(&other), DIRECTORY_NO_USER);
	assert_int_equal(directory_add(directory, SPAN("ada"), SPAN("z")), DIRECTORY_OK);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	assert_true(is_user("ada") && is_user("countess"));
	again.rename_id[0] = '\0';
	assert_int_equal(begin(&again), DIRECTORY_NEW_IS_USER);
}

/* A mailbox server whose directory is older than the question, or younger, does what has happened elsewhere. */
static void
happens_though_it_was_never_noted(void **state)
{
	struct directory_rename rename = row("ada", "countess", true, false), far = row("far", "bob", true, false),
				taken = row("bob", "countess", true, false);

	(void)state;
	memset(rename.rename_id, '1', DIRECTORY_RENAME_ID_LENGTH);
	memset(far.rename_id, '2', DIRECTORY_RENAME_ID_LENGTH);
	memset(taken.rename_id, '3', DIRECTORY_RENAME_ID_LENGTH);
	assert_int_equal(switch_to(&rename), DIRECTORY_UNHINDERED);
	assert_true(is_user("countess") && !is_user("ada") && count_rows() == 1);
	assert_int_equal(switch_to(&taken), DIRECTORY_NEW_IS_USER);
	assert_int_equal(directory_rename_walked(directory, &rename), DIRECTORY_OK);
	assert_int_equal(switch_to(&taken), DIRECTORY_NEW_IS_USER);
	assert_int_equal(switch_to(&far), DIRECTORY_UNHINDERED);	/* files may say the old name of a user who lives elsewhere */
	assert_true(is_user("bob") && count_rows() == 1);
}

/* Whoever ordered it has lost it, and orders it anew. */
static void
is_taken_over_by_another_order(void **state)
{
	struct directory_rename rename = row("ada", "countess", true, false), again = row("ada", "countess", true, false),
				other = row("ada", "duchess", true, false), mine = row("bob", "robert", false, true),
				theirs = row("bob", "robert", true, false);

	(void)state;
	memset(rename.rename_id, '1', DIRECTORY_RENAME_ID_LENGTH);
	memset(again.rename_id, '2', DIRECTORY_RENAME_ID_LENGTH);
	memset(other.rename_id, '3', DIRECTORY_RENAME_ID_LENGTH);
	memset(theirs.rename_id, '4', DIRECTORY_RENAME_ID_LENGTH);
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	assert_int_equal(begin(&other), DIRECTORY_USERS_ARE_RENAMED);
	assert_int_equal(begin(&again), DIRECTORY_UNHINDERED);
	assert_int_equal(switch_to(&rename), DIRECTORY_USERS_ARE_RENAMED);
	assert_int_equal(directory_rename_drop(directory, &rename), DIRECTORY_OK);
	assert_int_equal(switch_to(&again), DIRECTORY_UNHINDERED);
	assert_true(is_user("countess"));
	assert_int_equal(directory_rename_walked(directory, &again), DIRECTORY_OK);
	assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);		/* it is over under any id */
	assert_int_equal(count_rows(), 0);
	assert_int_equal(begin(&mine), DIRECTORY_UNHINDERED);
	assert_int_equal(begin(&theirs), DIRECTORY_USERS_ARE_RENAMED);	/* what this host has ordered is not */
}

/* More than there is room for at first. */
static void
lists_all_that_is_noted(void **state)
{
	struct arena *arena = arena_new();
	struct directory_rename *rows;
	size_t count;

	(void)state;
	for (int i = 0; i < 19; i++) {
		struct directory_rename rename;
		char name[16], new_name[16];

		snprintf(name, sizeof name, "a%02d", i);
		snprintf(new_name, sizeof new_name, "b%02d", i);
		rename = row(name, new_name, true, false);
		memset(rename.rename_id, 'a' + i, DIRECTORY_RENAME_ID_LENGTH);
		assert_int_equal(begin(&rename), DIRECTORY_UNHINDERED);
	}
	assert_int_equal(directory_rename_list(directory, arena, &rows, &count), DIRECTORY_OK);
	assert_int_equal(count, 19);
	for (size_t i = 0; i < count; i++)
		assert_true(rows[i].rename_id[0] == 'a' + (char)i && rows[i].name.text[2] == '0' + (char)(i % 10));
	arena_free(&arena);
}

static void
lists_mailboxes_by_their_ids(void **state)
{
	struct arena *arena = arena_new();
	struct directory_mailbox page[1], last = { .mailbox_id = "" };
	size_t count, seen = 0;

	(void)state;
	do {
		assert_int_equal(directory_list_mailboxes(directory, span_from_string(last.mailbox_id), arena, page, 1, &count),
		    DIRECTORY_OK);
		assert_true(count == 0 || strcmp(page[0].mailbox_id, last.mailbox_id) > 0);
		last = page[0];
		seen += count;
	} while (count == 1);
	assert_int_equal(seen, 2);
	arena_free(&arena);
}

int
main(void)
{
#define WITH_USERS(test) cmocka_unit_test_setup_teardown(test, make_users, remove_users)
	const struct CMUnitTest tests[] = {
		WITH_USERS(finds_what_is_in_the_way),
		WITH_USERS(switches_at_once_when_nobody_is_told),
		WITH_USERS(keeps_both_names_until_files_are_walked),
		WITH_USERS(waits_for_the_switch_and_is_taken_back),
		WITH_USERS(is_asked_where_the_user_is_not),
		WITH_USERS(is_known_when_it_is_over),
		WITH_USERS(happens_though_it_was_never_noted),
		WITH_USERS(is_taken_over_by_another_order),
		WITH_USERS(lists_all_that_is_noted),
		WITH_USERS(lists_mailboxes_by_their_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
