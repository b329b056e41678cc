/*
 * Sends messages by APPEND over a connection that is logged in already: many messages a command
 * (MULTIAPPEND, RFC 3502), literals that do not wait (LITERAL+, RFC 7888), several commands under way.
 * Blocking.
 *
 * MULTIAPPEND is all or nothing, so a refused command is sent again message by message: only what is
 * itself refused is reported and left out.
 */
#ifndef IMAPCTL_APPENDER_H
#define IMAPCTL_APPENDER_H

#include "source.h"

struct appender;

/* A message was refused; the spans are borrowed until return. */
typedef void appender_refused(struct span origin, struct span reason, void *context);

/*
 *	descriptor	given; a connected socket in the state after login
 *	on_refused	called from the two functions below
 */
struct appender *appender_new(int descriptor, appender_refused *on_refused, void *context);
void appender_free(struct appender **appender);

/*
 * Take a message over; message->octets is empty afterwards.
 *
 *	mailbox	UTF-8 in modified UTF-7 (RFC 3501 section 5.1.3); created when it is missing
 *
 * False: the connection is lost, appender_trouble() says why; what was not answered is not counted.
 */
bool appender_add(struct appender *appender, struct span mailbox, struct message *message);

/* Send what waits and wait for all answers; false as above. */
bool appender_finish(struct appender *appender);

/* Messages that the server has confirmed. */
uint64_t appender_count(const struct appender *appender);

/* Why the connection was lost, one sentence.  Borrowed. */
const char *appender_trouble(struct appender *appender);

#endif
