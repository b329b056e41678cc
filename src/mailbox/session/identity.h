/*
 * The names by which rights are given to whoever is logged in: RFC 4314 section 3.  Loop thread.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "base/span.h"

struct session;

/*
 * The user's name, what means everybody, the groups, and the name before.
 *
 *	groups	each behind a NUL; borrowed
 *	former	that rights may still be given to, and taken from; empty: none
 */
void session_take_identity(struct session *session, struct span groups, struct span former);

/* Accepts a session without. */
void session_forget_identity(struct session *session);

#endif
