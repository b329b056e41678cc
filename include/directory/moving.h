/*
 * Users who move from one mailbox server to another, as the directories of the three hosts that take part remember it
 * (src/link/README, "Moving a user").  In the SQLite file alone, else DIRECTORY_READ_ONLY.  Worker thread, as
 * directory/directory.h.
 */
#ifndef DIRECTORY_MOVING_H
#define DIRECTORY_MOVING_H

#include "directory/directory.h"

#define DIRECTORY_MOVE_ID_LENGTH 32

/* ---- at the host that orders the move ---- */

struct directory_move {
	struct span name, source, target;	/* homes */
	char move_id[DIRECTORY_MOVE_ID_LENGTH + 1];
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* by directory_move_begin(): of the user who is to move */
	bool is_switched, source_knows, target_knows;
};

/*
 * Note that a user is to move, with a new id.
 *
 *	move_out	what is noted; in the arena, untouched on failure
 *
 * DIRECTORY_NOT_FOUND, as for directory_lookup().  DIRECTORY_EXISTS: one is noted already, which move_out gets.
 * DIRECTORY_BUSY: this or another user is being renamed.
 */
enum directory_status directory_move_begin(struct directory *directory, struct span name, struct span target,
    struct arena *arena, struct directory_move *move_out);

/* List what is noted, all of it; in the arena. */
enum directory_status directory_move_list(struct directory *directory, struct arena *arena,
    struct directory_move **moves_out, size_t *count_out);

/*
 * The one step that moves a user: the home changes, durably, and it is noted that it has.
 *
 *	move	as it was begun
 *
 * DIRECTORY_NOT_FOUND: the user, the home or the move is another one by now, and nothing was changed.
 */
enum directory_status directory_move_switch(struct directory *directory, const struct directory_move *move);

/* The server before, or the one afterwards, knows how the move has ended; once both do, it is forgotten. */
enum directory_status directory_move_told(struct directory *directory, struct span name, const char *move_id,
    bool is_source);

/* ---- at mailbox servers ---- */

enum directory_presence {
	DIRECTORY_HERE,		/* as far as moves are concerned */
	DIRECTORY_LEAVING,	/* who ordered the move has not said yet how it ended */
	DIRECTORY_GONE,
	DIRECTORY_ARRIVING,	/* or about to get this name: directory/renaming.h */
};

/* Whether mail of this name may be served from here. */
enum directory_status directory_find_presence(struct directory *directory, struct span name,
    enum directory_presence *presence_out);

/* ---- at the one that the user leaves ---- */

/*
 * From now on only who ordered the move knows whether the user is here.  Durable.
 *
 * DIRECTORY_NOT_FOUND: the user has another mailbox by now.  DIRECTORY_EXISTS: another move has come to that.
 */
enum directory_status directory_leave_mailbox(struct directory *directory, struct span name, const char *mailbox_id,
    const char *move_id, struct span target);

/*
 * How it ended.  Gone: the mailbox is one of a deleted user, and what was shared in it is not found any more.  Fine when
 * that was known.
 *
 *	mailbox_id_out	of the mailbox that was left now, or is not left; empty: that was known
 */
enum directory_status directory_end_leaving(struct directory *directory, struct span name, const char *move_id,
    bool is_gone, char mailbox_id_out[DIRECTORY_ID_LENGTH + 1]);

/*
 * What goes along with a user: lines of a key, a space and a value.  In the arena.
 */
enum directory_status directory_describe(struct directory *directory, struct span name, struct arena *arena,
    struct span *facts_out);

/* ---- at the one that the user comes to ---- */

/*
 * Note that a user is about to come.  The mailbox id is that of the move, so that the server before knows it, too: what it
 * hands over is for this mailbox, and for nobody else's of the name.
 *
 *	old_id_out	of a mailbox that the user has here, and that must not have mail; empty: none
 *
 * DIRECTORY_EXISTS: by another move, or the mailbox id is somebody's.  DIRECTORY_BUSY: this or another user is being renamed.
 */
enum directory_status directory_expect(struct directory *directory, struct span name, const char *move_id,
    char old_id_out[DIRECTORY_ID_LENGTH + 1]);

/*
 * The copy is whole: it is on the disk.  Durable.
 *
 *	facts	what directory_describe() said where it comes from, and for each identifier that some mailbox of the copy
 *		gives rights a line "share IDENTIFIER"
 */
enum directory_status directory_expect_whole(struct directory *directory, struct span name, const char *move_id,
    struct span facts);

/* Who arrives, by this move; the spans of all that is known are in the arena. */
struct directory_arriving {
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	bool is_whole;
	bool is_shared;			/* a shared account */
	struct span *shares;		/* identifiers that some of the mailboxes give rights */
	size_t share_count;
};
enum directory_status directory_find_arrival(struct directory *directory, struct span name, const char *move_id,
    struct arena *arena, struct directory_arriving *arrival_out);

/*
 * The user is here, with that mailbox.  Durable.  Fine when that is so already, as it seems: DIRECTORY_NOT_FOUND when
 * the move is not known and the user is not, either.  DIRECTORY_EXISTS: the copy is not whole, or is another one.
 */
enum directory_status directory_arrive(struct directory *directory, struct span name, const char *move_id);

/*
 * The user does not come; the copy is to be removed before.  Fine when nobody was expected.
 */
enum directory_status directory_unexpect(struct directory *directory, struct span name, const char *move_id);

#endif
