/*
 * A session that an operator looks on (control/trace.h): what its client says, and what it is answered, without secrets and
 * messages.  Loop thread.
 */
#ifndef SESSION_ONLOOK_H
#define SESSION_ONLOOK_H

#include "imap/parser.h"
#include "session.h"

/*
 * Find out whether somebody looks on: traces have begun or ended, or the session has got its user.  A session in the middle
 * of a command is shown from the next one on, which session_find_onlookers() is called for again.
 */
void session_find_onlookers(struct session *session);

/* The session is about to begin a command. */
static inline void
session_begin_onlook(struct session *session)
{
	if (session->is_onlooker_due)
		session_find_onlookers(session);
}

/* For a session that is looked on: something has come, or is written. */
void session_show_event(struct session *session, const struct imap_event *event, size_t octets);
void session_show_output(struct session *session, struct span octets);

/* The session is over; looked on or not. */
void session_end_onlook(struct session *session);

#endif
