/*
 * What a session has asked to be told of by NOTIFY, and what of it waits to be told: RFC 5465.  Loop thread.
 *
 * Lines are written only between commands and in IDLE.  What happens meanwhile is kept as it was last, so that it is
 * bounded by the number of mailboxes; a session for which too much waits is told NOTIFICATIONOVERFLOW and then nothing.
 */
#ifndef MAILBOX_NOTIFY_H
#define MAILBOX_NOTIFY_H

#include "../shared/bulletin.h"
#include "session.h"

struct notify;

/*
 * Watch as the command says, in the place of what was asked for before; what happens is kept from now on, and told
 * from notify_answered() on.  After notify_refused() all is as it was before; the session has its line back.
 *
 *	line	NOTIFY, the session's command under way, which must keep it: session->is_line_kept
 */
void notify_begin(struct session *session, struct imap_command_line *line);
void notify_answered(struct session *session);
void notify_refused(struct session *session);

/* Accepts a session that has none. */
void notify_end(struct session *session);

/* How the selected mailbox is told of; without NOTIFY all of it, at the end of commands and in IDLE. */
struct notify_manner {
	bool is_at_once;		/* between commands, too */
	bool tells_messages;		/* EXISTS, EXPUNGE and VANISHED */
	bool tells_flags;
	bool may_expunge_at_once;
};
struct notify_manner notify_manner(const struct session *session);

/* Is there anything to be told of other mailboxes? */
bool notify_has_lines(const struct session *session);

/* Append it, up to octets_max in out; false: not all. */
bool notify_write_lines(struct session *session, struct buffer *out, size_t octets_max);

/* These UIDs are new by a command of this session: they are told by no FETCH (section 5.2). */
void notify_note_own(struct session *session, const struct account *account, uint64_t mailbox_id, uint32_t first_uid,
    uint32_t last_uid);

/*
 * The FETCH of messages that were announced and not yet told of, as the session asked for it; NULL: none is due.
 * Given: a command without a tag.
 */
struct imap_command_line *notify_take_fetch(struct session *session);

/* Before messages are announced: when another mailbox was selected, what the client knows of it is no news. */
void notify_look(struct session *session);

/* IMAP_EVENT_* that are told of a mailbox which is not selected. */
unsigned notify_events(const struct imap_notify *program, struct span name, bool is_subscribed);

/* IMAP_STATUS_* that tell of such events. */
unsigned notify_status_items(unsigned events, bool has_condstore);

#endif
