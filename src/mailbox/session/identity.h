/*
 * The names by which rights are given to whoever is logged in: RFC 4314 section 3.  Loop thread.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "base/span.h"

struct session;

/*
 * The user's name, what means everybody, and the groups.
 *
 *	groups	each behind a NUL; borrowed
 */
void session_take_identity(struct session *session, struct span groups);

/* Accepts a session without. */
void session_forget_identity(struct session *session);

#endif
