/*
 * What vanished while the client was away: VANISHED (EARLIER) of SELECT (QRESYNC ...) and of UID FETCH with VANISHED.
 * RFC 7162 sections 3.2.5, 3.2.6 and 3.2.10.1.  Loop thread.
 *
 * First earlier_read(), then with the view as it is in on_read() earlier_choose(), then earlier_write().
 */
#ifndef EARLIER_H
#define EARLIER_H

#include "session.h"

/* Lives in what the command keeps, in its arena; zeroed at first. */
struct earlier {
	struct session_job job;
	struct arena *arena;		/* of the command */
	uint64_t mailbox_id;
	uint64_t since;			/* the modseq that the client knows */
	struct store_history history;
	struct imap_sequence uids;	/* to be told */
	size_t told;			/* ranges of them */
	void (*on_read)(struct session *session, struct earlier *earlier, enum store_status status);
	void (*on_written)(struct session *session, struct earlier *earlier);
};

/*
 * Read what the file remembers, unless the state knows that nothing was expunged since.  on_read comes at once or
 * from a job; either way it finds the state as it was when the history was read.
 */
void earlier_read(struct session *session, struct earlier *earlier, const struct state *state);

/*
 * Choose what is to be told: what has gone since, or, when that is forgotten, all that is not there.
 *
 *	within	    of these UIDs
 *	known_uid   nothing up to here: section 3.2.5.2
 *
 * What the view is still to announce is left out: VANISHED without EARLIER will tell it.
 */
void earlier_choose(struct session *session, struct earlier *earlier, const struct imap_sequence *within,
    uint32_t known_uid);

/* Write it, a slice a turn; session->running is the earlier's until on_written(). */
void earlier_write(struct session *session, struct earlier *earlier);

#endif
