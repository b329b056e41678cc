/*
 * What is seen elsewhere: ranges against a naive array of messages, settling, doubt, and modseqs that change no row.
 */
#include "store_fixture.h"

#include "store/seen.h"

#define UIDS_MAX 40

static const struct store_seen_mailbox shared = { "0123456789abcdef", 7, 100 };

struct model {
	bool is_there[UIDS_MAX + 1], is_seen[UIDS_MAX + 1];
	uint64_t modseq[UIDS_MAX + 1];
	uint32_t seed;
};

static uint32_t
draw(struct model *model, uint32_t below)
{
	model->seed = model->seed * 1664525u + 1013904223u;
	return (model->seed >> 8) % below;
}

static struct store_seen
load(struct fixture *fixture, const struct store_seen_mailbox *mailbox)
{
	struct store_seen seen = { 0 };

	assert_int_equal(store_seen_load(fixture->store, mailbox, &seen), STORE_OK);
	return seen;
}

static void
change(struct fixture *fixture, const struct store_seen_mailbox *mailbox, uint32_t first, uint32_t last, bool is_seen)
{
	const struct store_uid_range range = { first, last };

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_seen_change(fixture->store, mailbox, &range, 1, is_seen), STORE_OK);
	commit(fixture);
}

static void
settle(struct fixture *fixture, const struct store_seen_mailbox *mailbox, uint64_t modseq)
{
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_seen_settle(fixture->store, mailbox, modseq), STORE_OK);
	commit(fixture);
}

static void
assert_model(struct fixture *fixture, const struct model *model)
{
	struct store_seen seen = load(fixture, &shared);
	size_t place = 0;

	for (uint32_t uid = 1; uid <= UIDS_MAX; uid++) {
		while (place < seen.count && seen.ranges[place].last < uid)
			place++;
		if (place == seen.count || seen.ranges[place].first > uid) {
			assert_false(model->is_there[uid]);
			continue;
		}
		assert_true(model->is_there[uid]);
		assert_int_equal(seen.ranges[place].is_seen, model->is_seen[uid]);
		assert_int_equal(seen.ranges[place].modseq, model->modseq[uid]);
	}
	store_seen_fini(&seen);
}

static void
test_ranges(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct model model = { .seed = seed };

		begin(fixture, STORE_LAZY);
		assert_int_equal(store_seen_forget(fixture->store, shared.owner, shared.id), STORE_OK);
		commit(fixture);
		for (uint64_t step = 1; step <= 60; step++) {
			uint32_t first = draw(&model, UIDS_MAX) + 1;
			uint32_t last = first + draw(&model, UIDS_MAX - first + 1);
			bool is_seen = draw(&model, 3) > 0;

			change(fixture, &shared, first, last, is_seen);
			for (uint32_t uid = first; uid <= last; uid++) {
				model.is_there[uid] = true;
				model.is_seen[uid] = is_seen;
				model.modseq[uid] = 0;
			}
			assert_model(fixture, &model);
			if (draw(&model, 3) == 0)
				continue;
			settle(fixture, &shared, step);
			for (uint32_t uid = 1; uid <= UIDS_MAX; uid++)
				if (model.is_there[uid] && model.modseq[uid] == 0)
					model.modseq[uid] = step;
			assert_model(fixture, &model);
		}
	}
}

static void
test_ends(void **state)
{
	struct fixture *fixture = *state;
	struct store_seen seen;

	change(fixture, &shared, 1, UINT32_MAX, true);
	change(fixture, &shared, UINT32_MAX, UINT32_MAX, false);
	change(fixture, &shared, 1, 1, false);
	seen = load(fixture, &shared);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ranges[0].last, 1);
	assert_int_equal(seen.ranges[1].last, UINT32_MAX - 1);
	assert_true(seen.ranges[1].is_seen);
	assert_int_equal(seen.ranges[2].first, UINT32_MAX);
	store_seen_fini(&seen);
}

/* Other mailboxes, of other owners, too, are others; and another UIDVALIDITY makes it one. */
static void
test_mailboxes(void **state)
{
	struct fixture *fixture = *state;
	const struct store_seen_mailbox sibling = { shared.owner, 8, 100 }, stranger = { "f", 7, 100 };
	const struct store_seen_mailbox renewed = { shared.owner, 7, 101 };
	struct store_seen seen;
	uint64_t *ids;
	size_t count;

	change(fixture, &shared, 1, 10, true);
	change(fixture, &sibling, 5, 5, true);
	settle(fixture, &sibling, 3);
	seen = load(fixture, &stranger);
	assert_int_equal(seen.count, 0);
	store_seen_fini(&seen);
	assert_int_equal(store_seen_mailboxes(fixture->store, shared.owner, fixture->arena, &ids, &count), STORE_OK);
	assert_int_equal(count, 2);
	assert_int_equal(ids[0], 7);
	assert_int_equal(ids[1], 8);

	change(fixture, &renewed, 3, 3, true);
	seen = load(fixture, &renewed);
	assert_int_equal(seen.uidvalidity, 101);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ranges[0].first, 3);
	store_seen_fini(&seen);

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_seen_forget(fixture->store, shared.owner, 7), STORE_OK);
	commit(fixture);
	assert_int_equal(store_seen_mailboxes(fixture->store, shared.owner, fixture->arena, &ids, &count), STORE_OK);
	assert_int_equal(count, 1);
	seen = load(fixture, &sibling);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ranges[0].modseq, 3);
	store_seen_fini(&seen);
}

static void
test_replace(void **state)
{
	struct fixture *fixture = *state;
	const struct store_seen_range ranges[] = { { 1, 4, true, 9 }, { 6, 6, false, 8 } };
	struct store_seen seen;

	for (uint32_t uid = 1; uid < 10; uid += 2)
		change(fixture, &shared, uid, uid, true);
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_seen_replace(fixture->store, &shared, ranges, COUNT_OF(ranges)), STORE_OK);
	commit(fixture);
	seen = load(fixture, &shared);
	assert_int_equal(seen.count, 2);
	assert_memory_equal(&seen.ranges[0].first, &ranges[0].first, sizeof(uint32_t));
	assert_int_equal(seen.ranges[1].modseq, 8);
	store_seen_fini(&seen);
}

/* What the power may have taken is in doubt until a modseq was given to all. */
static void
test_doubt(void **state)
{
	struct fixture *fixture = *state;
	struct store_seen seen;

	change(fixture, &shared, 1, 10, true);
	settle(fixture, &shared, 5);
	seen = load(fixture, &shared);
	assert_false(seen.is_doubtful);
	store_seen_fini(&seen);

	run_sql(fixture, "UPDATE account SET is_unclean = 1");
	seen = load(fixture, &shared);
	assert_true(seen.is_doubtful);
	assert_int_equal(seen.floor_modseq, 0);
	store_seen_fini(&seen);
	seen = load(fixture, &(struct store_seen_mailbox){ "never seen", 1, 1 });
	assert_true(seen.is_doubtful);
	store_seen_fini(&seen);

	change(fixture, &shared, 3, 3, false);
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_seen_raise(fixture->store, &shared, 77), STORE_OK);
	commit(fixture);
	seen = load(fixture, &shared);
	assert_false(seen.is_doubtful);
	assert_int_equal(seen.floor_modseq, 77);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.ranges[0].modseq, 5);
	assert_int_equal(seen.ranges[1].modseq, 77);
	store_seen_fini(&seen);
}

static void
test_modseq(void **state)
{
	struct fixture *fixture = *state;
	struct store_snapshot snapshot;
	uint64_t modseq = 0;

	append_many(fixture, fixture->inbox, 3);
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_mailbox_take_modseq(fixture->store, fixture->inbox, &modseq), STORE_OK);
	assert_int_equal(store_mailbox_take_modseq(fixture->store, 12345, &modseq), STORE_NOT_FOUND);
	commit(fixture);
	snapshot = snapshot_of(fixture, fixture->inbox);
	assert_int_equal(snapshot.mailbox.highest_modseq, modseq);
	assert_true(snapshot.messages[2].modseq < modseq);
	assert_int_equal(snapshot.mailbox.seen_sharing, STORE_SEEN_AS_CONFIGURED);
	store_snapshot_fini(&snapshot);
}

static void
test_sharing(void **state)
{
	struct fixture *fixture = *state;
	static const enum store_seen_sharing each[] = { STORE_SEEN_SHARED, STORE_SEEN_PRIVATE, STORE_SEEN_AS_CONFIGURED };

	append_many(fixture, fixture->inbox, 3);
	for (size_t i = 0; i < COUNT_OF(each); i++) {
		struct store_snapshot before = snapshot_of(fixture, fixture->inbox), after;

		begin(fixture, STORE_LAZY);
		assert_int_equal(store_mailbox_share_seen(fixture->store, fixture->inbox, each[i]), STORE_OK);
		commit(fixture);
		after = snapshot_of(fixture, fixture->inbox);
		assert_int_equal(after.mailbox.seen_sharing, each[i]);
		assert_true(after.messages[0].modseq > before.mailbox.highest_modseq);
		store_snapshot_fini(&before);
		store_snapshot_fini(&after);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_ends, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mailboxes, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_replace, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_doubt, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_modseq, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sharing, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
