/*
 * A FETCH under way: which messages it is about, and the batch of them that is worked on.  Loop thread.
 */
#ifndef MAILBOX_CMD_FETCH_H
#define MAILBOX_CMD_FETCH_H

#include "../fetch/render.h"
#include "../session/door.h"
#include "../session/earlier.h"
#include "../session/marking.h"

struct fetch {
	struct session_job render_job, flags_job;
	struct session_follower follower;	/* also of one that was the first */
	enum store_status status;	/* of the piece that is home */
	const struct imap_fetch *program;
	struct view_set set;
	struct imap_sequence chosen;	/* by PARTIAL */
	struct view_changes changes;	/* of the set, with CHANGEDSINCE */
	struct earlier earlier;		/* with VANISHED */
	struct imap_sequence vanishing;	/* the set, within which it is asked for */
	struct fetch_render render;
	bool may_be_kept;		/* all that its lines need */
	bool is_reading;		/* account_begin_reading() */
	bool is_at_end;			/* of the set */
	struct keywords *keywords;	/* held for the style */
	uint32_t limit;			/* session_message_limit(), or 0 */
	bool is_falling;		/* the messages are more than that, or may be: the last ones come first */
	uint32_t lowest_uid;		/* where the limit has cut them off; 0: nowhere */
	uint32_t change_uid;		/* with CHANGEDSINCE: the last that has changed, and */
	uint32_t changes_found;		/* how many so far */
	bool has_ghosts;		/* messages that are gone were asked for */
	size_t found;			/* of those asked for, so many that the state has */

	/* The batch's messages that become \Seen. */
	struct account *account;	/* of the selected mailbox */
	struct door door;
	uint64_t mailbox_id;
	uint32_t *uids;
	struct store_flag_result *results;
	size_t unseen_count;
	struct marking marking;		/* where \Seen is the user's own */

	struct buffer out;		/* filled by a worker */
};

/* Keywords may have come since the slice before. */
void fetch_update_style(struct session *session, struct fetch *fetch);

/* With CHANGEDSINCE the set is not walked: look beforehand whether it names what is gone, and anything else. */
void fetch_look_for_gone(struct fetch *fetch);

/* Note down the next message that is there and wanted; false at the end of the set, or of this turn. */
bool fetch_next_entry(struct fetch *fetch, struct fetch_entry *entry);

/* Whether its items are such that bodies.h may have all of a line. */
bool fetch_may_be_kept(const struct imap_fetch *program);

/* Whether it has all lines of the batch that are still to come. */
bool fetch_is_kept(const struct session *session, const struct fetch *fetch);

/* Write the next lines of the batch that are kept, while there is room. */
void fetch_write_kept(struct session *session, struct fetch *fetch);

/* Write the piece that a worker has rendered, and keep what may be asked for again. */
void fetch_write_piece(struct session *session, struct fetch *fetch);

/* Note down the messages of the next batch, and which of them become \Seen. */
void fetch_collect(struct session *session, struct fetch *fetch);

#endif
