/*
 * Who the recipients of a message are.  Loop thread.
 */
#ifndef RECIPIENTS_H
#define RECIPIENTS_H

#include "../shared/role.h"

/* Look a recipient up: lmtp_ops.lookup. */
void recipients_look_up(void *context, struct lmtp_lookup *lmtp);

/* What is said of a full mailbox: lmtp-over-quota. */
enum lmtp_outcome recipients_over_quota(const struct mailbox_role *role);

#endif
