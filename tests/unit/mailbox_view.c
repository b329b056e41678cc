/*
 * Views against a naive model: a client that believes what it is told must count as the server does, after
 * any interleaving of arrivals, changes of flags and expunges, with several views on one state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/mailbox/session/view.h"
#include "../../src/mailbox/shared/bulletin.h"
#include "../../src/mailbox/shared/state_cache.h"

#define VIEWS	    3
#define MESSAGES_MAX 4000

/* What the room's account does, without a file: one job waits until it is told to run. */
struct account {
	struct states states;
	struct state_cache kept;
	struct account_job *waiting;
	unsigned claims;
};

static uint32_t initial_count;

void
account_submit(struct account *account, struct account_job *job)
{
	job->account = account;
	account->waiting = job;
}

static void
run_waiting(struct account *account)
{
	struct account_job *job = account->waiting;

	account->waiting = NULL;
	if (job == NULL)
		return;
	if (job->kind == ACCOUNT_LAZY)
		account->claims++;
	job->status = job->work(NULL, job);
	job->done(job);
}

struct states *
account_states(struct account *account)
{
	return &account->states;
}

/* Nobody looks at another's mailbox. */
struct list *
account_overlays(struct account *account)
{
	static struct list none;

	(void)account;
	list_init(&none);
	return &none;
}

struct account *
account_keep(struct account *account)
{
	return account;
}

void
account_release(struct account **account)
{
	*account = NULL;
}

bool
account_is_orphan(const struct account *account)
{
	(void)account;
	return false;
}

const char *
account_id(const struct account *account)
{
	(void)account;
	return "owner";
}

struct state_cache *
account_state_cache(struct account *account)
{
	return &account->kept;
}

/* Nobody watches. */
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

enum store_status
store_snapshot_init(struct store *store, uint64_t mailbox_id, struct store_snapshot *snapshot_out)
{
	(void)store;
	*snapshot_out = (struct store_snapshot){ .count = initial_count };
	snapshot_out->mailbox = (struct store_mailbox){ .id = mailbox_id, .uidvalidity = 7,
		.uidnext = initial_count + 1, .recent_uid = initial_count + 1, .highest_modseq = 1,
		.messages = initial_count, .unseen = initial_count, .name = "INBOX" };
	snapshot_out->messages = memory_new_array(initial_count + 1, sizeof(struct store_message));
	for (uint32_t i = 0; i < initial_count; i++)
		snapshot_out->messages[i] = (struct store_message){ .uid = i + 1, .modseq = 1 };
	return STORE_OK;
}

void
store_snapshot_fini(struct store_snapshot *snapshot)
{
	free(snapshot->messages);
}

enum store_status
store_mailbox_claim_recent(struct store *store, uint64_t mailbox_id, uint32_t *recent_uid_out)
{
	(void)store;
	(void)mailbox_id;
	*recent_uid_out = 0;
	return STORE_OK;
}

enum store_status
store_mailbox_is_gone(struct store *store, uint64_t mailbox_id, bool *is_gone_out)
{
	(void)store;
	(void)mailbox_id;
	*is_gone_out = false;
	return STORE_OK;
}

enum store_status
store_mailbox_take_modseq(struct store *store, uint64_t mailbox_id, uint64_t *modseq_out)
{
	(void)store;
	(void)mailbox_id;
	(void)modseq_out;
	return STORE_NOT_FOUND;
}

/* A client: the UIDs it believes in, by number, and their flags. */
struct client {
	struct view *view;
	uint32_t uids[MESSAGES_MAX];
	uint64_t flags[MESSAGES_MAX];
	size_t count;
	unsigned news;
};

struct world {
	struct account account;
	struct state *state;
	struct client clients[VIEWS];
	uint64_t modseq;
	uint32_t seed;
};

static uint32_t
draw(struct world *world, uint32_t below)
{
	world->seed = world->seed * 1664525u + 1013904223u;
	return (world->seed >> 8) % below;
}

static void
on_change(void *context)
{
	((struct client *)context)->news++;
}

struct hold {
	struct state_waiter waiter;
	struct state *state;
};

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	CONTAINER_OF(waiter, struct hold, waiter)->state = state;
}

static struct state *
hold(struct account *account)
{
	struct hold hold = { .waiter.on_ready = on_ready };

	state_hold(account, 1, &hold.waiter);
	assert_null(hold.state);
	run_waiting(account);
	assert_non_null(hold.state);
	return hold.state;
}

static void
open_view(struct world *world, struct client *client, bool is_read_only)
{
	struct hold held = { .waiter.on_ready = on_ready };

	state_hold(&world->account, 1, &held.waiter);
	assert_ptr_equal(held.state, world->state);
	client->view = view_new(held.state, is_read_only, on_change, client);
	client->count = 0;
	for (size_t i = 0; i < world->state->count; i++) {
		client->uids[client->count] = world->state->messages[i].uid;
		client->flags[client->count++] = world->state->messages[i].flags;
	}
}

static void
world_init(struct world *world, uint32_t seed, uint32_t count)
{
	*world = (struct world){ .seed = seed, .modseq = 1 };
	initial_count = count;
	states_init(&world->account.states);
	state_cache_init(&world->account.kept, 1 << 20, 6);
	world->state = hold(&world->account);
	for (size_t i = 0; i < VIEWS; i++)
		open_view(world, &world->clients[i], i == 2);
}

static void
world_fini(struct world *world)
{
	run_waiting(&world->account);
	for (size_t i = 0; i < VIEWS; i++)
		view_free(&world->clients[i].view);
	state_release(&world->state);
	state_cache_clear(&world->account.kept);
	assert_int_equal(world->account.states.count, 0);
}

/* What happens. */

static void
append_some(struct world *world)
{
	struct store_message messages[3] = { 0 };
	size_t count = 1 + draw(world, 3);

	world->modseq++;
	for (size_t i = 0; i < count; i++) {
		messages[i].uid = world->state->uidnext + (uint32_t)i;
		messages[i].modseq = world->modseq;
	}
	state_appended(&world->account, 1, messages, count);
}

static void
change_some(struct world *world)
{
	struct state *state = world->state;
	struct store_flag_result result = { .outcome = STORE_FLAGS_CHANGED };

	if (state->count == 0)
		return;
	result.uid = state->messages[draw(world, (uint32_t)state->count)].uid;
	result.flags = draw(world, 32);
	result.modseq = ++world->modseq;
	state_flags_changed(&world->account, 1, &result, 1);
}

static void
expunge_some(struct world *world)
{
	struct state *state = world->state;
	uint32_t uids[MESSAGES_MAX];
	size_t count = 0, every = 1 + draw(world, 20);

	for (size_t i = draw(world, 10); i < state->count; i += every)
		uids[count++] = state->messages[i].uid;
	state_expunged(&world->account, 1, uids, count, ++world->modseq);
}

/* The client reads what it was told; new messages it then asks for. */

static void
believe_expunge(struct client *client, uint32_t number)
{
	assert_in_range(number, 1, client->count);
	memmove(&client->uids[number - 1], &client->uids[number],
	    (client->count - number) * sizeof client->uids[0]);
	memmove(&client->flags[number - 1], &client->flags[number],
	    (client->count - number) * sizeof client->flags[0]);
	client->count--;
}

static void
believe_exists(struct client *client, uint32_t number)
{
	struct view_message message;

	assert_true(number > client->count);
	for (uint32_t i = (uint32_t)client->count + 1; i <= number; i++) {
		view_message(client->view, i, &message);
		client->uids[i - 1] = message.message.uid;
		client->flags[i - 1] = message.message.flags;
	}
	client->count = number;
}

static uint64_t
read_flags(const char *text)
{
	return (strstr(text, "\\Answered") != NULL ? 1u : 0) | (strstr(text, "\\Flagged") != NULL ? 2u : 0) |
	    (strstr(text, "\\Deleted") != NULL ? 4u : 0) | (strstr(text, "\\Seen") != NULL ? 8u : 0) |
	    (strstr(text, "\\Draft") != NULL ? 16u : 0);
}

static void
believe_line(struct client *client, char *line)
{
	unsigned number;
	char word[16];

	assert_int_equal(sscanf(line, "* %u %15s", &number, word), 2);
	if (strcmp(word, "EXPUNGE") == 0)
		believe_expunge(client, number);
	else if (strcmp(word, "EXISTS") == 0)
		believe_exists(client, number);
	else if (strcmp(word, "FETCH") == 0) {
		assert_in_range(number, 1, client->count);
		client->flags[number - 1] = read_flags(line);
	} else
		assert_string_equal(word, "RECENT");
}

/* A piece of the news; false: there is more. */
static bool
announce_some(struct client *client, bool may_expunge, size_t octets_max)
{
	const struct view_manner manner = { .may_expunge = may_expunge, .has_recent = true,
		.octets_max = octets_max };
	struct buffer out = { 0 };
	char *text, *line, *rest;
	bool is_all = view_announce(client->view, &out, &manner);

	assert_true(out.length <= octets_max || out.length - octets_max < 128);
	assert_true(!is_all || !view_has_news(client->view, may_expunge));
	text = memory_copy_string(buffer_string(&out));
	for (line = strtok_r(text, "\r\n", &rest); line != NULL; line = strtok_r(NULL, "\r\n", &rest))
		believe_line(client, line);
	free(text);
	buffer_free(&out);
	return is_all;
}

static void
announce(struct client *client, bool may_expunge)
{
	assert_true(announce_some(client, may_expunge, SIZE_MAX / 2));
}

/* What STATUS tells, against the messages. */
static void
compare_row(const struct state *state)
{
	struct store_mailbox row;
	uint32_t unseen = 0, deleted = 0;

	for (size_t i = 0; i < state->count; i++) {
		unseen += (state->messages[i].flags & STORE_FLAG_SEEN) == 0;
		deleted += (state->messages[i].flags & STORE_FLAG_DELETED) != 0;
	}
	state_row(state, &row);
	assert_int_equal(row.messages, state->count);
	assert_int_equal(row.unseen, unseen);
	assert_int_equal(row.deleted, deleted);
}

/* Every question a view answers, against the list. */
static void
compare(const struct world *world, const struct client *client, bool is_fresh)
{
	const struct view *view = client->view;
	struct view_message message;

	compare_row(world->state);
	assert_int_equal(view_count(view), client->count);
	assert_int_equal(view_last_uid(view), client->count == 0 ? 0 : client->uids[client->count - 1]);
	for (uint32_t i = 0; i < client->count; i++) {
		view_message(view, i + 1, &message);
		assert_int_equal(message.message.uid, client->uids[i]);
		assert_int_equal(view_number(view, client->uids[i]), i + 1);
		assert_int_equal(message.is_ghost, state_message(world->state, client->uids[i]) == NULL);
		if (is_fresh && !message.is_ghost)
			assert_int_equal(message.message.flags, client->flags[i]);
	}
	assert_int_equal(view_number_from(view, UINT32_MAX), client->count + 1);
}

/* The session goes on with another view, and its client notices nothing; a memory of another past is none. */
static void
carry(struct world *world, struct client *client)
{
	struct hold held = { .waiter.on_ready = on_ready }, wrong = { .waiter.on_ready = on_ready };
	struct hold endless = { .waiter.on_ready = on_ready };
	struct imap_range all = { 1, UINT32_MAX };
	struct view *before = client->view;
	struct arena *arena = arena_new();
	struct view_memory memory;

	state_hold(&world->account, 1, &held.waiter);
	state_hold(&world->account, 1, &wrong.waiter);
	state_hold(&world->account, 1, &endless.waiter);
	view_remember(before, arena, &memory);
	client->view = view_resume(held.state, before->is_read_only, &memory, on_change, client);
	assert_non_null(client->view);
	memory.told_exists++;
	assert_null(view_resume(wrong.state, before->is_read_only, &memory, on_change, client));
	memory.told_exists = memory.limit_uid = UINT32_MAX;
	memory.ghosts = (struct imap_sequence){ .ranges = &all, .count = 1 };
	assert_null(view_resume(endless.state, before->is_read_only, &memory, on_change, client));
	assert_int_equal(client->view->told_recent, before->told_recent);
	assert_int_equal(view_recent_count(client->view), view_recent_count(before));
	assert_int_equal(view_told_modseq(client->view), view_told_modseq(before));
	view_free(&before);
	arena_free(&arena);
}

static void
run_step(struct world *world)
{
	struct client *client = &world->clients[draw(world, VIEWS)];

	switch (draw(world, 11)) {
	case 10:
		carry(world, client);
		break;
	case 0:
	case 1:
		append_some(world);
		break;
	case 2:
	case 3:
		change_some(world);
		break;
	case 4:
		expunge_some(world);
		break;
	case 5:
		announce(client, false);
		compare(world, client, true);
		break;
	case 6:
	case 7:
	case 8:
		compare(world, client, announce_some(client, true, 1 + draw(world, 300)));
		break;
	default:
		announce(client, true);
		compare(world, client, true);
	}
	run_waiting(&world->account);
	compare(world, client, false);
}

static void
test_interleavings(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		static struct world world;

		world_init(&world, seed, seed * 3 % 50);
		for (size_t i = 0; i < 300; i++)
			run_step(&world);
		for (size_t i = 0; i < VIEWS; i++) {
			announce(&world.clients[i], true);
			run_waiting(&world.account);
			compare(&world, &world.clients[i], true);
			assert_int_equal(world.clients[i].count, world.state->count);
		}
		world_fini(&world);
	}
}

/* What is recent is recent to one read-write session at most. */
static void
test_recent(void **state)
{
	static struct world world;
	struct client *first = &world.clients[0], *second = &world.clients[1], *reader = &world.clients[2];

	(void)state;
	world_init(&world, 1, 5);
	append_some(&world);
	announce(reader, true);
	assert_int_equal(view_recent_count(reader->view), world.state->count - 5);
	announce(first, true);
	run_waiting(&world.account);
	announce(second, true);
	run_waiting(&world.account);
	assert_int_equal(view_recent_count(first->view), world.state->count - 5);
	assert_int_equal(view_recent_count(second->view), 0);
	assert_true(view_is_recent(first->view, 6));
	assert_false(view_is_recent(first->view, 5));
	assert_int_equal(world.account.claims, 1);
	world_fini(&world);
}

/* What is not told yet has a modseq above the one that may be told: RFC 7162 section 3.2. */
static void
test_told_modseq(void **state)
{
	static struct world world;
	struct client *client = &world.clients[0];

	(void)state;
	world_init(&world, 1, 20);
	assert_int_equal(view_told_modseq(client->view), 1);
	change_some(&world);
	assert_int_equal(view_told_modseq(client->view), 1);
	announce(client, true);
	assert_int_equal(view_told_modseq(client->view), 2);
	expunge_some(&world);
	expunge_some(&world);
	change_some(&world);
	assert_int_equal(view_told_modseq(client->view), 2);
	announce(client, false);
	assert_int_equal(view_told_modseq(client->view), 2);
	announce(client, true);
	assert_int_equal(view_told_modseq(client->view), world.modseq);
	append_some(&world);
	assert_int_equal(view_told_modseq(client->view), world.modseq - 1);
	world_fini(&world);
}

/* What the client knows of messages that others have changed: as they were when it was told last. */
static void
test_known(void **state)
{
	static struct world world;
	static const uint32_t uids[] = { 1, 2, 3 };
	struct store_flag_result changes[] = {
		{ 1, STORE_FLAGS_CHANGED, STORE_FLAG_SEEN, 2 }, { 2, STORE_FLAGS_CHANGED, STORE_FLAG_DRAFT, 2 },
		{ 1, STORE_FLAGS_CHANGED, STORE_FLAG_FLAGGED, 3 },
	};
	struct client *client = &world.clients[0];
	struct store_flag_known known[3] = { { 7, 7 }, { 7, 7 }, { 7, 7 } };

	(void)state;
	world_init(&world, 1, 5);
	view_keep_known(client->view);
	state_flags_changed(&world.account, 1, changes, 2);
	state_flags_changed(&world.account, 1, changes + 2, 1);
	view_apply_known(client->view, uids, 3, known);
	assert_int_equal(known[0].flags, 0);
	assert_int_equal(known[0].modseq, 1);
	assert_int_equal(known[1].modseq, 1);
	assert_int_equal(known[2].modseq, 7);	/* nobody has changed it */
	announce(client, true);
	known[0].modseq = 7;
	view_apply_known(client->view, uids, 3, known);
	assert_int_equal(known[0].modseq, 7);	/* it has been told */
	changes[0].modseq = 4;
	view_flags_changed(client->view, &world.account, 1, changes, 1);
	view_apply_known(client->view, uids, 3, known);
	assert_int_equal(known[0].modseq, 7);	/* its own change */
	world_fini(&world);
}

#define MANY 50000

/* Message i has UID 2 * i + 1; some at both ends have changed, each 7th is gone and not announced. */
static void
make_many(struct view *view)
{
	static struct store_message messages[MANY];
	static uint32_t ghosts[MANY];
	static struct state many;

	many = (struct state){ .phase = STATE_READY, .messages = messages, .uidnext = 2 * MANY + 1, .highest_modseq = 9 };
	*view = (struct view){ .state = &many, .limit_uid = 2 * MANY - 99, .ghosts = ghosts };
	for (uint32_t i = 0; i < MANY; i++) {
		if (i % 7 == 0 && 2 * i + 1 < view->limit_uid)
			ghosts[view->ghost_count++] = 2 * i + 1;
		else
			messages[many.count++] = (struct store_message){ .uid = 2 * i + 1, .modseq = i % 11 == 0 && (i < 5000 || i > 45000) ? 6 : 5 };
	}
	modseqs_free(&many.modseqs);
	modseqs_note_all(&many.modseqs, messages, many.count);
}

/* How many turns it takes to find all of a set that have changed since; each is checked. */
static unsigned
find_changes(const struct view *view, struct imap_range range, uint64_t since)
{
	struct imap_sequence uids = { .ranges = &range, .count = 1 };
	struct view_set set = { .view = view, .sequence = &uids, .is_uid = true };
	struct view_changes changes = { .set = &set, .since = since };
	unsigned pauses = 0, expected = 0, found = 0;
	struct view_message message;
	enum view_step step;

	for (size_t i = 0; i < view->state->count; i++)
		expected += view->state->messages[i].modseq > since && view->state->messages[i].uid >= range.first &&
		    view->state->messages[i].uid < view->limit_uid;
	while ((step = view_changes_next(&changes, &message)) != VIEW_END) {
		if (step == VIEW_PAUSE) {
			pauses++;
			continue;
		}
		found++;
		assert_true(message.message.modseq > since);
		assert_int_equal(message.number, (message.message.uid + 1) / 2);	/* ghosts count */
	}
	assert_int_equal(found, expected);
	return pauses;
}

/* Changes are found in turns, by number, in a set, and nothing that the client was not told of. */
static void
test_changes(void **state)
{
	struct view view;

	(void)state;
	make_many(&view);
	assert_int_equal(find_changes(&view, (struct imap_range){ 5001, 2 * MANY }, 5), 0);	/* what lies between is passed over */
	assert_in_range(find_changes(&view, (struct imap_range){ 2 * MANY - 2000, 2 * MANY }, 4), 1, 10);
	assert_int_equal(find_changes(&view, (struct imap_range){ 1, 2 * MANY }, 9), 0);
}

/* A change made by the view's own session is not told again, unless others have changed something, too. */
static void
test_own_change(void **state)
{
	static struct world world;
	struct client *own = &world.clients[0], *other = &world.clients[1];
	struct store_flag_result result = { 3, STORE_FLAGS_CHANGED, STORE_FLAG_SEEN, 2 };

	(void)state;
	world_init(&world, 1, 5);
	view_flags_changed(own->view, &world.account, 1, &result, 1);
	assert_false(view_has_news(own->view, true));
	assert_true(view_has_news(other->view, true));
	assert_int_equal(other->news, 1);
	announce(other, true);
	assert_int_equal(other->flags[2], STORE_FLAG_SEEN);
	world_fini(&world);
}

static const struct {
	const char *set;
	bool is_uid, is_good;
	uint32_t numbers[6];
} sets[] = {	/* UIDs 2, 4, 6, 8, 10 are numbers 1 to 5 */
	{ "1:3", false, true, { 1, 2, 3 } },
	{ "*", false, true, { 5 } },
	{ "4:*", false, true, { 4, 5 } },
	{ "6", false, false, { 0 } },
	{ "1,5", false, true, { 1, 5 } },
	{ "1:5", true, true, { 1, 2 } },
	{ "*", true, true, { 5 } },
	{ "99:*", true, true, { 5 } },
	{ "3,5,7", true, true, { 0 } },
	{ "1:4294967295", true, true, { 1, 2, 3, 4, 5 } },
};

static void
test_sets(void **state)
{
	static struct world world;
	static const uint32_t odd[] = { 1, 3, 5, 7, 9 };

	(void)state;
	world_init(&world, 1, 10);
	state_expunged(&world.account, 1, odd, COUNT_OF(odd), 2);
	announce(&world.clients[0], true);
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		struct arena *arena = arena_new();
		struct imap_sequence sequence;
		struct view_message message;
		struct view_set set;

		assert_true(imap_sequence_parse(arena, span_from_string(sets[i].set), &sequence));
		assert_int_equal(view_set_init(&set, world.clients[0].view, &sequence, sets[i].is_uid, NULL),
		    sets[i].is_good);
		for (size_t j = 0; sets[i].is_good && j < 6 && sets[i].numbers[j] != 0; j++) {
			assert_true(view_set_next(&set, &message));
			assert_int_equal(message.number, sets[i].numbers[j]);
		}
		if (sets[i].is_good)
			assert_false(view_set_next(&set, &message));
		arena_free(&arena);
	}
	world_fini(&world);
}

static const struct {
	const char *set;
	bool is_uid;
	uint32_t most, lowest_uid, numbers[6];	/* falling */
} limits[] = {	/* UIDs 2, 4, 6, 10 are numbers 1, 2, 3, 5; number 4 is gone and not announced */
	{ "1:*", false, 0, 0, { 5, 4, 3, 2, 1 } },
	{ "1:*", false, 4, 0, { 5, 4, 3, 2, 1 } },
	{ "1:*", false, 3, 4, { 5, 4, 3, 2 } },
	{ "1:*", false, 1, 10, { 5 } },
	{ "1:4", false, 3, 0, { 4, 3, 2, 1 } },
	{ "1:2,5", false, 2, 4, { 5, 2 } },
	{ "4", false, 1, 0, { 4 } },
	{ "1:*", true, 3, 4, { 5, 4, 3, 2 } },
	{ "1:4294967295", true, 2, 6, { 5, 4, 3 } },
	{ "1:5,9:*", true, 2, 4, { 5, 2 } },
	{ "3,5,7", true, 1, 0, { 0 } },
};

/* RFC 9738 section 3.1: what is there counts, and the last ones are kept. */
static void
test_limits(void **state)
{
	static struct world world;
	static const uint32_t odd[] = { 1, 3, 5, 7, 9 }, ghost[] = { 8 };

	(void)state;
	world_init(&world, 1, 10);
	state_expunged(&world.account, 1, odd, COUNT_OF(odd), 2);
	announce(&world.clients[0], true);
	state_expunged(&world.account, 1, ghost, 1, 3);
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct arena *arena = arena_new();
		struct imap_sequence sequence;
		struct view_message message;
		struct view_set set, rising;
		size_t count = 0;

		assert_true(imap_sequence_parse(arena, span_from_string(limits[i].set), &sequence));
		assert_true(view_set_init(&set, world.clients[0].view, &sequence, limits[i].is_uid, NULL));
		assert_int_equal(view_set_limit(&set, limits[i].most), limits[i].lowest_uid);
		rising = set;
		while (count < 6 && limits[i].numbers[count] != 0) {
			assert_true(view_set_previous(&set, &message));
			assert_int_equal(message.number, limits[i].numbers[count++]);
		}
		assert_false(view_set_previous(&set, &message));
		assert_false(view_set_previous(&set, &message));
		assert_true(view_set_bound(&rising) >= count);
		while (count > 0) {
			assert_true(view_set_next(&rising, &message));
			assert_int_equal(message.number, limits[i].numbers[--count]);
		}
		assert_false(view_set_next(&rising, &message));
		arena_free(&arena);
	}
	world_fini(&world);
}

/* A state that nobody holds is found again, as current as if it had been held. */
static void
test_kept(void **state)
{
	struct world world = { .seed = 1, .modseq = 1 };
	struct hold again = { .waiter.on_ready = on_ready };
	struct state *before;

	(void)state;
	initial_count = 3;
	states_init(&world.account.states);
	state_cache_init(&world.account.kept, 1 << 20, 6);
	before = world.state = hold(&world.account);
	state_release(&world.state);
	world.state = before;
	append_some(&world);
	change_some(&world);
	expunge_some(&world);
	compare_row(before);
	assert_ptr_equal(state_find_named(&world.account, SPAN("INBOX")), before);
	state_forget_names(&world.account);
	assert_null(state_find_named(&world.account, SPAN("INBOX")));
	state_hold(&world.account, 1, &again.waiter);
	assert_ptr_equal(again.state, before);
	assert_int_equal(world.account.kept.octets, 0);
	state_release(&again.state);
	for (int sweeps = 0; sweeps < 10; sweeps++)
		state_cache_sweep(&world.account.kept);
	assert_null(state_find(&world.account, 1));
	assert_int_equal(world.account.kept.octets, 0);
}

static void
test_kept_and_deleted(void **state)
{
	struct world world = { 0 };

	(void)state;
	states_init(&world.account.states);
	state_cache_init(&world.account.kept, 1 << 20, 6);
	world.state = hold(&world.account);
	state_release(&world.state);
	state_deleted(&world.account, 1);
	assert_int_equal(world.account.states.count, 0);
	world.state = hold(&world.account);
	state_release(&world.state);
	state_all_lost(&world.account);
	assert_int_equal(world.account.states.count, 0);
	assert_int_equal(world.account.kept.octets, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleavings),
		cmocka_unit_test(test_recent),
		cmocka_unit_test(test_told_modseq),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_own_change),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_and_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
