/*
 * Identifiers that stay when messages and mailboxes move: RFC 8474.  EMAILID stands for what a message holds, so
 * copies have the same; MAILBOXID for a mailbox whatever its name.  THREADID is NIL: no threads are kept.  Pure.
 */
#ifndef MAILBOX_OBJECTID_H
#define MAILBOX_OBJECTID_H

#include "base/buffer.h"

/* "(M12)" and "(F3)". */
void objectid_write_email(struct buffer *out, uint64_t content_id);
void objectid_write_mailbox(struct buffer *out, uint64_t mailbox_id);

/* The content that an EMAILID stands for; 0 when it is none of ours. */
uint64_t objectid_email(struct span text);

#endif
