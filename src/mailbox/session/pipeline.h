/*
 * What a client sends before it has the answer to what it sent before: RFC 9051 section 5.5.  Commands run one after the
 * other, but for those of one kind that only wait for their job: the next one may begin behind them, so that one
 * commit serves all, and a worker reads what comes next while the loop answers.  What they do is done in their order, and
 * so are they answered.  Loop thread.
 *
 * While a STORE or FETCH has others behind it the numbers of messages stay as they are, and EXISTS is not told either, since
 * those others have been read by them.  A command of another kind waits until all are answered; after some there is such
 * a pause in any case, so that news come through.
 */
#ifndef SESSION_PIPELINE_H
#define SESSION_PIPELINE_H

#include "session.h"

/* Whether what comes may be read although a command is under way. */
bool pipeline_may_read(const struct session *session);

/* An event of the parser while a command is under way: begins what it can, and holds back what has to wait. */
void pipeline_take(struct session *session, const struct imap_event *event);

/* Whether something is held back; and give it, when nothing is under way any more, borrowed until the parser is fed. */
bool pipeline_is_holding(const struct session *session);
struct imap_event pipeline_give(struct session *session);

/* Whether commands have begun behind the one under way that were read by the numbers of messages as they are. */
bool pipeline_keeps_numbers(const struct session *session);

/* The command under way is about to be answered: if none has begun behind it, none will. */
void pipeline_close(struct session *session);

/*
 * The command under way is over, and its line is gone: the next one takes its place, and is answered if it is home.
 * False: there is none.
 */
bool pipeline_go_on(struct session *session);

/* Forget what is held back. */
void pipeline_fini(struct session *session);

#endif
