/*
 * Sends messages by APPEND: many messages a command (MULTIAPPEND, RFC 3502), literals that do not wait
 * (LITERAL+, RFC 7888), several commands under way.  Blocking.
 *
 * MULTIAPPEND is all or nothing, so a refused command is sent again message by message: only what is
 * itself refused is reported and left out.  A message that only its keywords keep out goes in without them.
 */
#ifndef IMAPCTL_APPENDER_H
#define IMAPCTL_APPENDER_H

#include "../remote/dialog.h"
#include "../source/source.h"

struct appender;

struct appender_events {
	/* A message or mailbox was refused; the spans are borrowed until return. */
	void (*on_refused)(struct span origin, struct span reason, void *context);
	/* A message went in without its keywords: the mailbox has no room for them. */
	void (*on_no_keywords)(struct span origin, void *context);
	/* A message that has a number is in; uid is 0 where the server does not say (no UIDPLUS).  NULL: nobody asks. */
	void (*on_stored)(struct span mailbox, uint32_t number, uint32_t uid, void *context);
	void *context;
};

/* Why nothing more is sent. */
enum appender_stop {
	APPENDER_GOES_ON,
	APPENDER_LOST,		/* the connection */
	APPENDER_FULL,		/* no space is left on the server's disk, or the quota is used up */
	APPENDER_UNAVAILABLE,	/* the server's storage fails */
};

/* Borrows the dialog, and listens to replies that begin with `a`. */
struct appender *appender_new(struct dialog *dialog, struct appender_events events);
void appender_free(struct appender **appender);

/* From now on mailboxes are there: none is made, or subscribed to. */
void appender_make_none(struct appender *appender);

/*
 * Send a message, or keep a copy until there are more to send with it.
 *
 *	mailbox	UTF-8 in modified UTF-7 (RFC 3501 section 5.1.3); created when it is missing
 *
 * False: appender_why() says why not; what was not answered is not counted.
 */
bool appender_add(struct appender *appender, struct span mailbox, const struct message *message);

/* Make a mailbox that gets no messages, unless it is there.  If it is refused, origin is.  False as above. */
bool appender_make(struct appender *appender, struct span mailbox, struct span origin);

/* Send what waits and wait for all answers; false as above. */
bool appender_finish(struct appender *appender);

/* Messages that the server has confirmed. */
uint64_t appender_count(const struct appender *appender);

enum appender_stop appender_why(const struct appender *appender);

/* The same as a sentence.  Borrowed. */
const char *appender_trouble(struct appender *appender);

/* Append "(\Seen work)", of enum message_flag and of keywords with a space between two. */
void appender_add_flags(struct buffer *out, unsigned flags, struct span keywords);

#endif
