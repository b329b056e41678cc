/*
 * What session.c, the life of a session, and ground.c, what its commands stand on, need of each
 * other.  Loop thread.
 */
#ifndef SESSION_LIFE_H
#define SESSION_LIFE_H

#include "session.h"

struct stream;

/* Look at what there is to do, in a turn of its own. */
void session_schedule(struct session *session);

/* The selected mailbox is gone: deleted, or its store has failed. */
bool session_has_lost_view(const struct session *session);
void session_say_lost_view(struct session *session);

/* For session->news: tell an idling client what is new. */
void session_on_news(void *context);

/* The client has taken what waited for it. */
void session_on_drained(struct stream *stream, void *context);

#endif
