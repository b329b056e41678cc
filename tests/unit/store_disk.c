/*
 * The store on a failing disk: a fixed story is told again and again, and each time the next
 * operation of the disk fails, until the story gets through.  Afterwards, on a disk that works:
 * what was acknowledged is there, nothing is there half, no UID or modseq that was told comes a
 * second time.
 */
#include "store_fixture.h"

#include "../fault/vfs.h"
#include "base/log.h"

#define TOLD_MAX 16

struct told {
	uint32_t uid;
	unsigned number;
	size_t size;
	bool may_be_gone;		/* somebody asked for its expunging */
};

struct story {
	struct fixture *fixture;
	struct store *store;		/* NULL once the disk is beyond hope */
	uint64_t inbox, sent;
	struct told told[TOLD_MAX];	/* messages that were acknowledged */
	size_t told_count;
	uint32_t uid_told;		/* the highest */
	uint64_t modseq_told;
	bool may_be_flagged, may_be_plain;	/* tell_of_flags(): all messages */
	bool is_created;
};

static void
reopen(struct story *story)
{
	store_close(&story->store);
	if (store_open(story->fixture->path, true, &story->store) == STORE_OK)
		story->is_created = true;
	else
		story->store = NULL;
}

/*
 * End a transaction; open the store anew when it says that it must be.  True if it was committed.
 */
static bool
end(struct story *story, enum store_status status)
{
	bool is_kept = store_end(story->store, status) == STORE_OK;

	assert_true(is_kept || !store_is_poisoned(story->store) ||
	    store_begin(story->store, STORE_DURABLE) == STORE_UNAVAILABLE);
	if (store_is_poisoned(story->store))
		reopen(story);
	return is_kept;
}

static bool
begin_part(struct story *story, enum store_durability durability)
{
	if (story->store == NULL)
		reopen(story);
	if (story->store == NULL)
		return false;
	if (store_begin(story->store, durability) == STORE_OK)
		return true;
	if (store_is_poisoned(story->store))
		reopen(story);
	return false;
}

/* Two messages in one transaction. */
static void
append_pair(struct story *story, unsigned number, size_t size)
{
	struct store_message messages[2];
	enum store_status status = STORE_OK;

	if (!begin_part(story, STORE_DURABLE))
		return;
	for (unsigned i = 0; status == STORE_OK && i < 2; i++)
		if ((status = store_step_begin(story->store)) == STORE_OK)
			status =
			    store_step_end(story->store, try_append(story->store, story->inbox,
							     number + i, size, 0, &messages[i]));
	if (!end(story, status))
		return;
	for (unsigned i = 0; i < 2; i++) {
		assert_true(messages[i].uid > story->uid_told);
		assert_true(messages[i].modseq > story->modseq_told);
		story->uid_told = messages[i].uid;
		story->modseq_told = messages[i].modseq;
		story->told[story->told_count++] =
		    (struct told){ messages[i].uid, number + i, size, false };
	}
}

static void
flag_all(struct story *story, enum store_flag_operation operation)
{
	struct store_flag_change change = { .operation = operation, .flags = STORE_FLAG_FLAGGED,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result results[TOLD_MAX];
	uint32_t uids[TOLD_MAX];
	uint64_t modseq = 0;
	enum store_status status;

	if (!begin_part(story, STORE_LAZY))
		return;
	for (size_t i = 0; i < story->told_count; i++)
		uids[i] = story->told[i].uid;
	status = store_change_flags(
	    story->store, story->inbox, uids, story->told_count, &change, results, &modseq);
	if (!end(story, status))
		return;
	for (size_t i = 0; i < story->told_count; i++)
		if (results[i].outcome == STORE_FLAGS_CHANGED)
			assert_true(results[i].modseq > story->modseq_told);
	if (modseq > story->modseq_told)
		story->modseq_told = modseq;
}

static void
copy_first(struct story *story)
{
	struct store_copied copies[1];
	size_t count;

	if (story->told_count == 0 || !begin_part(story, STORE_DURABLE))
		return;
	end(story, store_copy(story->store, story->inbox, story->sent, &story->told[0].uid, 1,
		       copies, &count));
}

static void
expunge_first(struct story *story)
{
	uint32_t expunged[1];
	uint64_t modseq;
	size_t count;
	bool is_more;

	if (story->told_count == 0 || !begin_part(story, STORE_DURABLE))
		return;
	story->told[0].may_be_gone = true;
	if (end(story, store_expunge(story->store, story->inbox, &story->told[0].uid, 1, NULL, expunged,
			   &count, &modseq)) &&
	    modseq > story->modseq_told)
		story->modseq_told = modseq;
	if (begin_part(story, STORE_LAZY))
		end(story, store_purge(story->store, 1, 1, &is_more));
}

static void
rename_mailboxes(struct story *story)
{
	if (!begin_part(story, STORE_DURABLE))
		return;
	if (end(story, store_mailbox_create(story->store, SPAN("a/b"), NULL, NULL)) &&
	    begin_part(story, STORE_DURABLE))
		end(story, store_mailbox_rename(story->store, SPAN("a"), SPAN("c")));
}

static void
tell(struct story *story)
{
	append_pair(story, 10, 50);
	flag_all(story, STORE_FLAGS_ADD);
	append_pair(story, 20, 20000);
	flag_all(story, STORE_FLAGS_REMOVE);
	copy_first(story);
	flag_all(story, STORE_FLAGS_ADD);
	if (story->store != NULL && store_flush(story->store) != STORE_OK)
		reopen(story);
	expunge_first(story);
	rename_mailboxes(story);
	flag_all(story, STORE_FLAGS_REMOVE);
	if (story->store != NULL)
		store_close(&story->store);
	append_pair(story, 30, 9000);
	store_close(&story->store);
}

/* The number in a message that must be whole: those of make_message() and no other. */
static unsigned
check_octets(struct story *story, const struct store_message *message)
{
	struct buffer read = { 0 }, made = { 0 };
	unsigned number = 0;
	size_t header;

	assert_int_equal(
	    store_read_octets(story->store, message->content_id, 0, UINT64_MAX, &read), STORE_OK);
	assert_int_equal(sscanf(buffer_string(&read), "Subject: number %u", &number), 1);
	make_message(&made, number, 0);
	header = made.length;
	buffer_clear(&made);
	make_message(&made, number, read.length - header);
	assert_true(span_equals(buffer_span(&made), buffer_span(&read)));
	buffer_free(&read);
	buffer_free(&made);
	return number;
}

static void
check_told(struct story *story, const struct store_snapshot *snapshot)
{
	unsigned seen[64] = { 0 }, *gone = NULL;

	for (size_t i = 0; i < snapshot->count; i++)
		seen[check_octets(story, &snapshot->messages[i])] = snapshot->messages[i].uid;
	for (size_t i = 0; i < story->told_count; i++) {
		const struct told *told = &story->told[i];

		if (told->may_be_gone)
			gone = &seen[told->number];
		else
			assert_int_equal(seen[told->number], told->uid);
		assert_true(seen[told->number] == told->uid || seen[told->number] == 0);
	}
	for (unsigned number = 10; number <= 30; number += 10)	/* pairs come and stay together */
		assert_true(
		    (seen[number] == 0) == (seen[number + 1] == 0) || gone == &seen[number]);
	assert_true(snapshot->count <= 6);
}

/* On a disk that works again. */
static void
check(struct story *story)
{
	struct store_snapshot snapshot = { 0 };

	assert_int_equal(store_open(story->fixture->path, true, &story->store), STORE_OK);
	assert_verified(story->store);
	assert_int_equal(store_snapshot_init(story->store, story->inbox, &snapshot), STORE_OK);
	check_told(story, &snapshot);
	store_snapshot_fini(&snapshot);
	append_pair(story, 40, 10);
	flag_all(story, STORE_FLAGS_ADD);
	flag_all(story, STORE_FLAGS_REMOVE);
	assert_int_equal(story->told[story->told_count - 1].number, 41);
	store_close(&story->store);
}

/* Flags of many messages at once, which are put into their rows later: all of them have changed, or none. */

#define MANY 70

static void
append_many_at_once(struct story *story)
{
	enum store_status status = STORE_OK;

	if (!begin_part(story, STORE_DURABLE))
		return;
	for (unsigned i = 0; status == STORE_OK && i < MANY; i++)
		status = try_append(story->store, story->inbox, i, 1, 0, NULL);
	end(story, status);
}

static void
flag_many(struct story *story, enum store_flag_operation operation)
{
	struct store_flag_change change = { .operation = operation, .flags = STORE_FLAG_FLAGGED,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result results[MANY];
	uint32_t uids[MANY];

	for (unsigned i = 0; i < MANY; i++)
		uids[i] = i + 1;
	story->may_be_flagged = story->may_be_flagged || operation == STORE_FLAGS_ADD;
	story->may_be_plain = story->may_be_plain || operation == STORE_FLAGS_REMOVE;
	if (!begin_part(story, STORE_LAZY) ||
	    !end(story, store_change_flags(story->store, story->inbox, uids, MANY, &change, results, NULL)))
		return;
	story->may_be_flagged = operation == STORE_FLAGS_ADD;
	story->may_be_plain = operation == STORE_FLAGS_REMOVE;
}

static void
settle_some(struct story *story)
{
	bool is_more;

	if (begin_part(story, STORE_DERIVED))
		end(story, store_settle_flags(story->store, MANY / 2, &is_more));
}

static void
tell_of_flags(struct story *story)
{
	story->may_be_plain = true;
	append_many_at_once(story);
	flag_many(story, STORE_FLAGS_ADD);
	settle_some(story);
	flag_many(story, STORE_FLAGS_REMOVE);
	settle_some(story);
	settle_some(story);
	settle_some(story);
	flag_many(story, STORE_FLAGS_ADD);
	flag_many(story, STORE_FLAGS_REMOVE);
	flag_many(story, STORE_FLAGS_ADD);
	if (story->store != NULL)
		store_close(&story->store);
	settle_some(story);
	store_close(&story->store);
}

/* The power takes flags back that are not yet flushed, but not some of them. */
static void
check_flags(struct story *story, bool has_lost_power)
{
	struct store_snapshot snapshot = { 0 };

	assert_int_equal(store_open(story->fixture->path, true, &story->store), STORE_OK);
	assert_verified(story->store);
	assert_int_equal(store_snapshot_init(story->store, story->inbox, &snapshot), STORE_OK);
	assert_true(snapshot.count == 0 || snapshot.count == MANY);
	for (size_t i = 0; i < snapshot.count; i++)
		assert_int_equal(snapshot.messages[i].flags, snapshot.messages[0].flags);
	if (snapshot.count > 0 && !has_lost_power)
		assert_true(snapshot.messages[0].flags == 0 ? story->may_be_plain : story->may_be_flagged);
	store_snapshot_fini(&snapshot);
	store_close(&story->store);
}

/* Tell a story with one fault; false when it was over before the fault. */
static bool
run(struct fixture *fixture, bool is_of_flags, enum fault fault, unsigned at)
{
	struct story story = { .fixture = fixture, .inbox = fixture->inbox,
		.sent = fixture->inbox + 2 };	/* in the order that store_open() makes them */
	bool has_failed;

	remove_file(fixture->path, "");
	remove_file(fixture->path, "-wal");
	remove_file(fixture->path, "-shm");
	fault_vfs_plan(fault, at);
	(is_of_flags ? tell_of_flags : tell)(&story);
	has_failed = fault_vfs_has_failed();
	fault_vfs_plan(FAULT_NONE, 0);
	if (fault == FAULT_POWER && has_failed)
		fault_vfs_restore();
	if (is_of_flags)
		check_flags(&story, fault == FAULT_POWER);
	else
		check(&story);
	return has_failed;
}

static void
drop_line(enum log_level level, struct span line, void *context)
{
	(void)level;
	(void)line;
	(void)context;
}

static void
run_story(struct fixture *fixture, bool is_of_flags, enum fault fault)
{
	unsigned missed = 0, at = 1;

	log_set_sink(drop_line, NULL);
	/* A full disk is met by writes only, so some numbers in between do nothing. */
	for (; missed < 50; at++)
		missed = run(fixture, is_of_flags, fault, at) ? 0 : missed + 1;
	log_set_sink(NULL, NULL);
	print_message("%u operations failed in turn\n", at - missed - 1);
	assert_true(at > 100);
}

static void
run_all(void **state, enum fault fault)
{
	struct fixture *fixture = *state;

	store_close(&fixture->store);
	run_story(fixture, false, fault);
	run_story(fixture, true, fault);
}

static void
test_one_operation_fails(void **state)
{
	run_all(state, FAULT_IO_ONCE);
}

static void
test_disk_dies(void **state)
{
	run_all(state, FAULT_IO_STICKY);
}

static void
test_disk_is_full_once(void **state)
{
	run_all(state, FAULT_FULL_ONCE);
}

static void
test_disk_is_full_in_the_middle_of_a_write(void **state)
{
	run_all(state, FAULT_SHORT_ONCE);
}

/* A message whose header block becomes shorter by the dictionary that comes with the first one. */
static bool
append_with_dictionary(struct story *story)
{
	struct span piece = SPAN("From: Ada <ada@example.org>\r\nTo: Bob <bob@example.org>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello.\r\n");
	struct store_arrival arrival = { .pieces = &piece, .piece_count = 1, .header_length = (uint32_t)piece.length - 8,
		.compression = STORE_COMPRESSION_ZSTD };

	return begin_part(story, STORE_DURABLE) && end(story, store_append(story->store, story->inbox, &arrival, NULL));
}

/* What the store has noted of a transaction is undone with it, also where it is the commit that fails. */
static void
test_commit_finds_no_room(void **state)
{
	struct fixture *fixture = *state;
	unsigned failed = 0;

	store_close(&fixture->store);
	log_set_sink(drop_line, NULL);
	for (unsigned at = 1, missed = 0; missed < 50; at++) {
		struct story story = { .fixture = fixture, .inbox = fixture->inbox };
		bool is_kept;

		remove_file(fixture->path, "");
		remove_file(fixture->path, "-wal");
		remove_file(fixture->path, "-shm");
		reopen(&story);
		fault_vfs_plan(FAULT_FULL_ONCE, at);
		is_kept = append_with_dictionary(&story);
		missed = fault_vfs_has_failed() ? 0 : missed + 1;
		fault_vfs_plan(FAULT_NONE, 0);
		failed += !is_kept;
		assert_true(append_with_dictionary(&story));
		assert_verified(story.store);
		store_close(&story.store);
	}
	log_set_sink(NULL, NULL);
	assert_true(failed > 0);
}

static void
test_power_goes(void **state)
{
	run_all(state, FAULT_POWER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_operation_fails),
		TEST(test_disk_dies),
		TEST(test_commit_finds_no_room),
		TEST(test_disk_is_full_once),
		TEST(test_disk_is_full_in_the_middle_of_a_write),
		TEST(test_power_goes),
	};

	fault_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
