/*
 * What a worker does with the jobs that wait for one user: writes that follow each other go into one
 * transaction.  Worker thread.
 */
#ifndef BATCH_H
#define BATCH_H

#include "account.h"

/* A user's store: belongs to the worker that runs the batch. */
struct batch_store {
	char *directory;		/* .../data/ab: made when missing */
	char *path;			/* .../data/ab/<id>/mail.db */
	const bool *is_always_durable;	/* atomic */
	struct store *store;		/* NULL: closed */
};

/* A job_batch; context is the batch_store. */
void batch_run(void *context, struct list *jobs);

#endif
