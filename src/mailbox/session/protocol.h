/*
 * A session's lines in the protocol log (control/protocol_log.h), if there is one.  Its cas in this process says when it begins
 * and ends.  Loop thread.
 */
#ifndef SESSION_PROTOCOL_H
#define SESSION_PROTOCOL_H

#include "session.h"

void session_log_begin(struct session *session);

/*
 * The tagged answer is written, and not yet flushed.
 *
 *	line	NULL: the command was not understood
 *	answer	borrowed, without its end
 */
void session_log_answer(struct session *session, const struct imap_command_line *line, struct span answer);

void session_log_end(struct session *session);

#endif
