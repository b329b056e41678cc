/*
 * What an operator may be told of a session that has a user and a stream: control/session.h.  Loop thread.
 */
#ifndef SESSION_FACTS_H
#define SESSION_FACTS_H

#include "control/session.h"
#include "session.h"

struct session_facts session_facts(const struct session *session);

/* The same, added to what is known: all but what the cas knows better. */
void session_add_facts(const struct session *session, struct session_facts *facts);

#endif
