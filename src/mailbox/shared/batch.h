/*
 * What a worker does with the jobs that wait for one user: writes that follow each other go into one
 * transaction.  Worker thread.
 */
#ifndef BATCH_H
#define BATCH_H

#include "account.h"
#include "store/mark.h"

/* A user's store: belongs to the worker that runs the batch. */
struct batch_store {
	char *directory;		/* .../data/ab: made when missing */
	char *path;			/* .../data/ab/<id>/mail.db */
	char *mark_path;		/* .../marks/ab/<id> */
	uint64_t era;			/* store/mark.h */
	const struct paging *paging;
	const bool *is_always_durable;	/* atomic */
	const struct store_quota *quota;	/* batch_set_quota() */
	const int64_t *retention_s;	/* atomic */
	struct store_amounts limits;	/* of this user, batch_set_limits(); 0: as in quota */
	struct store *store;		/* NULL: closed */
	uint64_t file;			/* its inode; 0: it could not be opened */
	bool was_open;			/* before, so that somebody may remember what was in it */
	bool is_swapped;		/* for the next job that comes home: another file is there, or none */
	bool is_gone;			/* removed for good: nothing is opened or made any more */
	enum store_finding news;	/* for the next job that comes home; STORE_AS_LEFT: none */
	char *error;			/* why it could not be opened; NULL: nothing more than the status */
};

/* Change a quota that workers look at; each number is whole at any time.  Loop thread. */
void batch_set_quota(struct store_quota *quota, const struct store_quota *value);
void batch_set_limits(struct batch_store *batch, const struct store_amounts *limits);

/* Something of what the user may keep is limited. */
bool batch_has_quota(const struct batch_store *batch);

/* A job_batch; context is the batch_store. */
void batch_run(void *context, struct list *jobs);

#endif
