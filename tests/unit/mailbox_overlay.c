/*
 * Overlays with real files: the owner's and the viewer's queue run in any order, are cut off anywhere, and a client that
 * believes what it was told up to some modseq never misses a change.
 */
#include "store_fixture.h"

#include "../../src/mailbox/shared/bulletin.h"
#include "../../src/mailbox/shared/seen.h"

#define UIDS_MAX    400
#define CHANGED_MAX 8

/* What the room's account does: jobs in a queue, each in a transaction of its own when somebody lets it run. */
struct account {
	const char *id;
	struct fixture *fixture;
	struct states states;
	struct list overlays, queue;
	struct state_cache *kept;
	unsigned holders;
	bool is_dead;			/* nothing reaches the file any more */
};

struct queued {
	struct list link;
	struct account_job *job;
};

void
account_submit(struct account *account, struct account_job *job)
{
	struct queued *queued = NEW(struct queued);

	job->account = account;
	queued->job = job;
	list_push_back(&account->queue, &queued->link);
}

static bool
run_one(struct account *account)
{
	struct list *link = list_pop_front(&account->queue);
	struct queued *queued;
	struct account_job *job;

	if (link == NULL)
		return false;
	queued = LIST_ENTRY(link, struct queued, link);
	job = queued->job;
	free(queued);
	if (!account->is_dead && job->kind == ACCOUNT_LAZY)
		begin(account->fixture, STORE_LAZY);
	job->status = account->is_dead ? STORE_UNAVAILABLE : job->work(account->fixture->store, job);
	if (!account->is_dead && job->kind == ACCOUNT_LAZY)
		job->status = store_end(account->fixture->store, job->status);
	job->done(job);
	return true;
}

struct states *
account_states(struct account *account)
{
	return &account->states;
}

struct list *
account_overlays(struct account *account)
{
	return &account->overlays;
}

struct state_cache *
account_state_cache(struct account *account)
{
	return account->kept;
}

const char *
account_id(const struct account *account)
{
	return account->id;
}

struct account *
account_keep(struct account *account)
{
	account->holders++;
	return account;
}

void
account_release(struct account **account)
{
	(*account)->holders--;
	*account = NULL;
}

void
bulletin_note_messages(struct account *account, uint64_t mailbox_id, unsigned events)
{
	(void)account;
	(void)mailbox_id;
	(void)events;
}

void
account_tend(struct account *account)
{
	(void)account;
}

void
account_has_garbage(struct account *account)
{
	(void)account;
}

/* Two files, and what is true of them. */
struct world {
	struct account owner, viewer;
	struct state_cache kept;
	struct state_waiter waiter;
	struct state *state;		/* of the viewer; held; NULL: not loaded */
	struct state *plain;		/* of the owner */
	struct state_waiter plain_waiter;
	uint32_t seed;
	bool is_seen[UIDS_MAX + 1];	/* as was answered */
	bool is_changing[UIDS_MAX + 1];	/* what is asked for is not answered yet */
	/* A client that was told everything up to a modseq. */
	uint64_t known_modseq, modseqs[UIDS_MAX + 1];
	bool known[UIDS_MAX + 1];
};

/* A change under way; each has memory of its own, as what it was made for may go. */
struct made {
	struct seen_change change;
	struct world *world;
	uint32_t uids[CHANGED_MAX], all[CHANGED_MAX];
	size_t asked;
	enum store_status *status;
};

static uint32_t
draw(struct world *world, uint32_t below)
{
	world->seed = world->seed * 1664525u + 1013904223u;
	return (world->seed >> 8) % below;
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	CONTAINER_OF(waiter, struct world, waiter)->state = state;
}

static void
on_plain_ready(struct state_waiter *waiter, struct state *state)
{
	CONTAINER_OF(waiter, struct world, plain_waiter)->plain = state;
}

static bool
run_any(struct world *world)
{
	bool is_owner = draw(world, 2) == 0;

	return run_one(is_owner ? &world->owner : &world->viewer) ||
	    run_one(is_owner ? &world->viewer : &world->owner);
}

static void
run_all(struct world *world)
{
	while (run_any(world))
		;
}

static void
look(struct world *world)
{
	world->waiter.on_ready = on_ready;
	state_hold_for(&world->owner, world->owner.fixture->inbox, &world->viewer, &world->waiter);
	while (world->state == NULL)
		assert_true(run_any(world));
	assert_int_equal(world->state->phase, STATE_READY);
}

static void
look_plainly(struct world *world)
{
	world->plain_waiter.on_ready = on_plain_ready;
	state_hold(&world->owner, world->owner.fixture->inbox, &world->plain_waiter);
	while (world->plain == NULL)
		assert_true(run_any(world));
}

static void
leave(struct world *world)
{
	state_release(&world->state);
	state_release(&world->plain);
	state_cache_clear(&world->kept);
}

static struct fixture *
new_fixture(void)
{
	void *fixture = NULL;

	fixture_setup(&fixture);
	return fixture;
}

static void
account_init(struct account *account, const char *id, struct world *world)
{
	*account = (struct account){ .id = id, .fixture = new_fixture(), .kept = &world->kept };
	states_init(&account->states);
	list_init(&account->overlays);
	list_init(&account->queue);
}

static struct world *
world_new(uint32_t seed)
{
	struct world *world = NEW(struct world);

	world->seed = seed;
	state_cache_init(&world->kept, 1 << 20, 2);
	account_init(&world->owner, "owner", world);
	account_init(&world->viewer, "viewer", world);
	return world;
}

static void
world_free(struct world *world)
{
	void *owner = world->owner.fixture, *viewer = world->viewer.fixture;

	run_all(world);
	leave(world);
	assert_int_equal(world->viewer.holders, 0);
	fixture_teardown(&owner);
	fixture_teardown(&viewer);
	free(world);
}

/* The client asks for all that has changed since: RFC 7162 section 3.1.4.1. */
static void
catch_up(struct world *world)
{
	const struct state *state = world->state;

	assert_true(state->highest_modseq >= world->known_modseq);
	for (size_t i = 0; i < state->count; i++) {
		const struct store_message *message = &state->messages[i];
		bool is_seen = (message->flags & STORE_FLAG_SEEN) != 0;

		assert_true(message->modseq <= state->highest_modseq);
		assert_true(message->modseq >= world->modseqs[message->uid]);
		if (message->modseq <= world->known_modseq)
			assert_int_equal(world->known[message->uid], is_seen);
		world->known[message->uid] = is_seen;
		world->modseqs[message->uid] = message->modseq;
	}
	world->known_modseq = state->highest_modseq;
}

/* What was answered is so, and the counter is right. */
static void
assert_truth(const struct world *world)
{
	const struct state *state = world->state;
	uint32_t unseen = 0;

	for (size_t i = 0; i < state->count; i++) {
		bool is_seen = (state->messages[i].flags & STORE_FLAG_SEEN) != 0;

		unseen += !is_seen;
		if (!world->is_changing[state->messages[i].uid])
			assert_int_equal(is_seen, world->is_seen[state->messages[i].uid]);
	}
	assert_int_equal(unseen, state->unseen);
}

/* What the owner does; each is a job of its own. */
static void
append(struct world *world, uint64_t flags)
{
	struct fixture *fixture = world->owner.fixture;
	struct store_message message;

	begin(fixture, STORE_LAZY);
	assert_int_equal(try_append(fixture->store, fixture->inbox, 1, 10, flags, &message), STORE_OK);
	commit(fixture);
	state_appended(&world->owner, fixture->inbox, &message, 1);
}

static void
change_owners(struct world *world, uint32_t uid, uint64_t flags)
{
	const struct store_flag_change change = { .operation = STORE_FLAGS_SET, .flags = flags,
		.unchanged_since = UINT64_MAX };
	struct fixture *fixture = world->owner.fixture;
	struct store_flag_result result;

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_change_flags(fixture->store, fixture->inbox, &uid, 1, &change, &result, NULL), STORE_OK);
	commit(fixture);
	state_flags_changed(&world->owner, fixture->inbox, &result, 1);
}

static void
expunge(struct world *world, uint32_t uid)
{
	struct fixture *fixture = world->owner.fixture;
	uint64_t modseq;
	size_t count;

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, &uid, 1, NULL, &uid, &count, &modseq), STORE_OK);
	commit(fixture);
	state_expunged(&world->owner, fixture->inbox, &uid, count, modseq);
}

static void
on_turn(struct seen_change *change)
{
	struct made *made = CONTAINER_OF(change, struct made, change);

	made->asked = change->count;
	memcpy(made->all, made->uids, sizeof made->all);
	for (size_t i = 0; i < made->asked; i++)
		made->world->is_changing[made->all[i]] = true;
	seen_change_write(change);
}

static void
on_changed(struct seen_change *change, enum store_status status)
{
	struct made *made = CONTAINER_OF(change, struct made, change);
	struct world *world = made->world;
	bool is_answered = status == STORE_OK && !world->owner.is_dead;

	if (made->status != NULL)
		*made->status = status;
	if (status == STORE_OK)
		state_seen_changed(change->state, change->uids, change->count, change->is_seen, change->modseq);
	for (size_t i = 0; i < made->asked && is_answered; i++)
		world->is_changing[made->all[i]] = false;
	for (size_t i = 0; i < change->count && is_answered; i++)
		world->is_seen[change->uids[i]] = change->is_seen;
	seen_change_end(change);
	free(made);
}

static struct made *
made_new(struct world *world, bool is_seen)
{
	struct made *made = NEW(struct made);

	made->world = world;
	made->change = (struct seen_change){ .on_turn = on_turn, .done = on_changed, .uids = made->uids, .is_seen = is_seen };
	return made;
}

/* Some messages, by rising UIDs. */
static void
change_seen(struct world *world)
{
	struct made *made = made_new(world, draw(world, 3) > 0);
	size_t wanted = 1 + draw(world, CHANGED_MAX), count = world->state->count;

	for (size_t i = draw(world, 4); i < count && made->change.count < wanted; i += 1 + draw(world, 3))
		made->uids[made->change.count++] = world->state->messages[i].uid;
	if (made->change.count == 0)
		free(made);
	else
		seen_change_begin(&made->change, world->state);
}

static uint32_t
any_uid(struct world *world)
{
	return world->state->count == 0 ? 1 : world->state->messages[draw(world, (uint32_t)world->state->count)].uid;
}

static void
step(struct world *world)
{
	switch (draw(world, 12)) {
	case 0: case 1:
		if (world->state->uidnext < UIDS_MAX)
			append(world, draw(world, 2) == 0 ? STORE_FLAG_SEEN : 0);
		break;
	case 2:
		change_owners(world, any_uid(world), draw(world, 2) == 0 ? STORE_FLAG_SEEN : STORE_FLAG_FLAGGED);
		break;
	case 3:
		if (world->state->count > 20)
			expunge(world, any_uid(world));
		break;
	case 4: case 5: case 6: case 7:
		change_seen(world);
		break;
	case 8:
		catch_up(world);
		break;
	default:
		run_any(world);
	}
}

/* Let go of everything, and look again. */
static void
reload(struct world *world)
{
	run_all(world);
	catch_up(world);
	leave(world);
	assert_int_equal(world->owner.states.count, 0);
	look(world);
	catch_up(world);
	assert_truth(world);
}

static void
test_interleaved(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++) {
		struct world *world = world_new(seed);

		look(world);
		for (unsigned i = 0; i < 400; i++) {
			step(world);
			if (draw(world, 60) == 0)
				reload(world);
		}
		reload(world);
		world_free(world);
	}
}

/* Nothing that is under way is done; the files are as they are. */
static void
die(struct world *world)
{
	world->owner.is_dead = world->viewer.is_dead = true;
	run_all(world);
	leave(world);
	world->owner.is_dead = world->viewer.is_dead = false;
}

/*
 * The process dies after any job.  What was answered is kept, and so may be what was written and not yet answered, but
 * no client is left with what is not so.
 */
static void
test_cut_off(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 16; seed++) {
		struct world *world = world_new(seed);

		look(world);
		for (unsigned i = 0; i < 60 + 5 * seed; i++)
			step(world);
		die(world);
		look(world);
		catch_up(world);
		assert_truth(world);
		world_free(world);
	}
}

/* One change of messages that lie together is one range; and both see only what is theirs. */
static void
test_apart(void **state)
{
	struct world *world = world_new(1);
	struct store_seen seen;
	struct store_seen_mailbox mailbox;
	struct made *made;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		append(world, STORE_FLAG_SEEN);
	expunge(world, 3);
	look(world);
	look_plainly(world);
	assert_int_equal(world->state->unseen, 5);
	assert_int_equal(world->plain->unseen, 0);

	made = made_new(world, true);
	memcpy(made->uids, (uint32_t[]){ 1, 2, 4, 6 }, 4 * sizeof(uint32_t));
	made->change.count = 4;
	seen_change_begin(&made->change, world->state);
	run_all(world);
	assert_int_equal(world->state->unseen, 1);
	assert_int_equal(world->state->highest_modseq, world->plain->highest_modseq);
	assert_true(state_message(world->state, 4)->modseq > state_message(world->plain, 4)->modseq);
	mailbox = overlay_mailbox(world->state);
	assert_int_equal(store_seen_load(world->viewer.fixture->store, &mailbox, &seen), STORE_OK);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ranges[0].last, 4);
	assert_int_equal(seen.ranges[0].modseq, world->state->highest_modseq);
	store_seen_fini(&seen);

	change_owners(world, 1, STORE_FLAG_FLAGGED);
	assert_int_equal(state_message(world->state, 1)->flags, STORE_FLAG_FLAGGED | STORE_FLAG_SEEN);
	assert_int_equal(state_message(world->plain, 1)->flags, STORE_FLAG_FLAGGED);
	world_free(world);
}

static enum store_status
refuse(struct store *store, struct seen_change *change)
{
	(void)store;
	(void)change;
	return STORE_FORBIDDEN;
}

/* What the owner's side refuses leaves nothing behind. */
static void
test_refused(void **state)
{
	struct world *world = world_new(1);
	enum store_status status = STORE_OK;
	struct made *made;

	(void)state;
	append(world, 0);
	look(world);
	made = made_new(world, true);
	made->change.check = refuse;
	made->uids[0] = 1;
	made->change.count = 1;
	made->status = &status;
	seen_change_begin(&made->change, world->state);
	run_all(world);
	assert_int_equal(status, STORE_FORBIDDEN);
	assert_truth(world);
	reload(world);
	assert_int_equal(world->state->unseen, 1);
	world_free(world);
}

/* Ranges of messages that have gone, and of many small changes, become few; what they say stays. */
static void
test_tidied(void **state)
{
	struct world *world = world_new(1);
	struct store_seen_mailbox mailbox;
	struct store_seen seen;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		append(world, 0);
	look(world);
	for (uint32_t uid = 1; uid <= 200; uid++) {
		struct made *made = made_new(world, true);

		made->uids[0] = uid;
		made->change.count = 1;
		seen_change_begin(&made->change, world->state);
		run_all(world);
	}
	for (uint32_t uid = 1; uid <= 200; uid++)
		if (uid % 4 != 0)
			expunge(world, uid);
	mailbox = overlay_mailbox(world->state);
	reload(world);
	run_all(world);
	assert_int_equal(store_seen_load(world->viewer.fixture->store, &mailbox, &seen), STORE_OK);
	assert_int_equal(seen.count, 50);
	store_seen_fini(&seen);
	reload(world);
	world_free(world);
}

/* A mailbox that is gone, or made anew, is forgotten. */
static void
test_gone(void **state)
{
	struct world *world = world_new(1);
	struct fixture *viewer = world->viewer.fixture;
	const struct store_uid_range range = { 1, 5 };
	uint64_t *ids;
	size_t count;

	(void)state;
	begin(viewer, STORE_LAZY);
	assert_int_equal(store_seen_change(viewer->store, &(struct store_seen_mailbox){ "owner", 999, 1 }, &range, 1, true),
	    STORE_OK);
	assert_int_equal(store_seen_change(viewer->store,
	    &(struct store_seen_mailbox){ "owner", world->owner.fixture->inbox, 1 }, &range, 1, true), STORE_OK);
	commit(viewer);
	append(world, 0);
	look(world);
	assert_int_equal(world->state->unseen, 1);	/* it has another UIDVALIDITY */
	run_all(world);
	assert_int_equal(store_seen_mailboxes(viewer->store, "owner", viewer->arena, &ids, &count), STORE_OK);
	assert_int_equal(count, 1);
	world_free(world);
}

/* When the viewer's file is lost, whoever has it open is told that it is. */
static void
test_lost(void **state)
{
	struct world *world = world_new(1);

	(void)state;
	append(world, 0);
	look(world);
	look_plainly(world);
	state_all_lost(&world->viewer);
	assert_int_equal(world->state->phase, STATE_GONE);
	assert_int_equal(world->plain->phase, STATE_READY);
	state_release(&world->state);
	look(world);
	state_deleted(&world->owner, world->owner.fixture->inbox);
	assert_int_equal(world->state->phase, STATE_GONE);
	assert_int_equal(world->plain->phase, STATE_GONE);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_tidied),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
