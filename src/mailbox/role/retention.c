/*
 * What is kept of messages that have left is let go in time for users, too, who do not come: one after the other is looked
 * at, which opens the file, and the account does the rest, as for any other that is quiet.  All of them come in turn within
 * a day, or in the time for which mail is kept if that is less; where the first round begins is left to chance, so that
 * those at the end are not the ones whom a process that is often started anew never comes to.  Loop thread; the work
 * functions on workers.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "config/config.h"
#include "directory/moving.h"
#include "life.h"

#define START_MS   5000
#define ROUND_S	   86400
#define ROUND_MIN_S 10
#define PAUSE_MIN_MS 100	/* between two users: a round of very many takes longer */
#define PAUSE_MAX_MS 300000	/* of few a shorter time: there may be more soon */
#define COUNT_MAX    100000	/* users: more are counted once in a round */

/* One round after the other, as long as the role runs. */
struct role_retention {
	struct mailbox_role *role;
	struct timer pause;
	struct role_ask ask;
	struct job look;
	struct account_job job;
	struct account *account;
	bool is_busy;			/* somebody is looked at */
	/* Who comes next: on a worker, between the question and its answer. */
	struct directory_name after;	/* the one before; empty: from the beginning */
	struct directory_name name;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	bool is_end, is_here, has_file;
	uint64_t users;			/* in the directory; 0: not known */
	/* The round. */
	int64_t looked_at;
	uint64_t let_go_before;
	bool is_whole;			/* it has begun at the beginning */
};

static void
rest(struct role_retention *retention)
{
	int64_t round_s = retention->role->parts.config->expunge_retention_s;
	uint64_t users = retention->users > 0 ? retention->users : 1, pause_ms;

	if (retention->role->is_stopping)
		return;
	if (round_s == 0 || round_s > ROUND_S)
		round_s = ROUND_S;
	if (round_s < ROUND_MIN_S)
		round_s = ROUND_MIN_S;
	pause_ms = (uint64_t)round_s * 1000 / users;
	timer_start_ms(&retention->pause, pause_ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms);
}

static void
end_step(struct role_retention *retention)
{
	struct mailbox_role *role = retention->role;

	retention->is_busy = false;
	account_release(&retention->account);
	rest(retention);
	role->jobs--;
	role->on_ended(role);
}

static void
end_round(struct role_retention *retention)
{
	uint64_t let_go = metric_read(METRIC_RETAINED_LET_GO, 0, 0);

	if (retention->is_whole && let_go > retention->let_go_before) {
		log_info("retention-round", log_number("users", retention->looked_at),
		    log_number("let-go", (int64_t)(let_go - retention->let_go_before)));
		retention->let_go_before = let_go;
	}
	retention->looked_at = 0;
	retention->is_whole = true;
}

/* ---- one user ------------------------------------------------------------------------------------------- */

/* That the file was opened tells whether something is over: then the account lets it go, and closes the file. */
static enum store_status
work_open(struct store *store, struct account_job *job)
{
	(void)store;
	(void)job;
	return STORE_OK;
}

static void
on_opened(struct account_job *job)
{
	end_step(CONTAINER_OF(job, struct role_retention, job));
}

static void
work_look(struct job *job)
{
	struct role_retention *retention = CONTAINER_OF(job, struct role_retention, look);
	struct buffer path = { 0 };
	uint64_t ignored;

	retention->has_file = mailbox_file(retention->role->data_directory, retention->mailbox_id, &path, &ignored);
	buffer_free(&path);
}

static void
on_looked(struct job *job)
{
	struct role_retention *retention = CONTAINER_OF(job, struct role_retention, look);
	struct mailbox_role *role = retention->role;

	if (!retention->has_file || role->is_stopping) {
		end_step(retention);
		return;
	}
	retention->account = account_hold(role->accounts, retention->mailbox_id, retention->name.text);
	retention->job.kind = ACCOUNT_READ;
	retention->job.work = work_open;
	retention->job.done = on_opened;
	account_submit_quietly(retention->account, &retention->job);
}

static enum directory_status
take_user(struct role_retention *retention, struct directory *directory, const struct directory_user *user)
{
	enum directory_presence presence;
	enum directory_status status = directory_find_presence(directory, user->name, &presence);

	retention->is_here = status == DIRECTORY_OK && presence == DIRECTORY_HERE && !directory_home_is_foreign(user->home) &&
	    directory_prepare_name(user->name, &retention->name);
	memcpy(retention->mailbox_id, user->mailbox_id, sizeof retention->mailbox_id);
	retention->after.length = 0;
	if (status == DIRECTORY_OK && !directory_prepare_name(user->name, &retention->after))
		retention->is_end = true;
	return status;
}

static enum directory_status
work_find(struct role_ask *ask, struct directory *directory)
{
	struct role_retention *retention = CONTAINER_OF(ask, struct role_retention, ask);
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status;
	size_t count = 0;

	retention->is_here = false;
	status = directory_list(directory, directory_name_span(&retention->after), arena, &user, 1, &count);
	retention->is_end = status == DIRECTORY_OK && count == 0;
	if (status == DIRECTORY_OK && count > 0)
		status = take_user(retention, directory, &user);
	if (status == DIRECTORY_OK && (retention->is_end || retention->users < COUNT_MAX))
		status = directory_count(directory, &retention->users);
	arena_free(&arena);
	return status;
}

static void
on_found(struct role_ask *ask)
{
	struct role_retention *retention = CONTAINER_OF(ask, struct role_retention, ask);

	if (ask->status == DIRECTORY_OK && retention->is_end) {
		retention->after.length = 0;
		end_round(retention);
	}
	if (ask->status != DIRECTORY_OK || !retention->is_here) {
		end_step(retention);
		return;
	}
	retention->looked_at++;
	retention->look.work = work_look;
	retention->look.done = on_looked;
	workers_submit(retention->role->parts.storage, &retention->look);
}

static void
on_due(void *context)
{
	struct role_retention *retention = context;

	if (retention->role->is_stopping)
		return;
	retention->is_busy = true;
	retention->role->jobs++;
	retention->ask.work = work_find;
	retention->ask.done = on_found;
	role_submit_ask(retention->role, &retention->ask);
}

/* ---- all of it ------------------------------------------------------------------------------------------ */

/* Somewhere in the order of names. */
static void
begin_anywhere(struct role_retention *retention)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint8_t octets[2];
	char text[3];

	random_fill(octets, sizeof octets);
	text[0] = letters[octets[0] % (sizeof letters - 1)];
	text[1] = letters[octets[1] % (sizeof letters - 1)];
	text[2] = '\0';
	directory_prepare_name(span_from_string(text), &retention->after);
}

void
role_begin_retention(struct mailbox_role *role)
{
	struct role_retention *retention = NEW(struct role_retention);

	role->retention = retention;
	retention->role = role;
	retention->let_go_before = metric_read(METRIC_RETAINED_LET_GO, 0, 0);
	timer_init(&retention->pause, role->parts.loop, on_due, retention);
	begin_anywhere(retention);
	timer_start_ms(&retention->pause, START_MS);
}

void
role_reload_retention(struct mailbox_role *role)
{
	if (!role->retention->is_busy)
		rest(role->retention);
}

void
role_end_retention(struct mailbox_role *role)
{
	timer_stop(&role->retention->pause);
}

void
role_free_retention(struct mailbox_role *role)
{
	timer_stop(&role->retention->pause);
	free(role->retention);
	role->retention = NULL;
}
