/*
 * APPEND while its messages come in: RFC 9051 section 6.3.12, RFC 3502; and REPLACE, RFC 8508.  The mailbox is
 * looked up before the first octet is asked for, so that TRYCREATE costs the client no upload.  Loop thread.
 */
#ifndef APPEND_H
#define APPEND_H

#include "../session/session.h"

/* A message begins: calls session_resume_append() or session_refuse_append(), also later. */
void append_begin(struct session *session, const struct imap_append_message *message);
void append_octets(struct session *session, struct span octets);

/* The disk is behind: stop reading; the session is advanced when there is room. */
bool append_is_congested(const struct session *session);

/* The command is whole: store and answer. */
session_handler cmd_append;

/*
 * The same behind other APPENDs that are not answered yet, to the same mailbox, so that there is nothing to look up; up to
 * a megabyte altogether.
 */
bool append_follow_message(struct session *session, const struct imap_append_message *message);
session_follow_handler append_follow;

/* Forget what has come in of a command, if there is any. */
void append_forget(struct session *session);

#endif
