/*
 * What we say we can do, and where: one table.  RFC 9051 section 6.1.1.  IMAP4rev1 and IMAP4rev2 are both
 * spoken; before login only what helps to log in is shown.  Each row knows the commands and arguments that belong
 * to it, so that a capability which is masked for a client is not there at all: not shown, and unknown when used.
 * Pure.
 */
#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

#include "base/buffer.h"

struct imap_command_line;

/* In the order in which they are shown. */
enum imap_capability {
	IMAP_CAN_REV1, IMAP_CAN_REV2, IMAP_CAN_LITERAL_PLUS, IMAP_CAN_LITERAL_MINUS, IMAP_CAN_SASL_IR, IMAP_CAN_ID,
	IMAP_CAN_LOGIN_REFERRALS, IMAP_CAN_STARTTLS, IMAP_CAN_ENABLE, IMAP_CAN_EXTERNAL, IMAP_CAN_IDLE, IMAP_CAN_NOTIFY, IMAP_CAN_COMPRESS,
	IMAP_CAN_NAMESPACE, IMAP_CAN_UIDPLUS, IMAP_CAN_UNSELECT, IMAP_CAN_MOVE, IMAP_CAN_CHILDREN, IMAP_CAN_SPECIAL_USE,
	IMAP_CAN_CREATE_SPECIAL_USE, IMAP_CAN_LIST_EXTENDED, IMAP_CAN_LIST_STATUS, IMAP_CAN_ESEARCH,
	IMAP_CAN_SEARCHRES, IMAP_CAN_MULTISEARCH, IMAP_CAN_SORT, IMAP_CAN_SORT_DISPLAY, IMAP_CAN_ESORT, IMAP_CAN_THREAD_ORDEREDSUBJECT,
	IMAP_CAN_THREAD_REFERENCES, IMAP_CAN_THREAD_REFS, IMAP_CAN_REPLACE, IMAP_CAN_MULTIAPPEND, IMAP_CAN_BINARY,
	IMAP_CAN_STATUS_SIZE,
	IMAP_CAN_OBJECTID, IMAP_CAN_SAVEDATE, IMAP_CAN_PREVIEW, IMAP_CAN_WITHIN, IMAP_CAN_APPENDLIMIT, IMAP_CAN_UTF8,
	IMAP_CAN_INPROGRESS, IMAP_CAN_I18NLEVEL, IMAP_CAN_CONDSTORE, IMAP_CAN_QRESYNC, IMAP_CAN_UIDONLY,
	IMAP_CAN_UIDBATCHES, IMAP_CAN_PARTIAL, IMAP_CAN_MESSAGELIMIT, IMAP_CAN_SAVELIMIT, IMAP_CAN_QUOTA,
	IMAP_CAN_QUOTA_STORAGE, IMAP_CAN_QUOTA_MESSAGE, IMAP_CAN_QUOTA_MAILBOX,
	IMAP_CAN_METADATA, IMAP_CAN_LIST_METADATA,
	IMAP_CAN_ACL, IMAP_CAN_RIGHTS, IMAP_CAN_LIST_MYRIGHTS,
	IMAP_CAN_UNAUTHENTICATE,
	IMAP_CAN_COUNT
};

/* A set of them.  Zeroed: none. */
struct imap_capabilities {
	uint64_t bits[(IMAP_CAN_COUNT + 63) / 64];
};

static inline void
imap_capabilities_add(struct imap_capabilities *set, enum imap_capability capability)
{
	set->bits[capability / 64] |= UINT64_C(1) << capability % 64;
}

static inline bool
imap_capabilities_have(const struct imap_capabilities *set, enum imap_capability capability)
{
	return (set->bits[capability / 64] >> capability % 64 & 1) != 0;
}

/* Find one that can be masked, by name in any case: IMAP4rev1 cannot, and what begins with AUTH= is a mechanism. */
bool imap_capability_find(struct span name, enum imap_capability *capability_out);

/* Why the one of this index cannot be masked, or not for some users alone; NULL: it can.  Static. */
const char *imap_capability_objection(size_t index, bool is_for_users);

/* The names in the order of the table; NULL past the end.  Static. */
const char *imap_capability_name(size_t index);

/*
 * Whether a command that was read can be had where these are masked: it and its arguments belong to none of them.
 * In ENABLE, what is masked is ignored as an unknown name is (RFC 5161 section 3.1).
 */
bool imap_capabilities_permit(const struct imap_capabilities *masked, struct imap_command_line *line);

enum imap_moment {
	IMAP_MOMENT_BEFORE_TLS,		/* STARTTLS */
	IMAP_MOMENT_BEFORE_LOGIN,
	IMAP_MOMENT_AFTER_LOGIN,
	IMAP_MOMENT_LINK,		/* mailbox server to client access server, before AUTHENTICATE */
};

struct imap_capability_options {
	const char *mechanisms;		/* "PLAIN SCRAM-SHA-256", shown before login as AUTH=...; or NULL */
	bool is_login_disabled;		/* before login: no password will be looked at */
	bool has_referrals;		/* before login: some users are sent elsewhere */
	uint64_t append_limit;		/* octets, 0: leave APPENDLIMIT out; so with the next */
	uint32_t message_limit, save_limit;	/* messages */
	struct imap_capabilities masked;	/* leave these out */
};

/* Append "IMAP4rev1 IMAP4rev2 ..." without "CAPABILITY", no space around. */
void imap_capability_write(struct buffer *out, enum imap_moment moment,
    const struct imap_capability_options *options);

#endif
