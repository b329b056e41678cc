/*
 * Users on their way to another mailbox server or from one: what both ends have in common (src/link/README, "Moving a
 * user").  Loop thread.
 */
#ifndef MOVERS_H
#define MOVERS_H

#include "../shared/role.h"
#include "directory/moving.h"

struct mover;

struct mover_kind {
	/* A line has come, without its end; further input waits until mover_go_on(). */
	void (*on_line)(struct mover *mover, struct span line);
	/* So many octets that a line has announced, by mover_expect(). */
	void (*on_octets)(struct mover *mover, struct span octets);
	void (*on_drained)(struct mover *mover);	/* what was written is taken; may be NULL */
	void (*on_lost)(struct mover *mover);		/* the stream is gone: whoever orders the move, or the role ends */
};

struct mover {
	struct list link;		/* in role->movers */
	struct mailbox_role *role;
	const struct mover_kind *kind;
	struct stream *stream;		/* NULL: gone */
	size_t expected;		/* octets */
	bool is_busy;			/* with a line or octets */
	struct directory_name name;
	char move_id[DIRECTORY_MOVE_ID_LENGTH + 1];
};

#define MOVER_OUTPUT_LOW ((size_t)128 * 1024)
#define MOVER_FRAME_MAX  ((size_t)64 * 1024 * 4)	/* octets of pages in one piece, about */

/* What was wished: op, name, id of the move, and what that op wants. */
#define MOVER_WORDS 6
struct mover_wish {
	struct span words[MOVER_WORDS];
	size_t count;
};

/* For what is asked by the wish alone, and answered when the directory has done it: further lines say nothing. */
extern const struct mover_kind mover_answer_kind;

/* Begin: keeps name and id, which are good.  Takes the stream. */
void mover_init(struct mover *mover, struct mailbox_role *role, const struct mover_kind *kind, struct stream *stream,
    const struct mover_wish *wish);
void mover_fini(struct mover *mover);

/* Say a line; nothing when the stream is gone. */
void mover_say(struct mover *mover, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say no, and why, and let the stream go. */
void mover_refuse(struct mover *mover, const char *why);

/* The stream is of no use any more. */
void mover_lose(struct mover *mover);

/* The line or the octets were dealt with. */
void mover_go_on(struct mover *mover);

/* So many octets follow the line, before the next. */
void mover_expect(struct mover *mover, size_t octets);

/* The one of this kind and name; NULL: none. */
struct mover *mover_find(struct mailbox_role *role, const struct mover_kind *kind, struct span name);

/* leaving.c */
extern const struct mover_kind leaving_kind;
void leaving_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish);

/*
 * It is known how it ended: whoever waits goes on, or is sent away.
 *
 *	mailbox_id	that was left, or is not left after all; empty: that was known before
 *
 * False: the user stays, and another move cannot begin yet; ask again.
 */
bool leaving_end(struct mailbox_role *role, const struct directory_name *name, const char *move_id, bool is_gone,
    const char *mailbox_id);

/* arriving.c; arriving_end(): nothing more is written of this copy.  False: something is being written just now; ask again. */
extern const struct mover_kind arriving_kind;
void arriving_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish);
bool arriving_end(struct mailbox_role *role, const struct directory_name *name, const char *move_id);

/* verdict.c: how a move has ended, for one of the two servers. */
void verdict_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish);

/* renamed.c: a user gets another name. */
void renamed_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish);

#endif
