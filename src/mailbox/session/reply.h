/*
 * Statuses into words: the only place that knows what a tagged reply says.  Response codes: RFC 9051
 * section 7.1 and RFC 5530.
 */
#ifndef REPLY_H
#define REPLY_H

#include "imap/writer.h"
#include "store/store.h"

enum reply {
	REPLY_DONE,		/* OK */
	REPLY_EXPUNGE_ISSUED,	/* OK, but some messages are gone */
	REPLY_SOME_GONE,	/* NO [EXPUNGEISSUED]: asked for messages that are gone */
	REPLY_NO_MESSAGE,	/* no message has this UID */
	REPLY_NONEXISTENT,	/* no such mailbox */
	REPLY_TRYCREATE,	/* no such mailbox to append or copy to */
	REPLY_ALREADY_EXISTS,
	REPLY_CANNOT,		/* not possible with this name */
	REPLY_INBOX_STAYS,	/* INBOX cannot be deleted */
	REPLY_READ_ONLY,	/* opened by EXAMINE */
	REPLY_OVER_QUOTA,
	REPLY_LIMIT,
	REPLY_KEYWORD_LIMIT,
	REPLY_SEARCHED_IN_PART,	/* OK [LIMIT]: the same, where a part of the answer is told */
	REPLY_CPU_LIMIT,	/* NO [LIMIT]: session_reason_to_stop() */
	REPLY_TOO_BIG,
	REPLY_COMPRESSED,	/* NO [COMPRESSIONACTIVE] */
	REPLY_NUL,		/* NUL in a literal that is no literal8 */
	REPLY_EMPTY_MESSAGE,
	REPLY_DISK_FULL,
	REPLY_CORRUPT,
	REPLY_MISSING,
	REPLY_UNAVAILABLE,
	REPLY_USE_UNKNOWN,	/* CREATE with a special use that does not exist */
	REPLY_BAD_STATE,	/* BAD: the command is not legal now */
	REPLY_BAD_NUMBER,	/* BAD: no such message number */
	REPLY_BAD_ARGUMENT,	/* BAD */
	REPLY_BAD_QRESYNC,	/* BAD: not without ENABLE QRESYNC */
	REPLY_BAD_CHARSET,	/* NO: of SEARCH */
	REPLY_UNKNOWN_CTE,	/* NO: the transfer encoding of the part cannot be undone */
	REPLY_NOT_SAVED,	/* NO: too much for SEARCH RETURN (SAVE) */
	REPLY_CANCELLED,
	REPLY_NO_USER,		/* NO [AUTHORIZATIONFAILED] */
	REPLY_NO_MECHANISM,
	REPLY_NOT_PROVED,	/* NO [AUTHENTICATIONFAILED] */
	REPLY_UID_REQUIRED,	/* BAD [UIDREQUIRED] */
	REPLY_BAD_EVENT,	/* NO [BADEVENT] */
	REPLY_BEYOND_LIMIT,	/* NO [MESSAGELIMIT] */
	REPLY_TOO_FEW,		/* NO [TOOFEW]: of UIDBATCHES, as the next */
	REPLY_TOO_MANY,		/* NO [TOOMANY] */
	REPLY_CLIENT_BUG,	/* BAD [CLIENTBUG] */
	REPLY_METADATA_TOO_LONG,	/* to be given its own code */
	REPLY_METADATA_TOO_MANY,
	REPLY_NO_ROOT,		/* NO [NONEXISTENT]: of quotas */
	REPLY_NOT_YOURS,	/* NO [NOPERM]: what only the operator does */
	REPLY_DENIED,		/* NO [NOPERM]: a right is missing, RFC 4314 */
	REPLY_BETWEEN_USERS,	/* RENAME from one user's mailboxes to another's */
	REPLY_OWNER_STAYS,	/* SETACL for the owner */
	REPLY_COUNT
};

struct reply_words {
	enum imap_condition condition;
	const char *code;		/* without brackets; NULL: none */
	const char *text;
};

const struct reply_words *reply_words(enum reply reply);

/* What a store's status means to the client; STORE_NOT_FOUND is a mailbox. */
enum reply reply_for(enum store_status status);

#endif
