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

/* Its jobs are out. */
bool append_is_busy(const struct session *session);

/* The command is whole: store and answer. */
session_handler cmd_append;

/* Forget it, if there is any; not while it is busy. */
void append_forget(struct session *session);

#endif
