/*
 * What an account is, for account.c, which gives it work, and for account_facts.c, which says what it has.
 */
#ifndef ACCOUNT_PARTS_H
#define ACCOUNT_PARTS_H

#include "batch.h"
#include "fault.h"
#include "folding.h"
#include "gate.h"
#include "index_queue.h"
#include "insight.h"
#include "limits.h"
#include "outcome.h"
#include "paging.h"
#include "state_cache.h"
#include "status_rows.h"

struct map;

struct accounts {
	struct accounts_settings settings;
	struct map *by_id;
	struct limits *limits;		/* of single users */
	struct map *gone;		/* mailbox ids under which nothing is done any more */
	struct list open;		/* accounts whose store is open, the least recently used first */
	size_t open_count;
	struct state_cache states;
	struct insights insights;
	struct paging paging;
	struct folds folds;
	struct state_cache extras;	/* of states that are held or kept */
	struct state_cache bodies;	/* what FETCH has sent of them */
	struct index_queue indexing;
	struct timer sweep;
	void (*on_stopped)(void *context);	/* not NULL: stopping */
	void *context;
	struct deferred stopped;
};

struct account {
	struct accounts *accounts;
	struct list link;		/* in accounts->open, or alone */
	struct span id;
	struct outcome_place place;	/* its user: atomic, workers ask */
	char **former;			/* names that the user had: workers may still read them */
	size_t former_count;
	unsigned faults;		/* kinds that it has, as bits */
	struct batch_store batch;
	struct job_queue *queue;
	struct states states;
	struct list overlays, insights;
	struct status_rows status_rows;
	unsigned holders, readers, jobs;
	size_t gathered;		/* octets, by all sessions */
	bool is_open;			/* as far as the last job told */
	bool has_garbage;
	bool has_unsettled_flags;	/* as far as the last job told */
	bool is_retention_over;		/* likewise: something that was kept is to be let go */
	bool is_orphan;			/* atomic: workers ask */
	bool is_flushing;		/* that job is under way */
	struct gate gate;
	struct timer flush;
	struct account_job close_job, flush_job, purge_job;
	struct folding folding;
	struct pages pages;
	bool has_more_garbage;		/* written by the purge job */
	uint64_t let_go;		/* likewise: messages that were kept */
	struct index_seat indexing;
	uint64_t used_us;
	struct bulletin *bulletin;
	const void *actor;
};

#endif
