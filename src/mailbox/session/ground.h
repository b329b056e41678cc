/*
 * What the life of a session and the end of its commands stand on, beside what session.h offers to all.
 * Loop thread.
 */
#ifndef SESSION_GROUND_H
#define SESSION_GROUND_H

#include "session.h"

struct stream;

void session_enter(struct session *session, enum session_phase next);

/* A command is under way from now on: takes the line. */
void session_begin_line(struct session *session, struct imap_command_line *line);

/* The stream is given away: only jobs are waited for. */
void session_begin_closing(struct session *session, enum metric_reason why);

/* Look at what there is to do, in a turn of its own. */
void session_schedule(struct session *session);

/* The selected mailbox is gone: deleted, or its store has failed. */
bool session_has_lost_view(const struct session *session);

/* The client has taken what waited for it. */
void session_on_drained(struct stream *stream, void *context);

#endif
