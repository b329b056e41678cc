/*
 * Users on their way from one mailbox server to another, at the host that orders it: src/link/README, "Moving a user".
 *
 *	moves.c		which there are, from the order to the end, also over a restart
 *	move.c		... one of them
 *	transfer.c	... the conversation with both servers, up to the switch
 *	settle.c	... telling both how it has ended
 *	move_verbs.c	what the operator asks
 *
 * Loop thread; the work_ functions on workers.
 */
#ifndef CAS_MOVES_H
#define CAS_MOVES_H

#include "base/arena.h"
#include "client.h"
#include "directory/moving.h"

struct control;
struct control_call;

enum { MOVE_SOURCE, MOVE_TARGET, MOVE_SIDES };

enum move_phase {
	MOVE_BEGINNING,		/* the directory is asked; then both servers */
	MOVE_COPYING,
	MOVE_PAUSING,		/* the source ends what is under way */
	MOVE_PAUSED,		/* and nothing happens there; the rest follows */
	MOVE_SWITCHING,		/* the source has left it to us */
	MOVE_SETTLING,		/* it has ended, and both are told */
	MOVE_ENDED,		/* and know */
};

struct move_side {
	struct move *move;
	struct link_attempt *attempt;
	struct stream *stream;
	void (*on_line)(struct move *move, struct span line);	/* what is awaited */
	size_t passing;			/* octets that go on to the other side as they are */
	bool was_asked;			/* it may have something to do with the move */
	bool has_failed;		/* it could not be told just now how the move has ended */
};

/* Of moves.c. */
struct move_events {
	void (*on_due)(struct move *move);	/* of its timer */
	void (*on_failed)(struct move *move);
};

struct move {
	struct list link;		/* in cas->moves */
	struct cas *cas;
	const struct move_events *events;
	struct arena *arena;
	struct directory_name name;
	struct span wanted;		/* home that is wanted, in the arena */
	struct directory_move row;
	struct directory_move found;	/* by the worker, for done() */
	enum move_phase phase;
	bool is_noted;			/* in the directory */
	bool has_failed, is_confirmed, is_there;	/* is_there: nothing was to be done */
	int code;			/* of sysexits.h; with error, which is what has failed */
	char error[320];
	struct move_side sides[MOVE_SIDES];
	struct job job;
	enum directory_status status;
	bool is_asking;
	struct timer timer;
	unsigned tries, passes;
	int awaited;			/* the side that is not reached to be told; MOVE_SIDES: none */
	uint64_t schema, octets_total, octets, left, pages;
	bool is_final;			/* the pass under way is the last */
	struct span facts;		/* of the user, in base64; in the arena */
	struct buffer shares;		/* records of what will not be found any more */
	uint64_t began_us, paused_us, pause_us, ended_us;
	struct list waits;		/* calls; move_verbs.c */
};

/* Find one that is under way, or has ended last; NULL: none. */
struct move *moves_find(struct cas *cas, struct span name);

/*
 * Begin one; NULL: why is said, as for control_finish().
 *
 *	target	as the operator calls the server; borrowed
 */
struct move *moves_begin(struct cas *cas, const struct directory_name *name, struct span target, bool is_confirmed,
    int *code_out, const char **why_out);

/* Give it up; false: it is too late. */
bool moves_cancel(struct move *move);

/* How the operator calls the server that a home means. */
struct span moves_server_name(const struct cas *cas, struct span home);

/* Go on with one that is noted, unless it is under way; and end, which leaves them noted. */
void moves_take_up(struct cas *cas, const struct directory_move *row);
void moves_close(struct cas *cas);

/* leftovers.c: find in the directory which moves and renames another process has left, and go on with them, until moves_close(). */
void leftovers_open(struct cas *cas);

/* A mailbox server is silent. */
void moves_lost(struct cas *cas, struct span server);

/* move.c: make one, and free it; let both streams go; a question to the directory; what has changed is told to who waits; it has failed, and is taken back. */
struct move *move_new(struct cas *cas, const struct directory_name *name, const struct move_events *events);
void move_free(struct move *move);
void move_hang_up(struct move *move);
void move_ask(struct move *move, void (*work)(struct job *job), void (*done)(struct job *job));
/* In done(), first of all.  False: the move is gone. */
bool move_answered(struct move *move);
void move_note(struct move *move);
void move_fail(struct move *move, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void move_end(struct move *move);

/* transfer.c; a stream that a side has got from its attempt; say a line. */
void transfer_begin(struct move *move);
void transfer_try_again(struct move *move);
void transfer_listen(struct move_side *side, struct stream *stream);
void transfer_say(struct move_side *side, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* settle.c */
void settle_begin(struct move *move);
void settle_unknown(struct move *move);	/* whether it was switched */
void settle_lost(struct move *move, struct span server);	/* a mailbox server is silent */

#endif
