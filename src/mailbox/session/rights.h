/*
 * What the session may do with a mailbox of somebody else that it has selected, while that changes: RFC 4314 section 5.1.1.
 * Loop thread.
 */
#ifndef SESSION_RIGHTS_H
#define SESSION_RIGHTS_H

#include "session.h"

/*
 * Find out what the session may do with its selected mailbox, in a job, unless it is its own.  When that is something
 * else than before, it is told which flags it may change; when it may not read any more, its view is lost, as if the
 * mailbox were gone.
 */
void rights_look(struct session *session);

/*
 * The rights in a mailbox have changed: let all sessions of others that have it selected look.  False: there are none.  A job
 * that is submitted to the account behind this comes home when they know.
 */
bool rights_changed(struct mailbox_role *role, const struct account *account, uint64_t mailbox_id);

#endif
