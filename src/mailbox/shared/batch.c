/*
 * Group commit: the jobs that wait for one user are worked on in order, and each run of writes among them
 * is one transaction with a step for each.  Nobody is answered before the commit.  DESIGN section 7.
 * Worker thread.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "batch.h"
#include "paging.h"
#include "store/index.h"
#include "store/retained.h"
#include "store/training.h"

static struct account_job *
first_job(struct list *jobs)
{
	return LIST_ENTRY(jobs->next, struct account_job, job.link);
}

static bool
is_failure(enum store_status status)
{
	return status == STORE_FULL || status == STORE_CORRUPT || status == STORE_UNAVAILABLE ||
	    status == STORE_MISSING;
}

/* What SQLite says of a failure, before the store is closed; it says so of success, too. */
static void
note_error(struct batch_store *batch, enum store_status status)
{
	const char *error;

	if (batch->store == NULL || batch->error != NULL || !is_failure(status))
		return;
	error = store_error(batch->store);
	if (strcmp(error, "not an error") != 0 && strstr(error, "row available") == NULL)
		batch->error = memory_copy_string(error);
}

/*
 * The job goes home and must not be touched any more; nor must the batch, when it was the last job.
 *
 *	error	what SQLite says, or NULL; copied
 */
static void
complete(struct batch_store *batch, struct account_job *job, bool is_broken, const char *error)
{
	job->is_broken = is_broken;
	job->is_open = batch->store != NULL;
	job->needs_flush = batch->store != NULL && store_needs_flush(batch->store);
	job->wal_octets = batch->store != NULL ? store_wal_octets(batch->store, &job->wal_bound) : 0;
	job->has_unsettled_flags = batch->store != NULL && store_has_unsettled_flags(batch->store);
	job->is_retention_over = batch->store != NULL && store_is_retention_over(batch->store);
	job->backlog = batch->store != NULL ? store_index_backlog(batch->store) : 0;
	job->is_training_due = batch->store != NULL && store_is_training_due(batch->store);
	if (batch->store != NULL && paging_is_much(batch->paging))
		store_shrink(batch->store);
	job->page_octets = batch->store != NULL ? store_page_octets(batch->store) : 0;
	job->file = batch->file;
	job->news = batch->news;
	job->has_quota_news = batch->store != NULL && store_take_quota_news(batch->store, &job->quota_news);
	if ((job->news != STORE_AS_LEFT && batch->was_open) || batch->is_swapped)
		job->is_broken = true;	/* what is known of it is not true any more */
	batch->news = STORE_AS_LEFT;
	batch->is_swapped = false;
	batch->was_open = batch->was_open || batch->store != NULL;
	job->error = is_failure(job->status) && error != NULL ? memory_copy_string(error) : NULL;
	job_complete(&job->job);
}

/* Make the folder of folders; its name must be on the disk before what is in it can be promised. */
static enum store_status
make_directory(const char *path)
{
	const char *name = strrchr(path, '/');
	char *parent;
	int descriptor, result;

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? STORE_OK : errno == ENOSPC ? STORE_FULL : STORE_UNAVAILABLE;
	parent = memory_copy_span(span_of(path, (size_t)(name - path)));
	descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = descriptor < 0 ? -1 : fsync(descriptor);
	if (descriptor >= 0)
		close(descriptor);
	free(parent);
	return result == 0 ? STORE_OK : STORE_UNAVAILABLE;
}

/*
 * Somebody has put another file there, or taken ours away, while it was open: what is written now would be lost,
 * and what was read is not true any more.
 */
static void
leave_if_replaced(struct batch_store *batch)
{
	if (batch->store == NULL || store_look(batch->store) == STORE_IN_PLACE)
		return;
	store_leave(&batch->store);
	batch->is_swapped = true;
}

static void
set_amounts(struct store_amounts *amounts, const struct store_amounts *value)
{
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		__atomic_store_n(&amounts->of[i], value->of[i], __ATOMIC_RELAXED);
}

void
batch_set_limits(struct batch_store *batch, const struct store_amounts *limits)
{
	set_amounts(&batch->limits, limits);
}

void
batch_set_quota(struct store_quota *quota, const struct store_quota *value)
{
	set_amounts(&quota->limits, &value->limits);
	__atomic_store_n(&quota->warning_percent, value->warning_percent, __ATOMIC_RELAXED);
}

static uint64_t
limit_of(const struct batch_store *batch, enum store_resource resource)
{
	uint64_t limit = __atomic_load_n(&batch->limits.of[resource], __ATOMIC_RELAXED);

	return limit != 0 ? limit : __atomic_load_n(&batch->quota->limits.of[resource], __ATOMIC_RELAXED);
}

bool
batch_has_quota(const struct batch_store *batch)
{
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		if (limit_of(batch, i) != STORE_NO_QUOTA)
			return true;
	return false;
}

static void
take_limits(const struct batch_store *batch)
{
	struct store_quota quota;

	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		quota.limits.of[i] = limit_of(batch, i);
	quota.warning_percent = __atomic_load_n(&batch->quota->warning_percent, __ATOMIC_RELAXED);
	store_set_quota(batch->store, &quota);
	store_set_retention(batch->store, __atomic_load_n(batch->retention_s, __ATOMIC_RELAXED));
	store_set_cache(batch->store, paging_share_kib(batch->paging));
}

static enum store_status
open_file(struct batch_store *batch)
{
	struct store_opening opening = { .path = batch->path, .mark_path = batch->mark_path, .era = batch->era };
	enum store_status status;

	leave_if_replaced(batch);
	if (batch->store != NULL)
		return STORE_OK;
	if (batch->is_gone)
		return STORE_NOT_FOUND;
	if ((status = make_directory(batch->directory)) != STORE_OK) {
		batch->error = memory_copy_string(strerror(errno));
		return status;
	}
	status = store_open_marked(&opening, &batch->store);
	batch->error = opening.error;
	if (status == STORE_OK)
		batch->news = opening.finding;
	batch->file = status == STORE_OK ? opening.file : 0;
	return status;
}

static enum store_status
open_store(struct batch_store *batch)
{
	enum store_status status = open_file(batch);

	if (status == STORE_OK)
		take_limits(batch);
	return status;
}

/* After an error of the disk the next job opens the file anew, which recovers it. */
static bool
drop_if_poisoned(struct batch_store *batch)
{
	if (batch->store == NULL || !store_is_poisoned(batch->store))
		return false;
	store_close(&batch->store);
	return true;
}

/* Give what SQLite has said. */
static char *
take_error(struct batch_store *batch)
{
	char *error = batch->error;

	batch->error = NULL;
	return error;
}

/* One read transaction for all that the job reads: each of its own costs ten calls of fcntl(). */
static enum store_status
read_store(struct store *store, struct account_job *job)
{
	bool is_ours;
	enum store_status status = store_read_begin(store, &is_ours);

	return status != STORE_OK ? status : store_read_end(store, is_ours, job->work(store, job));
}

static enum store_status
derive(struct store *store, struct account_job *job)
{
	enum store_status status = store_begin(store, STORE_DERIVED);

	return status != STORE_OK ? status : store_end(store, job->work(store, job));
}

static enum store_status
work_alone(struct store *store, struct account_job *job)
{
	switch (job->kind) {
	case ACCOUNT_READ:
		return read_store(store, job);
	case ACCOUNT_IMAGE:
		return job->work(store, job);
	default:
		return derive(store, job);
	}
}

/* One job that shares no transaction: it reads, or writes what nobody waits for. */
static void
run_alone(struct batch_store *batch, struct account_job *job)
{
	char *error;

	job->status = open_store(batch);
	if (job->status == STORE_OK)
		job->status = work_alone(batch->store, job);
	note_error(batch, job->status);
	error = take_error(batch);
	complete(batch, job, drop_if_poisoned(batch), error);
	free(error);
}

static void
run_close(struct batch_store *batch, struct account_job *job)
{
	job->status = store_close(&batch->store);
	complete(batch, job, false, NULL);
}

static void
run_fold(struct batch_store *batch, struct account_job *job)
{
	char *error;

	job->status = batch->store == NULL ? STORE_OK : store_fold(batch->store);
	note_error(batch, job->status);
	error = take_error(batch);
	complete(batch, job, drop_if_poisoned(batch), error);
	free(error);
}

static void
run_shrink(struct batch_store *batch, struct account_job *job)
{
	if (batch->store != NULL)
		store_shrink(batch->store);
	job->status = STORE_OK;
	complete(batch, job, false, NULL);
}

/* Whatever is known of the file is not true any more.  What is gone is removed, and nothing else. */
static void
run_aside(struct batch_store *batch, struct account_job *job)
{
	bool was_gone = batch->is_gone;

	store_close(&batch->store);
	batch->is_gone = was_gone || job->kind == ACCOUNT_REMOVE;
	job->status = was_gone && job->kind == ACCOUNT_ASIDE ? STORE_NOT_FOUND : job->work(NULL, job);
	complete(batch, job, true, NULL);
}

static bool
is_write(const struct account_job *job)
{
	return job->kind == ACCOUNT_LAZY || job->kind == ACCOUNT_DURABLE;
}

/* How many writes follow each other, and whether any of them must be on the disk. */
static size_t
count_writes(const struct batch_store *batch, struct list *jobs, enum store_durability *durability_out)
{
	size_t count = 0;

	*durability_out = __atomic_load_n(batch->is_always_durable, __ATOMIC_RELAXED) ? STORE_DURABLE : STORE_LAZY;
	LIST_FOREACH(jobs, link) {
		const struct account_job *job = LIST_ENTRY(link, struct account_job, job.link);

		if (!is_write(job) || (job->is_alone && count > 0))
			break;
		if (job->kind == ACCOUNT_DURABLE)
			*durability_out = STORE_DURABLE;
		count++;
		if (job->is_alone)
			break;
	}
	return count;
}

/* A job that is alone needs no step of its own: its failure undoes the transaction. */
static enum store_status
run_steps(struct batch_store *batch, struct list *jobs, size_t count)
{
	struct store *store = batch->store;
	struct list *link = jobs->next;

	if (count == 1) {
		struct account_job *job = first_job(jobs);

		return job->status = job->work(store, job);
	}
	for (size_t i = 0; i < count; i++, link = link->next) {
		struct account_job *job = LIST_ENTRY(link, struct account_job, job.link);

		job->status = store_step_begin(store);
		if (job->status == STORE_OK)
			job->status = store_step_end(store, job->work(store, job));
		note_error(batch, job->status);
	}
	return STORE_OK;
}

static void
run_writes(struct batch_store *batch, struct list *jobs)
{
	enum store_durability durability;
	size_t count = count_writes(batch, jobs, &durability);
	enum store_status status;
	bool is_broken;
	char *error;

	LIST_FOREACH(jobs, link)
		LIST_ENTRY(link, struct account_job, job.link)->status = STORE_OK;
	if ((status = open_store(batch)) == STORE_OK && (status = store_begin(batch->store, durability)) == STORE_OK) {
		status = run_steps(batch, jobs, count);
		note_error(batch, status);
		status = store_end(batch->store, status);
	}
	note_error(batch, status);
	error = take_error(batch);
	is_broken = drop_if_poisoned(batch);
	while (count-- > 0) {
		struct account_job *job = first_job(jobs);

		if (job->status == STORE_OK)
			job->status = status;
		complete(batch, job, is_broken, error);
	}
	free(error);
}

static const char *const kind_names[] = {
	[ACCOUNT_READ] = "reading", [ACCOUNT_IMAGE] = "copying", [ACCOUNT_DERIVED] = "deriving", [ACCOUNT_LAZY] = "writing flags",
	[ACCOUNT_DURABLE] = "writing", [ACCOUNT_CLOSE] = "closing", [ACCOUNT_SHRINK] = "shrinking", [ACCOUNT_FOLD] = "folding",
	[ACCOUNT_ASIDE] = "looking at the file", [ACCOUNT_REMOVE] = "removing",
};

static void
run_first(struct batch_store *batch, struct list *jobs)
{
	struct account_job *job = first_job(jobs);

	crash_note(kind_names[job->kind], batch->mark_path);
	if (is_write(job))
		run_writes(batch, jobs);
	else if (job->kind == ACCOUNT_CLOSE)
		run_close(batch, job);
	else if (job->kind == ACCOUNT_FOLD)
		run_fold(batch, job);
	else if (job->kind == ACCOUNT_SHRINK)
		run_shrink(batch, job);
	else if (job->kind == ACCOUNT_ASIDE || job->kind == ACCOUNT_REMOVE)
		run_aside(batch, job);
	else
		run_alone(batch, job);
}

void
batch_run(void *context, struct list *jobs)
{
	struct batch_store *batch = context;

	while (!list_is_empty(jobs)) {
		job_queue_go_on(first_job(jobs)->job.queue);
		run_first(batch, jobs);
	}
}
