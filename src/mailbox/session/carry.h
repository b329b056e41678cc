/*
 * A session that goes on at another mailbox server, where its user has moved to.  Loop thread.
 */
#ifndef CARRY_H
#define CARRY_H

#include "carried.h"
#include "session.h"

/*
 * What another server has to know to go on, when this session is between two commands or in IDLE.
 *
 *	account	id that the user's mailbox has there; borrowed
 *
 * False: it has something that cannot be carried, or its other end cannot carry.
 */
bool session_carry(const struct session *session, struct span account, struct buffer *text_out);

/* Give the client, with what was not read of it and that text, to the other end, which takes it there. */
void session_hand_over(struct session *session, struct span text);

/* Be that session: its user has just logged in.  Before session_login(), and behind it. */
void session_take_words(struct session *session, const struct carried *carried);
void session_take_manner(struct session *session, const struct carried *carried);

/* Behind the last word on the link that is not its client's. */
void session_take_wire(struct session *session, const struct carried *carried);

/* Have that mailbox selected; takes the hold of the state.  False: it is another one by now. */
bool session_take_view(struct session *session, const struct carried *carried, struct state *state);

#endif
