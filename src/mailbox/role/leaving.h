/*
 * A user who leaves for another mailbox server, as its files share it:
 *
 *	leaving.c	what is ordered; the copy
 *	pausing.c	the pause: sessions begin nothing, and jobs wait
 *	departing.c	how it ends: all goes on here, or has gone
 *
 * Loop thread.
 */
#ifndef ROLE_LEAVING_H
#define ROLE_LEAVING_H

#include "life.h"
#include "movers.h"
#include "store/pages.h"

enum leaving_state {
	LEAVING_COPYING,	/* and waits for orders */
	LEAVING_HALTING,	/* commands are not begun; those under way end */
	LEAVING_FROZEN,		/* nothing is done in the account */
	LEAVING_YIELDED,	/* and only who ordered the move knows how it goes on */
};

struct leaving {
	struct mover mover;
	struct role_lookup lookup;
	struct role_ask ask;
	struct account *account;	/* NULL: not yet, or no more */
	struct account_job job;
	struct store_pages pages;
	struct buffer records;
	bool is_more, is_working, is_asking, is_sending;
	uint64_t left;			/* octets that were committed and not read */
	struct arena *arena;
	struct span facts, target;	/* in the arena */
	enum leaving_state state;
	uint64_t halted_us;
	struct timer timer;
};

static inline struct leaving *
leaving_of(struct mover *mover)
{
	return CONTAINER_OF(mover, struct leaving, mover);
}

/* pausing.c: sessions begin no command, and jobs wait when those under way have ended; then the stream says so. */
void leaving_freeze(struct leaving *leaving);

/*
 * From now on only who ordered the move knows where the user is.
 *
 *	target	the other server, as they call it; copied
 */
void leaving_yield(struct leaving *leaving, struct span target);

/* Of the timer: what was waited for has not come. */
void leaving_on_due(void *context);

/* departing.c: a job of the account, which no pause holds up. */
void leaving_submit(struct leaving *leaving, enum store_status (*work)(struct store *store, struct account_job *job),
    void (*done)(struct account_job *job));

/* A job, or a question to the directory, has come home.  False: it is over, or was refused. */
bool leaving_note_home(struct leaving *leaving, enum store_status status);
bool leaving_note_asked(struct leaving *leaving);

/* Whoever has waited goes on as if nothing had been. */
void leaving_thaw(struct leaving *leaving);

/* It has come to nothing.  A job or question under way ends first: then this comes again. */
void leaving_give_up(struct leaving *leaving);

/*
 * The file is closed, and what still wants it finds nothing.
 *
 *	is_known	the user is there, where sessions go on if they can; else nobody says how the move has ended
 */
void leaving_depart(struct leaving *leaving, bool is_known);

#endif
