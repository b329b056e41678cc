/*
 * The accounts that have work in hand, and which of their stores are open: a cache, the least recently
 * used of which is closed when there are too many, or when nobody has used it for a while.  Loop thread.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "account_parts.h"
#include "base/map.h"
#include "metrics/metrics.h"
#include "store/retained.h"

#define FLUSH_MS	900		/* of flag changes; DESIGN section 2 promises a second */
#define SWEEP_MS	5000
#define IDLE_US		(30 * UINT64_C(1000000))	/* a store that nobody used for so long is closed */
#define QUIET_US	UINT64_C(1000000)
#define WAITING_MAX	(1u << 20)	/* never reached: sessions and deliveries bound what they submit */
#define STATES_OCTETS	(64 * 1024 * 1024)	/* 1.6 million messages */
#define STATES_SWEEPS	6			/* half a minute, as for a store */
#define EXTRAS_OCTETS	(128 * 1024 * 1024)
#define EXTRAS_SWEEPS	120			/* ten minutes */
#define BODIES_OCTETS	(64 * 1024 * 1024)
#define BODIES_SWEEPS	12			/* a minute */
#define PURGE_CONTENTS	200
#define PURGE_OCTETS	(4 * 1024 * 1024)
#define SETTLE_MESSAGES 16384			/* some 10 ms */

static void on_sweep(void *context);
static void on_flush_due(void *context);
static void close_surplus(struct accounts *accounts);
static void shrink_surplus(struct accounts *accounts);
static void submit(struct account *account, struct account_job *job);

static uint64_t
idle_us(const struct account *account)
{
	return account->jobs > 0 || account->gate.copies > 0 ? 0 : loop_now_us(account->accounts->settings.loop) - account->used_us;
}

static const struct index_host index_host = { account_submit_quietly, idle_us, account_path };

struct accounts *
accounts_new(const struct accounts_settings *settings)
{
	struct accounts *accounts = NEW(struct accounts);

	accounts->settings = *settings;
	accounts->by_id = map_new();
	accounts->limits = limits_new();
	accounts->gone = map_new();
	list_init(&accounts->open);
	insights_init(&accounts->insights);
	paging_init(&accounts->paging);
	state_cache_init(&accounts->states, STATES_OCTETS, STATES_SWEEPS);
	state_cache_init(&accounts->extras, EXTRAS_OCTETS, EXTRAS_SWEEPS);
	state_cache_init(&accounts->bodies, BODIES_OCTETS, BODIES_SWEEPS);
	index_queue_init(&accounts->indexing, &index_host, settings->loop, settings->storage);
	timer_init(&accounts->sweep, settings->loop, on_sweep, accounts);
	timer_start_ms(&accounts->sweep, SWEEP_MS);
	return accounts;
}

void
accounts_free(struct accounts **accounts)
{
	if (*accounts == NULL)
		return;
	assert(map_count((*accounts)->by_id) == 0);
	timer_stop(&(*accounts)->sweep);
	index_queue_stop(&(*accounts)->indexing);
	if ((*accounts)->on_stopped != NULL)
		deferred_cancel(&(*accounts)->stopped);
	map_free(&(*accounts)->by_id);
	map_free(&(*accounts)->gone);
	limits_free(&(*accounts)->limits);
	free(*accounts);
	*accounts = NULL;
}

size_t
accounts_count(const struct accounts *accounts)
{
	return map_count(accounts->by_id);
}

size_t
accounts_open_count(const struct accounts *accounts)
{
	return accounts->open_count;
}

static void
run_stopped(void *context)
{
	struct accounts *accounts = context;

	accounts->on_stopped(accounts->context);
}

static void
check_stopped(struct accounts *accounts)
{
	if (accounts->on_stopped != NULL && map_count(accounts->by_id) == 0)
		deferred_schedule(accounts->settings.loop, &accounts->stopped);
}

void
accounts_stop(struct accounts *accounts, void (*on_stopped)(void *context), void *context)
{
	accounts->on_stopped = on_stopped;
	accounts->context = context;
	deferred_init(&accounts->stopped, run_stopped, accounts);
	timer_stop(&accounts->sweep);
	index_queue_stop(&accounts->indexing);
	state_cache_clear(&accounts->states);
	LIST_FOREACH(&accounts->open, link)
		account_tend(LIST_ENTRY(link, struct account, link));
	check_stopped(accounts);
}

static char *
format_path(const char *format, const char *directory, const char *id)
{
	struct buffer path = { 0 };
	char *text;

	buffer_printf(&path, format, directory, id, id);
	text = memory_copy_string(buffer_string(&path));
	buffer_free(&path);
	return text;
}

static struct account *
account_new(struct accounts *accounts, const char *id, const char *user)
{
	struct account *account = NEW(struct account);

	account->accounts = accounts;
	account->id = span_from_string(memory_copy_string(id));
	account->faults = faults_of(accounts->settings.faults, id);
	account->batch.directory = format_path("%s/data/%.2s", accounts->settings.data_directory, id);
	account->batch.path = format_path("%s/data/%.2s/%s/mail.db", accounts->settings.data_directory, id);
	account->place = (struct outcome_place){ accounts->settings.faults, (const char *)account->id.at,
		memory_copy_string(user), account->batch.path };
	account->batch.mark_path = format_path("%s/marks/%.2s/%s", accounts->settings.data_directory, id);
	account->batch.era = accounts->settings.era;
	account->batch.paging = &accounts->paging;
	account->batch.is_always_durable = &accounts->settings.is_always_durable;
	account->batch.quota = &accounts->settings.quota;
	account->batch.retention_s = &accounts->settings.retention_s;
	account->batch.limits = limits_of(accounts->limits, id);
	account->batch.is_gone = map_get(accounts->gone, account->id) != NULL;
	account->queue = job_queue_new(accounts->settings.storage, batch_run, &account->batch);
	job_queue_set_limits(account->queue, 64, WAITING_MAX);
	states_init(&account->states);
	list_init(&account->overlays);
	list_init(&account->gate.held);
	list_init(&account->insights);
	index_seat_init(&account->indexing, &accounts->indexing, account);
	timer_init(&account->flush, accounts->settings.loop, on_flush_due, account);
	list_init(&account->link);
	pages_init(&account->pages);
	folding_init(&account->folding, &accounts->folds);
	map_put(accounts->by_id, account->id, account);
	return account;
}

static void
account_free(struct account *account)
{
	struct accounts *accounts = account->accounts;

	assert(account->states.count == 0 && !account->is_open);
	insights_forget(&account->insights);
	status_rows_fini(&account->status_rows);
	map_remove(accounts->by_id, account->id);
	list_remove(&account->link);
	list_remove(&account->pages.link);
	timer_stop(&account->flush);
	index_seat_fini(&account->indexing);
	job_queue_free(&account->queue);
	free(account->batch.directory);
	free(account->batch.path);
	free(account->batch.mark_path);
	free(account->batch.error);
	free((void *)account->id.at);
	free((void *)account->place.user);
	for (size_t i = 0; i < account->former_count; i++)
		free(account->former[i]);
	free(account->former);
	free(account);
	check_stopped(accounts);
}

struct account *
account_hold(struct accounts *accounts, const char *mailbox_id, const char *user)
{
	struct account *account = map_get(accounts->by_id, span_from_string(mailbox_id));

	assert(accounts->on_stopped == NULL);
	if (account == NULL)
		account = account_new(accounts, mailbox_id, user);
	account->holders++;
	return account;
}

struct account *
account_keep(struct account *account)
{
	assert(account->holders > 0);
	account->holders++;
	return account;
}

void
account_release(struct account **account)
{
	struct account *released = *account;

	*account = NULL;
	if (released == NULL)
		return;
	assert(released->holders > 0);
	released->holders--;
	account_tend(released);
}

static void
note_use(struct account *account)
{
	account->used_us = loop_now_us(account->accounts->settings.loop);
	if (!account->is_open)
		return;
	list_remove(&account->link);
	list_push_back(&account->accounts->open, &account->link);
}

static void
set_open(struct account *account, bool is_open)
{
	struct accounts *accounts = account->accounts;

	if (is_open == account->is_open)
		return;
	account->is_open = is_open;
	list_remove(&account->link);
	if (is_open)
		list_push_back(&accounts->open, &account->link);
	accounts->open_count += is_open ? 1 : (size_t)-1;
}

/* A job has come home: what it tells about the store, whoever submitted it. */
static void
note_home(struct account *account, struct account_job *job)
{
	account->jobs--;
	account->has_unsettled_flags = job->has_unsettled_flags;
	account->is_retention_over = job->is_retention_over;
	set_open(account, job->is_open);
	if (!job->is_open || job->is_broken)	/* what is opened next may be another file */
		insights_forget(&account->insights);
	folding_note(&account->folding, job);
	index_seat_note(&account->indexing, job);
	paging_note(&account->accounts->paging, &account->pages, job);
	account->faults = outcome_note(&account->place, job, account->faults);
	free(job->error);
	job->error = NULL;
	if (job->is_broken) {
		status_rows_change(&account->status_rows);
		account->accounts->settings.on_lost(account);
	}
	if (!job->needs_flush)
		timer_stop(&account->flush);
	else if (!timer_is_running(&account->flush) && !account->is_flushing)
		timer_start_ms(&account->flush, FLUSH_MS);
}

static void
on_job_done(struct job *home)
{
	struct account_job *job = CONTAINER_OF(home, struct account_job, job);
	struct account *account = job->account;
	struct accounts *accounts = account->accounts;

	/* Held meanwhile: done() may release what keeps the account. */
	account->holders++;
	note_home(account, job);
	job->done(job);
	if (accounts->on_stopped == NULL && account->gate.copies == 0 && folding_is_due(&account->folding, false))
		submit(account, &account->folding.job);
	account->holders--;
	account_tend(account);
	close_surplus(accounts);
	shrink_surplus(accounts);
}

/* Those that write what is in no mailbox's row, or nothing, and keep the file open. */
static bool
may_change_rows(enum account_kind kind)
{
	return kind != ACCOUNT_READ && kind != ACCOUNT_DERIVED && kind != ACCOUNT_SHRINK && kind != ACCOUNT_FOLD;
}

void
account_submit_inside(struct account *account, struct account_job *job)
{
	bool is_taken;

	if (may_change_rows(job->kind))
		status_rows_change(&account->status_rows);
	job->account = account;
	job->job.done = on_job_done;
	account->jobs++;
	is_taken = job_queue_submit(account->queue, &job->job);
	assert(is_taken);
	(void)is_taken;
}

static void
submit(struct account *account, struct account_job *job)
{
	if (account->gate.is_shut)
		list_push_back(&account->gate.held, &job->job.link);
	else
		account_submit_inside(account, job);
}

void
account_submit(struct account *account, struct account_job *job)
{
	note_use(account);
	submit(account, job);
}

void
account_submit_quietly(struct account *account, struct account_job *job)
{
	submit(account, job);
}

/* Closing, flushing, purging. */

static void
on_closed(struct account_job *job)
{
	(void)job;
}

static void
submit_close(struct account *account)
{
	account->close_job.kind = ACCOUNT_CLOSE;
	account->close_job.done = on_closed;
	submit(account, &account->close_job);
}

static enum store_status
work_flush(struct store *store, struct account_job *job)
{
	(void)job;
	return store_flush(store);
}

static void
on_flushed(struct account_job *job)
{
	job->account->is_flushing = false;
}

static void
submit_flush(struct account *account)
{
	account->is_flushing = true;
	account->flush_job.kind = ACCOUNT_READ;
	account->flush_job.work = work_flush;
	account->flush_job.done = on_flushed;
	submit(account, &account->flush_job);
}

static void
on_flush_due(void *context)
{
	struct account *account = context;

	if (!account->is_flushing)
		submit_flush(account);
}

/* What is left to settle the next job tells. */
static enum store_status
work_purge(struct store *store, struct account_job *job)
{
	struct account *account = CONTAINER_OF(job, struct account, purge_job);
	bool has_more_flags;
	enum store_status status = store_settle_flags(store, SETTLE_MESSAGES, &has_more_flags);

	if (status == STORE_OK)
		status = store_purge(store, PURGE_CONTENTS, PURGE_OCTETS, &account->has_more_garbage);
	account->let_go = store_take_let_go(store);
	return status;
}

static void
on_purged(struct account_job *job)
{
	struct account *account = job->account;

	if (job->status != STORE_OK)
		return;
	metric_add(METRIC_RETAINED_LET_GO, 0, 0, account->let_go);
	if (account->has_more_garbage)
		account->has_garbage = true;
}

static void
submit_purge(struct account *account)
{
	account->has_garbage = false;
	account->has_more_garbage = false;
	account->purge_job.kind = ACCOUNT_LAZY;
	account->purge_job.work = work_purge;
	account->purge_job.done = on_purged;
	submit(account, &account->purge_job);
}

static bool
is_quiet(const struct account *account)
{
	return account->jobs == 0 && account->readers == 0 && account->gate.copies == 0;
}

/* Decide what an account needs now.  It may be freed. */
void
account_tend(struct account *account)
{
	bool is_stopping = account->accounts->on_stopped != NULL;

	if (account->jobs > 0 || account->holders > 0)
		return;
	if (account->is_open && is_stopping)
		submit_close(account);
	else if (!account->is_open && account->states.count == 0)
		account_free(account);
}

static void
sweep(struct account *account, uint64_t now_us)
{
	status_rows_sweep(&account->status_rows, now_us);
	if (!is_quiet(account))
		return;
	if (account->has_garbage || ((account->has_unsettled_flags || account->is_retention_over) && now_us - account->used_us > QUIET_US))
		submit_purge(account);
	else if (now_us - account->used_us > QUIET_US && folding_is_due(&account->folding, true))
		submit(account, &account->folding.job);
	else if (now_us - account->used_us > IDLE_US && !index_seat_is_waiting(&account->indexing))
		submit_close(account);
}

static void
on_sweep(void *context)
{
	struct accounts *accounts = context;
	uint64_t now_us = loop_now_us(accounts->settings.loop);

	state_cache_sweep(&accounts->states);
	state_cache_sweep(&accounts->extras);
	state_cache_sweep(&accounts->bodies);
	LIST_FOREACH(&accounts->open, link)
		sweep(LIST_ENTRY(link, struct account, link), now_us);
	timer_start_ms(&accounts->sweep, SWEEP_MS);
}

/* Close a store when there are too many: each job that comes home makes room for one. */
static void
close_surplus(struct accounts *accounts)
{
	size_t looks = 16;	/* those that are busy stay; the walk is bounded */

	if (accounts->open_count <= accounts->settings.open_max)
		return;
	LIST_FOREACH(&accounts->open, link) {
		struct account *account = LIST_ENTRY(link, struct account, link);

		if (is_quiet(account)) {
			submit_close(account);
			return;
		}
		if (--looks == 0)
			return;
	}
}

static bool
may_shrink(const struct pages *pages)
{
	return is_quiet(CONTAINER_OF(pages, struct account, pages));
}

static void
shrink_surplus(struct accounts *accounts)
{
	struct pages *pages = accounts->on_stopped == NULL ? paging_due(&accounts->paging, may_shrink) : NULL;

	if (pages != NULL)
		submit(CONTAINER_OF(pages, struct account, pages), &pages->job);
}
