/*
 * Who a client's octets are for, once the parser has made an event of them.  Loop thread.
 */
#ifndef SESSION_DISPATCH_H
#define SESSION_DISPATCH_H

#include "session.h"

/*
 * Do what an event asks for; while a command is under way it is left to the pipeline.  Takes the line of a command; octets are
 * borrowed until return.  The session may be closing afterwards, and has no stream then.
 */
void dispatch_event(struct session *session, const struct imap_event *event);

#endif
