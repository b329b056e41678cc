/*
 * Outcomes of jobs as faults that begin and end, and as news of a file that was exchanged.
 */
#include "outcome.h"

#include "base/log.h"
#include "fault.h"

static bool
find_kind(enum store_status status, enum fault_kind *kind_out)
{
	static const struct {
		enum store_status status;
		enum fault_kind kind;
	} kinds[] = {
		{ STORE_CORRUPT, FAULT_DAMAGED },
		{ STORE_MISSING, FAULT_MISSING },
		{ STORE_FULL, FAULT_FULL },
		{ STORE_UNAVAILABLE, FAULT_FAILED },
	};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		*kind_out = kinds[i].kind;
		if (kinds[i].status == status)
			return true;
	}
	return false;
}

/* Only what was written durably says that there is room again. */
static void
end_faults(const struct outcome_place *place, const struct account_job *job)
{
	unsigned ended = FAULT_BIT(FAULT_MISSING) | FAULT_BIT(FAULT_FAILED) | FAULT_BIT(FAULT_DAMAGED);

	if (job->kind == ACCOUNT_DURABLE)
		ended |= FAULT_BIT(FAULT_FULL);
	faults_end(place->faults, place->id, ended, job->file);
}

/* Its file is not the one that we knew. */
static void
log_news(const struct outcome_place *place, const struct account_job *job)
{
	if (job->news == STORE_OLDER)
		log_warning("store-restored", log_text("user", place->user), log_text("path", place->path),
		    log_text("reason", "an older file was put back"), log_text("done", "UIDVALIDITY raised"));
	else if (job->news == STORE_DOUBTFUL)
		log_info("store-doubtful", log_text("user", place->user), log_text("path", place->path),
		    log_text("done", "UIDNEXT and HIGHESTMODSEQ raised"));
}

static void
log_quota(const struct outcome_place *place, const struct store_quota_news *news)
{
	static const char *const names[STORE_RESOURCE_COUNT] = { "storage", "messages", "mailboxes" };

	log_warning("quota-warning", log_text("user", place->user), log_text("resource", names[news->resource]),
	    log_number("used", (int64_t)news->used), log_number("limit", (int64_t)news->limit));
}

unsigned
outcome_note(const struct outcome_place *place, const struct account_job *job, unsigned kinds)
{
	struct fault fault = { .id = place->id, .user = place->user, .path = place->path, .error = job->error,
		.file = job->file };

	log_news(place, job);
	if (job->has_quota_news)
		log_quota(place, &job->quota_news);
	if (find_kind(job->status, &fault.kind) && !job->is_trial)
		faults_note(place->faults, &fault);
	else if (job->status == STORE_OK && kinds != 0 && job->kind < ACCOUNT_CLOSE)
		end_faults(place, job);
	else
		return kinds;
	return faults_of(place->faults, place->id);
}
