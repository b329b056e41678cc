/*
 * Which row of directory.db belongs to an entry: each case is a number of lookups, one after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/directory/claim.h"
#include "base/log.h"
#include "base/memory.h"

#define STEPS_MAX 6
#define NAMES_MAX 4

/*
 * A lookup: an entry, which lies at a place, is found with its names.  An entry that begins with "entryUUID=0" is
 * on no server any more.  Or with no entry: a row is made as it was before entries were noted.
 */
struct step {
	const char *entry, *dn;
	const char *names[NAMES_MAX];
	const char *row;	/* the name of the row that belongs to it; NULL: another entry has it */
	int mailbox;		/* the step that first gave the same mailbox */
};

static const struct {
	const char *what;
	struct step steps[STEPS_MAX];
} cases[] = {
	{ "one entry, whatever its names", {
		{ "entryUUID=1", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=1", "dn=a", { "ted", "theo" }, "theo", 0 },
		{ "entryUUID=1", "dn=b", { "theo@example.org", "theo" }, "theo", 0 },
	} },
	{ "a name that is another's later", {
		{ "entryUUID=1", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=2", "dn=a", { "theo" }, NULL, 0 },
		{ "entryUUID=2", "dn=a", { "ted", "theo" }, NULL, 0 },
		{ "entryUUID=1", "dn=b", { "theodore" }, "theodore", 0 },
		{ "entryUUID=2", "dn=a", { "theo" }, "theo", 4 },
	} },
	{ "an entry made anew", {
		{ "entryUUID=01", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=2", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=2", "dn=b", { "theo" }, "theo", 0 },
		{ "entryUUID=3", "dn=b", { "theo" }, NULL, 0 },
		{ "entryUUID=4", "dn=c", { "theo" }, NULL, 0 },
	} },
	{ "two servers with identities of their own", {
		{ "entryUUID=01", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=02", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=01", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=01", "dn=b", { "theo" }, "theo", 0 },
		{ "entryUUID=02", "dn=b", { "theo" }, "theo", 0 },
	} },
	{ "a server that cannot say whether the entry is elsewhere", {
		{ "down", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=2", "dn=a", { NULL }, NULL, 0 },
	} },
	{ "names that two entries share", {
		{ "entryUUID=1", "dn=a", { "ann", "info" }, "ann", 0 },
		{ "entryUUID=2", "dn=b", { "bob", "info" }, "bob", 1 },
	} },
	{ "a name that changes", {
		{ "entryUUID=1", "dn=a", { "maiden" }, "maiden", 0 },
		{ "entryUUID=1", "dn=a", { "married" }, "married", 0 },
		{ "entryUUID=2", "dn=b", { "maiden" }, "maiden", 2 },
		{ "entryUUID=1", "dn=a", { "maiden" }, "married", 0 },	/* a row is in the way */
	} },
	{ "rows from before entries were noted", {
		{ NULL, NULL, { "theo" }, "theo", 0 },
		{ NULL, NULL, { "ted" }, "ted", 1 },
		{ "entryUUID=1", "dn=a", { "theo", "ted" }, "ted", 1 },
		{ "entryUUID=1", "dn=a", { "theo", "ted" }, "ted", 1 },
		{ "entryUUID=2", "dn=b", { "theo" }, "theo", 0 },
	} },
	{ "a server that tells more than before", {
		{ "dn=a", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=1", "dn=a", { "theo" }, "theo", 0 },
		{ "entryUUID=1", "dn=b", { "theo" }, "theo", 0 },
		{ "entryUUID=1", "dn=b", { "theo" }, "theo", 0 },
	} },
	{ "a server that tells less than before", {
		{ "entryUUID=01", "dn=a", { "theo" }, "theo", 0 },
		{ "dn=a", "dn=a", { "theo" }, "theo", 0 },
		{ "dn=b", "dn=b", { "theo" }, NULL, 0 },
	} },
	{ "a server that does not answer, so that no names are known", {
		{ "entryUUID=1", "dn=a", { NULL }, NULL, 0 },
		{ "entryUUID=1", "dn=a", { "theo" }, "theo", 1 },
		{ "entryUUID=1", "dn=a", { NULL }, "theo", 1 },
	} },
};

static char folder[] = "/tmp/imapd-claim-XXXXXX", path[64];

static enum directory_status
ask(void *context, struct span entry, bool *is_there_out)
{
	(void)context;
	*is_there_out = !span_starts_with(entry, SPAN("entryUUID=0"));
	return span_equals(entry, SPAN("down")) ? DIRECTORY_UNAVAILABLE : DIRECTORY_OK;
}

static enum directory_status
look_up(struct directory *directory, const struct step *step, struct arena *arena, struct directory_user *user)
{
	struct span names[NAMES_MAX];
	struct claim claim = { .names = names, .ask = ask };

	while (claim.name_count < NAMES_MAX && step->names[claim.name_count] != NULL) {
		names[claim.name_count] = span_from_string(step->names[claim.name_count]);
		claim.name_count++;
	}
	if (step->entry == NULL) {
		assert_int_equal(directory_add(directory, names[0], SPAN("")), DIRECTORY_OK);
		return directory_lookup(directory, names[0], arena, user);
	}
	claim.entry = span_from_string(step->entry);
	claim.dn = span_from_string(step->dn);
	return claim_mailbox(directory, &claim, arena, user);
}

static void
take_step(struct directory *directory, const struct step *step, struct arena *arena,
    char (*ids)[DIRECTORY_ID_LENGTH + 1], int index)
{
	struct directory_user user = { .created_s = 0 };
	enum directory_status status = look_up(directory, step, arena, &user);

	if (step->row == NULL) {
		assert_int_equal(status, step->names[0] == NULL ? DIRECTORY_UNAVAILABLE : DIRECTORY_AMBIGUOUS);
		return;
	}
	assert_int_equal(status, DIRECTORY_OK);
	assert_true(span_equals(user.name, span_from_string(step->row)));
	assert_int_not_equal(user.created_s, 0);
	memcpy(ids[index], user.mailbox_id, sizeof ids[index]);
	for (int earlier = 0; earlier < step->mailbox; earlier++)
		assert_string_not_equal(ids[earlier], user.mailbox_id);
	assert_string_equal(ids[step->mailbox], user.mailbox_id);
}

static bool
is_step(const struct step *step)
{
	return step->entry != NULL || step->row != NULL;
}

static void
entries_have_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct directory *directory;
		struct arena *arena = arena_new();
		char ids[STEPS_MAX][DIRECTORY_ID_LENGTH + 1] = { { 0 } };

		print_message("%s\n", cases[i].what);
		unlink(path);
		assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
		for (int step = 0; step < STEPS_MAX && is_step(&cases[i].steps[step]); step++)
			take_step(directory, &cases[i].steps[step], arena, ids, step);
		directory_close(&directory);
		arena_free(&arena);
	}
}

/* The operator's two ways out: the mailbox for the entry that has the name now, or a new one for it. */
static void
operator_decides(void **state)
{
	static const struct step old = { "entryUUID=1", "dn=a", { "theo" }, "theo", 0 };
	static const struct step made_anew = { "entryUUID=2", "dn=b", { "theo" }, "theo", 0 };
	struct directory *directory;
	struct arena *arena = arena_new();
	struct directory_user first, user;

	(void)state;
	unlink(path);
	assert_int_equal(directory_open_sqlite(path, &directory), DIRECTORY_OK);
	assert_int_equal(look_up(directory, &old, arena, &first), DIRECTORY_OK);
	assert_int_equal(directory_release(directory, SPAN("nobody")), DIRECTORY_NOT_FOUND);
	assert_int_equal(directory_release(directory, SPAN("theo")), DIRECTORY_OK);
	assert_int_equal(look_up(directory, &made_anew, arena, &user), DIRECTORY_OK);
	assert_string_equal(user.mailbox_id, first.mailbox_id);
	assert_int_equal(look_up(directory, &old, arena, &user), DIRECTORY_AMBIGUOUS);
	assert_int_equal(directory_delete(directory, SPAN("theo")), DIRECTORY_OK);
	assert_int_equal(look_up(directory, &old, arena, &user), DIRECTORY_OK);
	assert_string_not_equal(user.mailbox_id, first.mailbox_id);
	directory_close(&directory);
	arena_free(&arena);
}

static int
make_folder(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/directory.db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_have_rows),
		cmocka_unit_test(operator_decides),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
