/*
 * The autologout timer of a session (RFC 9051 section 5.4), on which it says in IDLE that it is still there, and ends when
 * it must.  Loop thread.
 */
#ifndef SESSION_TIMEOUT_H
#define SESSION_TIMEOUT_H

#include "session.h"

/* Anew: what the session waits for is another than before. */
void timeout_start(struct session *session);

/* The client has done something. */
void timeout_note_activity(struct session *session);

/* For session->timer. */
void timeout_on_timer(void *context);

#endif
