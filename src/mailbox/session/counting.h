/*
 * What metrics learn of sessions: commands and how they were answered, limits, and how many sessions do what.
 * Loop thread.
 */
#ifndef COUNTING_H
#define COUNTING_H

#include "reply.h"
#include "session.h"

/* A session begins, and ends. */
void count_begin(struct session *session);
void count_end(struct session *session);

/* The command under way is answered so. */
void count_answer(const struct session *session, enum reply reply);

/* The same of a command whose line has not been read to its end. */
void count_reply(const struct session *session, enum imap_verb verb, enum reply reply);

/* There is news that the client does not read; or there is none any more. */
void count_untold(struct session *session, bool has_untold_news);

/* It may have selected a mailbox, or left it, or idle now. */
void count_state(struct session *session);

#endif
