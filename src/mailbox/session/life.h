/*
 * What the files of a session need of each other: session.c, its life; ending.c, how a command ends; ground.c,
 * what both and the commands stand on.  Loop thread.
 */
#ifndef SESSION_LIFE_H
#define SESSION_LIFE_H

#include "session.h"

struct stream;

void session_enter(struct session *session, enum session_phase next);

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
