/*
 * Copying messages from one user's file into another's, for COPY and MOVE.  The octets go through a spool, as those of
 * APPEND do, and are stored a piece of them at a time, so that neither file waits for long; what was stored before
 * something fails is taken back.  A MOVE takes the messages from where they were when all are stored: who is interrupted
 * between the two finds them in both.  Loop thread.
 */
#ifndef ACROSS_H
#define ACROSS_H

#include "../incoming/incoming.h"
#include "../session/door.h"
#include "../session/marking.h"

/* Lives in the line's arena, zeroed at first. */
struct across {
	struct session_job job;
	/* To be filled in before across_begin(). */
	struct arena *arena;
	struct door *target, source;	/* the source with the rights that the command needs */
	uint64_t from_id;
	const struct store_message *messages;	/* rising UIDs; flags with the keywords of the selected mailbox */
	size_t count;
	bool is_move;
	void (*done)(struct session *session, struct across *across, enum reply reply);

	/* After REPLY_DONE. */
	uint64_t to_id;
	uint32_t uidvalidity;		/* of the target */
	struct store_copied *copies;	/* copied of them; fewer than count after a move, when others have taken some first */
	size_t copied;

	/* Private. */
	struct store_parting parting;
	uint64_t modseq;		/* of the source after a move */
	uint32_t *uids;			/* of the source, that have gone by it */
	size_t gone;
	struct session *session;
	struct keywords *keywords;	/* held */
	size_t end;			/* the piece: from copied on */
	size_t reading;
	uint64_t offset;		/* in the message that is read */
	struct buffer octets;
	struct incoming incoming;
	struct job render;
	struct store_message *results;
	size_t known_keywords;
	struct store_keywords news;
	enum reply reply;		/* why it is taken back */
	bool is_waiting;		/* for the spool */
	uint32_t *undone;		/* copies that are taken back */
	size_t undone_count;
	uint64_t undone_modseq;
	struct store_digest *digests;	/* of the piece, as the source has them */
	struct marking marking;
	uint32_t *seen;			/* copies that the user has seen, where that is kept elsewhere */
	size_t seen_count;
};

void across_begin(struct session *session, struct across *across);

#endif
