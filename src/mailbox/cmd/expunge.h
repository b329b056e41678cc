/*
 * Expunging what has the flag \Deleted, for EXPUNGE and CLOSE.  Loop thread.
 */
#ifndef EXPUNGE_H
#define EXPUNGE_H

#include "../session/session.h"

/*
 * Expunge and apply it to the state.
 *
 *	only	of these alone (UID EXPUNGE); NULL: all
 *	done	comes later
 */
void expunge_deleted(struct session *session, const struct view_set *only,
    void (*done)(struct session *session, enum store_status status));

#endif
