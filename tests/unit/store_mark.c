/*
 * The mark of a file: what is gone is missed, what is older gives nothing twice, and what is as it was left is let
 * alone.  A mark that is put back, too, is what a power loss leaves; with it the era changes.
 */
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "sql/sql.h"
#include "store/mark.h"
#include "store/place.h"

#define ERA 77

struct place {
	struct fixture fixture;		/* first: the helpers of the fixture take it */
	char mark[96], kept[96], kept_mark[96];
	enum store_finding finding;
	uint64_t era;
};

static void
copy_one(const char *from, const char *to, const char *suffix)
{
	struct buffer names[2] = { { 0 }, { 0 } }, octets = { 0 };
	struct stat about;
	int in, out;

	buffer_printf(&names[0], "%s%s", from, suffix);
	buffer_printf(&names[1], "%s%s", to, suffix);
	in = open(buffer_string(&names[0]), O_RDONLY);
	remove_file(to, suffix);
	if (in >= 0) {
		assert_true(fstat(in, &about) == 0);
		assert_true(read(in, buffer_reserve(&octets, (size_t)about.st_size + 1), (size_t)about.st_size) ==
		    about.st_size);
		out = open(buffer_string(&names[1]), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(out >= 0 && write(out, octets.at, (size_t)about.st_size) == about.st_size);
		close(in);
		close(out);
	}
	buffer_free(&names[0]);
	buffer_free(&names[1]);
	buffer_free(&octets);
}

static enum store_status
try_open(struct place *place)
{
	struct store_opening opening = { .path = place->fixture.path, .mark_path = place->mark, .era = place->era };
	enum store_status status = store_open_marked(&opening, &place->fixture.store);

	place->finding = opening.finding;
	free(opening.error);
	return status;
}

/* Open, and want to hear this of it. */
static void
reopen(struct place *place, enum store_finding finding)
{
	store_close(&place->fixture.store);
	assert_int_equal(try_open(place), STORE_OK);
	assert_int_equal(place->finding, finding);
	place->fixture.inbox = mailbox_id(&place->fixture, "INBOX");
}

/* Keep the file as it is, in use or not, and the mark. */
static void
backup(struct place *place)
{
	copy_one(place->fixture.path, place->kept, "");
	copy_one(place->fixture.path, place->kept, "-wal");
	copy_one(place->mark, place->kept_mark, "");
}

/* Put the file back; SQLite is not in it. */
static void
restore(struct place *place)
{
	store_close(&place->fixture.store);
	copy_one(place->kept, place->fixture.path, "");
	copy_one(place->kept, place->fixture.path, "-wal");
}

/* What kill -9 leaves. */
static void
crash(struct place *place)
{
	char path[128], mark[128];

	snprintf(path, sizeof path, "%s.crash", place->fixture.path);
	snprintf(mark, sizeof mark, "%s.crash", place->mark);
	copy_one(place->fixture.path, path, "");
	copy_one(place->fixture.path, path, "-wal");
	copy_one(place->mark, mark, "");
	store_close(&place->fixture.store);
	copy_one(path, place->fixture.path, "");
	copy_one(path, place->fixture.path, "-wal");
	copy_one(mark, place->mark, "");
	remove_file(path, "");
	remove_file(path, "-wal");
	remove_file(mark, "");
}

static int
setup(void **state)
{
	struct place *place = NEW(struct place);
	struct fixture *fixture = &place->fixture;

	folder_make(fixture->folder, sizeof fixture->folder, "imapd-mark");
	snprintf(fixture->path, sizeof fixture->path, "%s/user/mail.db", fixture->folder);
	snprintf(place->mark, sizeof place->mark, "%s/marks/user", fixture->folder);
	snprintf(place->kept, sizeof place->kept, "%s/kept", fixture->folder);
	snprintf(place->kept_mark, sizeof place->kept_mark, "%s/kept.mark", fixture->folder);
	fixture->arena = arena_new();
	place->era = ERA;
	assert_int_equal(try_open(place), STORE_OK);
	assert_int_equal(place->finding, STORE_MADE);
	fixture->inbox = mailbox_id(fixture, "INBOX");
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	struct fixture *fixture = &place->fixture;
	char command[128];

	if (fixture->store != NULL)
		assert_verified(fixture->store);
	store_close(&fixture->store);
	snprintf(command, sizeof command, "rm -r %s", fixture->folder);
	assert_int_equal(system(command), 0);
	arena_free(&fixture->arena);
	free(place);
	return 0;
}

static struct store_mailbox
inbox_of(struct place *place)
{
	struct store_mailbox mailbox;

	assert_int_equal(store_mailbox_get(place->fixture.store, place->fixture.inbox, place->fixture.arena, &mailbox),
	    STORE_OK);
	return mailbox;
}

static uint32_t
append_one(struct place *place)
{
	struct store_message message;

	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(try_append(place->fixture.store, place->fixture.inbox, 1, 100, 0, &message), STORE_OK);
	commit(&place->fixture);
	return message.uid;
}

/* Lazily; but the first one after an opening is durable all the same. */
static uint64_t
flag(struct place *place, uint64_t flag)
{
	struct store_flag_change change = { .operation = STORE_FLAGS_ADD, .flags = flag,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result result;
	uint64_t modseq;

	begin(&place->fixture, STORE_LAZY);
	assert_int_equal(store_change_flags(place->fixture.store, place->fixture.inbox, UIDS(1), 1, &change, &result,
	    &modseq), STORE_OK);
	commit(&place->fixture);
	return modseq;
}

static uint64_t
modseq_of_first(struct place *place)
{
	struct store_snapshot snapshot = snapshot_of(&place->fixture, place->fixture.inbox);
	uint64_t modseq = snapshot.messages[0].modseq;

	store_snapshot_fini(&snapshot);
	return modseq;
}

/* All mailboxes: none has a UIDVALIDITY that any had before. */
static void
assert_new_uidvalidities(struct place *place, uint32_t highest_before)
{
	struct store_mailbox *mailboxes;
	size_t count;

	assert_int_equal(store_mailbox_list(place->fixture.store, SPAN(""), place->fixture.arena, &mailboxes, &count), STORE_OK);
	assert_true(count >= 6);
	for (size_t i = 0; i < count; i++)
		assert_true(mailboxes[i].uidvalidity > highest_before);
}

static uint32_t
highest_uidvalidity(struct place *place)
{
	struct store_mailbox *mailboxes;
	uint32_t highest = 0;
	size_t count;

	assert_int_equal(store_mailbox_list(place->fixture.store, SPAN(""), place->fixture.arena, &mailboxes, &count), STORE_OK);
	for (size_t i = 0; i < count; i++)
		highest = mailboxes[i].uidvalidity > highest ? mailboxes[i].uidvalidity : highest;
	return highest;
}

static void
test_as_left(void **state)
{
	struct place *place = *state;
	struct store_mailbox before, after;

	append_one(place);
	flag(place, STORE_FLAG_SEEN);
	before = inbox_of(place);
	reopen(place, STORE_AS_LEFT);
	append_one(place);
	crash(place);
	reopen(place, STORE_AS_LEFT);
	reopen(place, STORE_AS_LEFT);
	after = inbox_of(place);
	assert_int_equal(after.uidvalidity, before.uidvalidity);
	assert_int_equal(after.uidnext, before.uidnext + 1);
}

static void
test_gone(void **state)
{
	struct place *place = *state;
	struct stat about;

	store_close(&place->fixture.store);
	remove_file(place->fixture.path, "");
	assert_int_equal(try_open(place), STORE_MISSING);
	assert_int_equal(try_open(place), STORE_MISSING);
	assert_int_not_equal(stat(place->fixture.path, &about), 0);
	/* What a full disk, or cp, leaves. */
	close(open(place->fixture.path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(try_open(place), STORE_MISSING);
	/* A mark that cannot be read says that there was one. */
	assert_int_equal(truncate(place->mark, 20), 0);
	assert_int_equal(try_open(place), STORE_MISSING);
}

/* Who can open nothing knows nothing of the file: neither that it is gone, nor that it may be another one. */
static void
test_no_descriptors(void **state)
{
	struct place *place = *state;
	struct rlimit before, none;
	uint64_t messages;
	char *error;

	store_close(&place->fixture.store);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(try_open(place), STORE_UNAVAILABLE);
	remove_file(place->fixture.path, "");
	assert_int_equal(try_open(place), STORE_UNAVAILABLE);
	assert_int_equal(store_mark_renew(place->fixture.path, place->mark), STORE_UNAVAILABLE);
	assert_int_not_equal(store_place("nothing", place->fixture.path, place->mark, STORE_PLACE_LEFTOVER, &messages, &error), STORE_OK);
	free(error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(try_open(place), STORE_MISSING);
}

static void
test_renewed(void **state)
{
	struct place *place = *state;
	uint32_t highest;

	clock_fake(1, INT64_C(1700000000) * 1000000);	/* the clock does not help */
	append_one(place);
	highest = highest_uidvalidity(place);
	backup(place);
	assert_int_equal(store_mark_renew(place->fixture.path, place->mark), STORE_EXISTS);
	store_close(&place->fixture.store);
	remove_file(place->fixture.path, "");
	assert_int_equal(store_mark_renew(place->fixture.path, place->mark), STORE_OK);
	reopen(place, STORE_MADE);
	assert_new_uidvalidities(place, highest);
	highest = highest_uidvalidity(place);
	/* It is found after all. */
	restore(place);
	reopen(place, STORE_OLDER);
	assert_new_uidvalidities(place, highest);
	reopen(place, STORE_AS_LEFT);
	clock_fake(0, 0);
}

static uint64_t
third_content(struct place *place)
{
	struct store_snapshot snapshot = snapshot_of(&place->fixture, place->fixture.inbox);
	uint64_t content = snapshot.messages[2].content_id;

	store_snapshot_fini(&snapshot);
	return content;
}

enum moment { CLOSED, IN_USE, IN_USE_THEN_KILLED };

/* UIDs that are given after a restore are told under another UIDVALIDITY. */
static void
older_one(struct place *place, enum moment moment)
{
	uint32_t highest;
	uint64_t content, mailbox;

	append_one(place);
	if (moment == CLOSED)
		reopen(place, STORE_AS_LEFT);
	append_one(place);
	backup(place);
	append_one(place);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(place->fixture.store, SPAN("more"), NULL, &mailbox), STORE_OK);
	commit(&place->fixture);
	highest = highest_uidvalidity(place);
	content = third_content(place);
	if (moment == IN_USE_THEN_KILLED)
		crash(place);
	restore(place);
	reopen(place, STORE_OLDER);
	assert_new_uidvalidities(place, highest);
	append_one(place);
	assert_true(third_content(place) > content);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(place->fixture.store, SPAN("other"), NULL, &content), STORE_OK);
	commit(&place->fixture);
	assert_true(content > mailbox);
	/* Once is enough; and what comes then is no reason either. */
	highest = inbox_of(place).uidvalidity;
	reopen(place, STORE_AS_LEFT);
	append_one(place);
	crash(place);
	reopen(place, STORE_AS_LEFT);
	assert_int_equal(inbox_of(place).uidvalidity, highest);
	/* The same backup again. */
	restore(place);
	reopen(place, STORE_OLDER);
	assert_true(inbox_of(place).uidvalidity > highest);
}

static void
test_older_closed(void **state)
{
	older_one(*state, CLOSED);
}

static void
test_older_in_use(void **state)
{
	older_one(*state, IN_USE);
}

static void
test_older_after_a_kill(void **state)
{
	older_one(*state, IN_USE_THEN_KILLED);
}

/* Even changes of flags alone, and mailboxes that came and went. */
static void
test_older_by_little(void **state)
{
	struct place *place = *state;

	append_one(place);
	backup(place);
	flag(place, STORE_FLAG_SEEN);
	restore(place);
	reopen(place, STORE_OLDER);
	backup(place);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(place->fixture.store, SPAN("brief"), NULL, NULL), STORE_OK);
	commit(&place->fixture);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_delete(place->fixture.store, SPAN("brief"), NULL), STORE_OK);
	commit(&place->fixture);
	restore(place);
	reopen(place, STORE_OLDER);
}

/* A UID that was never told because its transaction failed leaves no trace. */
static void
test_what_failed(void **state)
{
	struct place *place = *state;
	struct store *store = place->fixture.store;

	append_one(place);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(try_append(store, place->fixture.inbox, 1, 100, 0, NULL), STORE_OK);
	assert_int_equal(store_end(store, STORE_OVER_QUOTA), STORE_OVER_QUOTA);
	reopen(place, STORE_AS_LEFT);
	store = place->fixture.store;
	begin(&place->fixture, STORE_DURABLE);
	for (unsigned i = 0; i < 4; i++) {
		enum store_status status = i % 2 == 0 ? STORE_OK : STORE_LIMIT;

		assert_int_equal(store_step_begin(store), STORE_OK);
		assert_int_equal(try_append(store, place->fixture.inbox, i, 100, 0, NULL), STORE_OK);
		assert_int_equal(store_step_end(store, status), status);
	}
	commit(&place->fixture);
	crash(place);
	reopen(place, STORE_AS_LEFT);
	assert_int_equal(inbox_of(place).messages, 3);
}

static void
test_a_mailbox_less(void **state)
{
	struct place *place = *state;
	uint64_t id;

	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(place->fixture.store, SPAN("gone"), NULL, &id), STORE_OK);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(try_append(place->fixture.store, id, i, 100, 0, NULL), STORE_OK);
	commit(&place->fixture);
	begin(&place->fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_delete(place->fixture.store, SPAN("gone"), NULL), STORE_OK);
	commit(&place->fixture);
	reopen(place, STORE_AS_LEFT);
	append_one(place);
	reopen(place, STORE_AS_LEFT);
}

/* The power fails: the mark falls back to what was flushed, and so do changes of flags. */
static void
test_power_loss(void **state)
{
	struct place *place = *state;
	uint64_t modseq;
	uint32_t uid;

	append_one(place);
	reopen(place, STORE_AS_LEFT);
	backup(place);
	append_one(place);
	modseq = inbox_of(place).highest_modseq;
	uid = append_one(place);
	crash(place);
	copy_one(place->kept_mark, place->mark, "");
	place->era++;
	reopen(place, STORE_DOUBTFUL);
	assert_int_equal(inbox_of(place).messages, 3);
	assert_true(inbox_of(place).uidnext > uid && inbox_of(place).highest_modseq > modseq);
	reopen(place, STORE_AS_LEFT);
}

/* ... and the operator puts a backup back, since the file has suffered. */
static void
test_power_loss_and_backup(void **state)
{
	struct place *place = *state;
	uint32_t uid, uidvalidity = inbox_of(place).uidvalidity;
	struct store_mailbox inbox;

	append_one(place);
	reopen(place, STORE_AS_LEFT);
	backup(place);
	for (unsigned i = 0; i < 5; i++)
		uid = append_one(place);
	store_close(&place->fixture.store);
	copy_one(place->kept_mark, place->mark, "");
	restore(place);
	place->era++;
	reopen(place, STORE_DOUBTFUL);
	inbox = inbox_of(place);
	assert_true(inbox.uidvalidity > uidvalidity || inbox.uidnext > uid);
	assert_true(append_one(place) > uid);
}

static void
test_flags_lost_with_the_power(void **state)
{
	struct place *place = *state;
	uint32_t uidvalidity = inbox_of(place).uidvalidity;
	uint64_t modseq;

	append_one(place);
	flag(place, STORE_FLAG_SEEN);
	backup(place);
	modseq = flag(place, STORE_FLAG_FLAGGED);
	crash(place);
	restore(place);		/* the mark was written by the kernel, the change of flags was not */
	place->era++;
	reopen(place, STORE_DOUBTFUL);
	assert_int_equal(inbox_of(place).uidvalidity, uidvalidity);
	assert_true(inbox_of(place).highest_modseq > modseq);
	assert_true(modseq_of_first(place) > modseq);	/* who was told of the flag that is lost hears so */
}

/* Changes of many messages that are not yet in their rows hold for them all the same when all are touched. */
static void
test_many_flags_and_a_power_loss(void **state)
{
	enum { MANY = 70 };
	struct place *place = *state;
	struct store_flag_change change = { .operation = STORE_FLAGS_ADD, .flags = STORE_FLAG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result results[MANY];
	struct store_snapshot snapshot;
	uint32_t uids[MANY];
	uint64_t modseq;

	for (uint32_t i = 0; i < MANY; i++)
		uids[i] = append_one(place);
	begin(&place->fixture, STORE_LAZY);
	assert_int_equal(store_change_flags(place->fixture.store, place->fixture.inbox, uids, MANY, &change, results, &modseq),
	    STORE_OK);
	commit(&place->fixture);
	assert_true(store_has_unsettled_flags(place->fixture.store));
	crash(place);
	place->era++;
	reopen(place, STORE_DOUBTFUL);
	snapshot = snapshot_of(&place->fixture, place->fixture.inbox);
	for (size_t i = 0; i < snapshot.count; i++) {
		assert_int_equal(snapshot.messages[i].flags, STORE_FLAG_SEEN);
		assert_true(snapshot.messages[i].modseq > modseq);
	}
	store_snapshot_fini(&snapshot);
}

/* What may be lost is not forgotten by a start that comes to nothing; nothing is, where the machine went on. */
static void
test_flags_kept_by_the_kernel(void **state)
{
	struct place *place = *state;
	uint64_t modseq;

	append_one(place);
	append_one(place);
	flag(place, STORE_FLAG_SEEN);
	modseq = modseq_of_first(place);
	flag(place, STORE_FLAG_FLAGGED);
	crash(place);
	reopen(place, STORE_AS_LEFT);
	assert_in_range(modseq_of_first(place), modseq, modseq + 1);
	flag(place, STORE_FLAG_ANSWERED);
	modseq = inbox_of(place).highest_modseq;
	crash(place);
	remove_file(place->mark, "");	/* from before there were marks */
	reopen(place, STORE_AS_LEFT);
	assert_true(modseq_of_first(place) > modseq);
}

static void
test_no_room_to_jump(void **state)
{
	struct place *place = *state;
	struct store_mailbox before;
	struct sql *sql;

	store_close(&place->fixture.store);
	assert_int_equal(sql_open(place->fixture.path, "mail", 0, &sql), SQL_OK);
	assert_int_equal(sql_run(sql_prepare(sql, "UPDATE mailbox SET uidnext = 4294967000 WHERE name = 'INBOX'")), SQL_OK);
	sql_close(&sql);
	reopen(place, STORE_AS_LEFT);
	before = inbox_of(place);
	place->era++;
	reopen(place, STORE_DOUBTFUL);
	assert_true(inbox_of(place).uidvalidity > before.uidvalidity);
	assert_int_equal(inbox_of(place).uidnext, before.uidnext);
}

static void
test_a_mark_that_is_broken(void **state)
{
	struct place *place = *state;
	uint32_t uid = append_one(place);
	int mark;

	store_close(&place->fixture.store);
	mark = open(place->mark, O_WRONLY);
	assert_true(pwrite(mark, "x", 1, 30) == 1);
	close(mark);
	reopen(place, STORE_DOUBTFUL);
	assert_true(inbox_of(place).uidnext > uid + 1000);
	reopen(place, STORE_AS_LEFT);
}

/* A file from before there were marks, or before this column. */
static void
test_adopted(void **state)
{
	struct place *place = *state;
	uint32_t uid = append_one(place);

	store_close(&place->fixture.store);
	remove_file(place->mark, "");
	reopen(place, STORE_AS_LEFT);
	assert_int_equal(append_one(place), uid + 1);
	store_close(&place->fixture.store);
	remove_file(place->fixture.path, "");
	assert_int_equal(try_open(place), STORE_MISSING);
}

static void
test_marks_of_an_installation(void **state)
{
	struct place *place = *state;
	char path[128], data[72];

	store_close(&place->fixture.store);
	snprintf(data, sizeof data, "%s/i", place->fixture.folder);
	assert_int_equal(mkdir(data, 0700), 0);
	snprintf(path, sizeof path, "%s/data", data);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/data/ab", data);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/data/ab/abcd", data);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/data/ab/abcd/mail.db", data);
	copy_one(place->fixture.path, path, "");
	assert_true(store_marks_init(data, ERA));
	snprintf(place->mark, sizeof place->mark, "%s/marks/ab/abcd", data);
	snprintf(place->fixture.path, sizeof place->fixture.path, "%s/data/ab/abcd/mail.db", data);
	reopen(place, STORE_AS_LEFT);
	store_close(&place->fixture.store);
	remove_file(place->fixture.path, "");
	assert_true(store_marks_init(data, ERA));	/* once */
	assert_int_equal(try_open(place), STORE_MISSING);
}

static void
test_removed(void **state)
{
	struct place *place = *state;
	struct stat about;

	append_one(place);
	store_close(&place->fixture.store);
	assert_int_equal(store_remove(place->fixture.path, place->mark), STORE_OK);
	assert_int_not_equal(stat(place->fixture.path, &about), 0);
	assert_int_not_equal(stat(place->mark, &about), 0);
	assert_int_equal(store_remove(place->fixture.path, place->mark), STORE_NOT_FOUND);
	reopen(place, STORE_MADE);
}

/* A new era after a power loss and for a copy; the same one after a kill and an orderly end. */
static void
test_era(void **state)
{
	struct place *place = *state;
	char path[128], copy[128];
	uint64_t first, era;
	int file;

	snprintf(path, sizeof path, "%s/lock", place->fixture.folder);
	snprintf(copy, sizeof copy, "%s/lock.copy", place->fixture.folder);
	file = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(store_era_begin(file, &first));
	assert_true(store_era_begin(file, &era));	/* killed */
	assert_int_equal(era, first);
	assert_true(store_era_end(file));
	assert_true(store_era_begin(file, &era));
	assert_int_equal(era, first);
	close(file);
	copy_one(path, copy, "");
	file = open(copy, O_RDWR);
	assert_true(store_era_begin(file, &era));
	assert_int_not_equal(era, first);
	close(file);
	/* Another run of the machine: the state is still "running". */
	file = open(path, O_RDWR);
	assert_true(store_era_begin(file, &first));
	{
		char text[512];
		ssize_t length = pread(file, text, sizeof text - 1, 0);
		char *boot;

		text[length] = '\0';
		boot = strstr(text, "boot ") + 5;
		*boot = *boot == '0' ? '1' : '0';
		assert_true(pwrite(file, text, (size_t)length, 0) == length);
	}
	assert_true(store_era_begin(file, &era));
	assert_int_not_equal(era, first);
	close(file);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_as_left),
		TEST(test_gone),
		TEST(test_no_descriptors),
		TEST(test_renewed),
		TEST(test_older_closed),
		TEST(test_older_in_use),
		TEST(test_older_after_a_kill),
		TEST(test_older_by_little),
		TEST(test_what_failed),
		TEST(test_a_mailbox_less),
		TEST(test_power_loss),
		TEST(test_power_loss_and_backup),
		TEST(test_flags_lost_with_the_power),
		TEST(test_many_flags_and_a_power_loss),
		TEST(test_flags_kept_by_the_kernel),
		TEST(test_no_room_to_jump),
		TEST(test_a_mark_that_is_broken),
		TEST(test_adopted),
		TEST(test_marks_of_an_installation),
		TEST(test_removed),
		TEST(test_era),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
