/*
 * Changes of flags kept beside the rows of messages: whatever is done and read in between, it is as if each had been
 * written at once.
 */
#include "store_fixture.h"

#define MOST	600		/* UIDs of a model */
#define AT_ONCE 200		/* messages that there are at first */

struct model {
	struct fixture *fixture;
	unsigned seed;
	uint32_t uidnext;
	uint64_t highest;
	bool is_there[MOST];
	uint64_t flags[MOST], modseq[MOST];
	struct store_snapshot known;	/* the mailbox as somebody has read it some time ago */
};

static unsigned
draw(struct model *model, unsigned count)
{
	model->seed = model->seed * 1103515245 + 12345;
	return (model->seed >> 16) % count;
}

static void
compare(struct model *model)
{
	struct store_snapshot snapshot = snapshot_of(model->fixture, model->fixture->inbox);
	uint32_t unseen = 0, deleted = 0;
	size_t at = 0;

	for (uint32_t uid = 1; uid < model->uidnext; uid++) {
		if (!model->is_there[uid])
			continue;
		assert_true(at < snapshot.count);
		assert_int_equal(snapshot.messages[at].uid, uid);
		assert_int_equal(snapshot.messages[at].flags, model->flags[uid]);
		assert_int_equal(snapshot.messages[at].modseq, model->modseq[uid]);
		unseen += (model->flags[uid] & STORE_FLAG_SEEN) == 0;
		deleted += (model->flags[uid] & STORE_FLAG_DELETED) != 0;
		at++;
	}
	assert_int_equal(at, snapshot.count);
	assert_int_equal(snapshot.mailbox.unseen, unseen);
	assert_int_equal(snapshot.mailbox.deleted, deleted);
	assert_int_equal(snapshot.mailbox.highest_modseq, model->highest);
	if (draw(model, 2) == 0) {
		store_snapshot_fini(&model->known);
		model->known = snapshot;
	} else {
		store_snapshot_fini(&snapshot);
	}
}

/* What is known of messages, if all of them are known. */
static bool
fill_current(const struct model *model, const uint32_t *uids, size_t count, struct store_flag_current *current)
{
	const struct store_message *at = model->known.messages, *end = at + model->known.count, *before = NULL;

	for (size_t i = 0; i < count; i++) {
		while (at != end && at->uid < uids[i])
			at++;
		if (at == end || at->uid != uids[i])
			return false;
		current[i] = (struct store_flag_current){ at->flags, at->modseq, at->size, before != NULL && before + 1 == at };
		before = at;
	}
	return true;
}

static uint64_t
changed(const struct store_flag_change *change, uint64_t flags)
{
	uint64_t bits = change->flags | (change->keywords.count > 0 ? 1 << 5 : 0);

	return change->operation == STORE_FLAGS_SET ? bits : change->operation == STORE_FLAGS_ADD ? flags | bits : flags & ~bits;
}

/* What the change does, if it is not undone. */
static void
check_results(struct model *model, const struct store_flag_change *change, const struct store_flag_result *results,
    size_t count, bool is_undone)
{
	bool is_changing = false;

	for (size_t i = 0; i < count; i++) {
		uint32_t uid = results[i].uid;
		uint64_t flags = changed(change, model->flags[uid]);

		if (!model->is_there[uid]) {
			assert_int_equal(results[i].outcome, STORE_FLAGS_MISSING);
			continue;
		}
		assert_int_equal(results[i].flags, flags);
		assert_int_equal(results[i].outcome, flags == model->flags[uid] ? STORE_FLAGS_SAME : STORE_FLAGS_CHANGED);
		assert_int_equal(results[i].modseq, flags == model->flags[uid] ? model->modseq[uid] : model->highest + 1);
		if (flags == model->flags[uid] || is_undone)
			continue;
		is_changing = true;
		model->flags[uid] = flags;
		model->modseq[uid] = model->highest + 1;
	}
	model->highest += is_changing;
}

static void
do_change(struct model *model, uint32_t first, uint32_t last, bool is_undone)
{
	static const uint64_t flags[] = { STORE_FLAG_SEEN, STORE_FLAG_DELETED, STORE_FLAG_FLAGGED | STORE_FLAG_SEEN, 0 };
	static const uint16_t keyword = 0;
	struct store_flag_change change = { .operation = (enum store_flag_operation)draw(model, 3), .flags = flags[draw(model, 4)],
		.unchanged_since = UINT64_MAX, .keywords = { &keyword, draw(model, 4) == 0 } };
	bool is_sparse = draw(model, 6) == 0;
	struct store_flag_current current[MOST];
	struct store_flag_result results[MOST];
	uint32_t uids[MOST];
	size_t count = 0;

	for (uint32_t uid = first; uid <= last; uid++)
		if ((model->is_there[uid] || draw(model, 4) == 0) && !(is_sparse && draw(model, 40) == 0))
			uids[count++] = uid;
	if (fill_current(model, uids, count, current)) {
		change.current = current;
		change.current_modseq = model->known.mailbox.highest_modseq;
	}
	begin(model->fixture, STORE_LAZY);
	assert_int_equal(store_step_begin(model->fixture->store), STORE_OK);
	assert_int_equal(store_change_flags(model->fixture->store, model->fixture->inbox, uids, count, &change, results, NULL),
	    STORE_OK);
	store_step_end(model->fixture->store, is_undone ? STORE_LIMIT : STORE_OK);
	commit(model->fixture);
	check_results(model, &change, results, count, is_undone);
}

static void
do_append(struct model *model)
{
	struct store_message message;

	if (model->uidnext == MOST)
		return;
	begin(model->fixture, STORE_DURABLE);
	assert_int_equal(try_append(model->fixture->store, model->fixture->inbox, model->uidnext, 10, STORE_FLAG_FLAGGED, &message),
	    STORE_OK);
	commit(model->fixture);
	assert_int_equal(message.uid, model->uidnext);
	model->is_there[message.uid] = true;
	model->flags[message.uid] = STORE_FLAG_FLAGGED;
	model->modseq[message.uid] = model->highest = message.modseq;
	model->uidnext++;
}

static void
do_expunge(struct model *model)
{
	uint32_t uid = 1 + draw(model, model->uidnext - 1), expunged;
	uint64_t modseq;
	size_t count;

	begin(model->fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(model->fixture->store, model->fixture->inbox, &uid, 1, NULL, &expunged, &count, &modseq), STORE_OK);
	commit(model->fixture);
	assert_int_equal(count, model->is_there[uid]);
	if (count > 0)
		model->highest = modseq;
	model->is_there[uid] = false;
}

/* Copies have the flags that their messages have. */
static void
do_copy(struct model *model, uint64_t to)
{
	uint32_t uids[] = { 1 + draw(model, model->uidnext - 1) };
	struct store_snapshot snapshot;
	struct store_copied copied;
	size_t count;

	begin(model->fixture, STORE_DURABLE);
	assert_int_equal(store_copy(model->fixture->store, model->fixture->inbox, to, uids, 1, &copied, &count), STORE_OK);
	commit(model->fixture);
	assert_int_equal(count, model->is_there[uids[0]]);
	if (count == 0)
		return;
	snapshot = snapshot_of(model->fixture, to);
	assert_int_equal(snapshot.messages[snapshot.count - 1].flags, model->flags[uids[0]]);
	store_snapshot_fini(&snapshot);
}

static void
do_settle(struct model *model, uint32_t most)
{
	bool is_more;

	begin(model->fixture, STORE_DERIVED);
	assert_int_equal(store_settle_flags(model->fixture->store, most, &is_more), STORE_OK);
	commit(model->fixture);
}

static void
step(struct model *model, uint64_t copies)
{
	uint32_t first = 1 + draw(model, model->uidnext - 1), last = first + draw(model, model->uidnext - first);

	switch (draw(model, 12)) {
	case 0:
		do_change(model, first, first, false);
		break;
	case 1:
		do_change(model, first, last, false);
		break;
	case 2:
		do_change(model, 1, model->uidnext - 1, true);
		break;
	case 3:
		do_append(model);
		break;
	case 4:
		do_expunge(model);
		break;
	case 5:
		do_copy(model, copies);
		break;
	case 6:
		do_settle(model, 1 + draw(model, 100));
		break;
	case 7:
		if (draw(model, 8) == 0) {
			store_close(&model->fixture->store);
			fixture_open(model->fixture);
		}
		break;
	default:
		do_change(model, 1, model->uidnext - 1, false);
	}
}

static uint64_t
make_mailbox(struct fixture *fixture, const char *name)
{
	uint64_t id;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_create(fixture->store, span_from_string(name), NULL, &id), STORE_OK);
	commit(fixture);
	return id;
}

static void
make_keyword(struct fixture *fixture)
{
	struct span name = SPAN("one");
	uint64_t flags;

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_keyword_flags(fixture->store, fixture->inbox, &name, 1, &flags), STORE_OK);
	commit(fixture);
	assert_int_equal(flags, 1 << 5);
}

static void
test_model(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = NEW(struct model);
	uint64_t copies = make_mailbox(fixture, "copies");

	make_keyword(fixture);
	append_many(fixture, fixture->inbox, AT_ONCE);
	*model = (struct model){ .fixture = fixture, .seed = 1, .uidnext = AT_ONCE + 1 };
	model->known = snapshot_of(fixture, fixture->inbox);
	model->highest = model->known.mailbox.highest_modseq;
	for (uint32_t uid = 1; uid < model->uidnext; uid++) {
		model->is_there[uid] = true;
		model->modseq[uid] = model->known.messages[uid - 1].modseq;
	}
	for (unsigned i = 0; i < 2000; i++) {
		step(model, copies);
		compare(model);
		if (i % 50 == 0)
			assert_verified(fixture->store);
	}
	store_snapshot_fini(&model->known);
	free(model);
}

/* How many changes the file keeps beside its rows. */
static int
count_kept(struct fixture *fixture)
{
	sqlite3_stmt *query;
	sqlite3 *other;
	int count;

	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT count(*) FROM flag_change", -1, &query, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	count = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(other);
	fixture_open(fixture);
	return count;
}

static void
change_range(struct fixture *fixture, uint32_t first, uint32_t last, enum store_flag_operation operation, uint64_t flags)
{
	struct store_flag_change change = { .operation = operation, .flags = flags, .unchanged_since = UINT64_MAX };
	struct store_flag_result results[MOST];
	uint32_t uids[MOST];

	for (uint32_t uid = first; uid <= last; uid++)
		uids[uid - first] = uid;
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_change_flags(fixture->store, fixture->inbox, uids, last - first + 1, &change, results, NULL), STORE_OK);
	commit(fixture);
}

static void
test_what_is_kept(void **state)
{
	struct fixture *fixture = *state;
	bool is_more = true;

	append_many(fixture, fixture->inbox, AT_ONCE);
	change_range(fixture, 1, 10, STORE_FLAGS_ADD, STORE_FLAG_SEEN);		/* too few */
	assert_int_equal(count_kept(fixture), 0);
	change_range(fixture, 11, AT_ONCE, STORE_FLAGS_ADD, STORE_FLAG_SEEN);
	assert_int_equal(count_kept(fixture), 1);
	change_range(fixture, 11, AT_ONCE, STORE_FLAGS_REMOVE, STORE_FLAG_SEEN);	/* the same messages again */
	assert_int_equal(count_kept(fixture), 1);
	change_range(fixture, 1, 100, STORE_FLAGS_ADD, STORE_FLAG_DELETED);	/* some of them, and others */
	assert_int_equal(count_kept(fixture), 1);
	for (unsigned steps = 0; is_more; steps++) {
		assert_true(steps < 10);
		begin(fixture, STORE_DERIVED);
		assert_int_equal(store_settle_flags(fixture->store, 50, &is_more), STORE_OK);
		commit(fixture);
	}
	assert_false(store_has_unsettled_flags(fixture->store));
	assert_int_equal(count_kept(fixture), 0);
}

static uint64_t
flags_of(struct fixture *fixture, uint32_t uid)
{
	struct store_snapshot snapshot = snapshot_of(fixture, fixture->inbox);
	uint64_t flags = snapshot.messages[uid - 1].flags;

	store_snapshot_fini(&snapshot);
	return flags;
}

/* A message that was changed in between is newer than the first change: that does not hold for it any more. */
static void
test_between(void **state)
{
	struct fixture *fixture = *state;

	append_many(fixture, fixture->inbox, AT_ONCE);
	change_range(fixture, 1, AT_ONCE, STORE_FLAGS_ADD, STORE_FLAG_SEEN);
	change_range(fixture, 50, 50, STORE_FLAGS_REMOVE, STORE_FLAG_SEEN);
	change_range(fixture, 51, 51, STORE_FLAGS_ADD, STORE_FLAG_DRAFT);
	change_range(fixture, 1, AT_ONCE, STORE_FLAGS_ADD, STORE_FLAG_FLAGGED);
	assert_int_equal(flags_of(fixture, 49), STORE_FLAG_SEEN | STORE_FLAG_FLAGGED);
	assert_int_equal(flags_of(fixture, 50), STORE_FLAG_FLAGGED);
	assert_int_equal(flags_of(fixture, 51), STORE_FLAG_SEEN | STORE_FLAG_DRAFT | STORE_FLAG_FLAGGED);
}

/* What was settled in a transaction that is undone is still to be settled. */
static void
test_undone(void **state)
{
	struct fixture *fixture = *state;
	bool is_more = true;

	append_many(fixture, fixture->inbox, AT_ONCE);
	change_range(fixture, 1, AT_ONCE, STORE_FLAGS_ADD, STORE_FLAG_SEEN);
	begin(fixture, STORE_LAZY);
	while (is_more)
		assert_int_equal(store_settle_flags(fixture->store, MOST, &is_more), STORE_OK);
	assert_false(store_has_unsettled_flags(fixture->store));
	assert_int_equal(store_end(fixture->store, STORE_LIMIT), STORE_LIMIT);
	assert_int_equal(flags_of(fixture, 1), STORE_FLAG_SEEN);
}

/* They go with their mailbox. */
static void
test_delete(void **state)
{
	struct fixture *fixture = *state;
	uint64_t inbox = fixture->inbox;

	fixture->inbox = make_mailbox(fixture, "gone");
	append_many(fixture, fixture->inbox, AT_ONCE);
	change_range(fixture, 1, AT_ONCE, STORE_FLAGS_ADD, STORE_FLAG_SEEN);
	fixture->inbox = inbox;
	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_mailbox_delete(fixture->store, SPAN("gone"), NULL), STORE_OK);
	commit(fixture);
	assert_int_equal(count_kept(fixture), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_model, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_kept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_between, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_undone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_delete, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
