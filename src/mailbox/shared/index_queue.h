/*
 * When whose messages are indexed: one account at a time, a slice of some milliseconds after the other, as soon as its
 * user has been quiet for a while, or when much has come in.  A slice shares no transaction with what somebody waits for.
 * Loop thread.
 */
#ifndef INDEX_QUEUE_H
#define INDEX_QUEUE_H

#include "account.h"
#include "indexer.h"

/* What the queue asks of an account. */
struct index_host {
	void (*submit)(struct account *account, struct account_job *job);	/* for what no user has asked for */
	uint64_t (*idle_us)(const struct account *account);	/* since it was used last; 0 while it has jobs */
	const char *(*path)(const struct account *account);
};

struct index_queue {
	const struct index_host *host;
	struct list waiting;		/* seats, who is next first */
	struct timer turn;
	struct loop *loop;
	struct workers *workers;
	bool is_running;		/* a slice is */
	bool is_stopped;
};

/* Somebody who waits for an account's index. */
struct index_watcher {
	void (*on_slice)(struct index_watcher *watcher, enum store_status status, bool is_more);
};

/* One in each account. */
struct index_seat {
	struct list link;		/* in the queue, or alone */
	struct index_queue *queue;
	struct account *account;
	struct account_job job;
	struct indexer indexer;		/* the worker's during a slice */
	struct index_watcher *watcher;	/* NULL: nobody waits */
	uint64_t backlog;		/* store_index_backlog() as the last job told */
	bool is_training_due;		/* store_is_training_due(), likewise */
	uint64_t not_before_us;		/* after a failure */
	uint64_t rest_until_us;		/* after a slice, when the account is in use */
	bool is_running, is_more;
	bool is_stale;			/* the file may be another one: what was begun of a message is to be forgotten */
	bool has_told;			/* that the index was damaged */
};

void index_queue_init(struct index_queue *queue, const struct index_host *host, struct loop *loop,
    struct workers *workers);

/* No further slice begins; nobody watches any more. */
void index_queue_stop(struct index_queue *queue);

void index_seat_init(struct index_seat *seat, struct index_queue *queue, struct account *account);
void index_seat_fini(struct index_seat *seat);

/* A job of the account has come home. */
void index_seat_note(struct index_seat *seat, const struct account_job *job);

/* Whether there is something to index, so that the file may stay open a while. */
bool index_seat_is_waiting(const struct index_seat *seat);

/*
 * Index without waiting for quiet.  The watcher is called after each slice, from a job's done(), until a status is not
 * STORE_OK or there is no more, or it is taken off by NULL.  False: there is another one.
 */
bool index_seat_watch(struct index_seat *seat, struct index_watcher *watcher);

#endif
