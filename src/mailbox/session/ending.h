/*
 * What the life of a session needs of ending.c, beside what session.h offers to all.  Loop thread.
 */
#ifndef SESSION_ENDING_H
#define SESSION_ENDING_H

#include "session.h"

/* Say BYE: the selected mailbox is gone. */
void session_say_lost_view(struct session *session);

/* For session->news: tell an idling client what is new. */
void session_on_news(void *context);

#endif
