/*
 * The words of tagged replies.
 */
#include <assert.h>

#include "reply.h"

/*
 * By the names that RFC 2978 has them registered under, and those of a few that are not; other names of them, and rarer
 * charsets, are understood.
 */
#define BADCHARSET "BADCHARSET (" \
	"UTF-8 US-ASCII ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 " \
	"ISO-8859-8 ISO-8859-9 ISO-8859-10 ISO-8859-13 ISO-8859-14 ISO-8859-15 ISO-8859-16 TIS-620 " \
	"windows-874 windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 " \
	"windows-1256 windows-1257 windows-1258 KOI8-R KOI8-U KOI8-T KZ-1048 PTCP154 VISCII ARMSCII-8 " \
	"macintosh hp-roman8 IBM437 IBM737 IBM775 IBM850 IBM852 IBM855 IBM857 IBM00858 IBM860 IBM861 IBM862 " \
	"IBM863 IBM864 IBM865 IBM866 IBM869 IBM037 IBM500 IBM1026 IBM01140 ISO-2022-JP ISO-2022-JP-2 EUC-JP " \
	"Shift_JIS windows-31J EUC-KR ISO-2022-KR JOHAB GB2312 GBK GB18030 HZ-GB-2312 ISO-2022-CN Big5 Big5-HKSCS EUC-TW " \
	"UTF-7 UTF-16 UTF-16LE UTF-16BE UTF-32 UTF-32LE UTF-32BE)"

static const struct reply_words replies[REPLY_COUNT] = {	/* codes: RFC 9051 section 7.1, RFC 5530 */
	[REPLY_DONE]		= { IMAP_OK, NULL, "done" },
	[REPLY_EXPUNGE_ISSUED]	= { IMAP_OK, "EXPUNGEISSUED", "done; some messages were expunged meanwhile" },
	[REPLY_SOME_GONE]	= { IMAP_NO, "EXPUNGEISSUED", "some of these messages were expunged" },
	[REPLY_NO_MESSAGE]	= { IMAP_NO, NULL, "no message has this UID" },
	[REPLY_NONEXISTENT]	= { IMAP_NO, "NONEXISTENT", "no such mailbox" },
	[REPLY_TRYCREATE]	= { IMAP_NO, "TRYCREATE", "no such mailbox" },
	[REPLY_ALREADY_EXISTS]	= { IMAP_NO, "ALREADYEXISTS", "a mailbox of this name exists" },
	[REPLY_CANNOT]		= { IMAP_NO, "CANNOT", "not possible with this name" },
	[REPLY_INBOX_STAYS]	= { IMAP_NO, "CANNOT", "INBOX cannot be deleted" },
	[REPLY_READ_ONLY]	= { IMAP_NO, NULL, "the mailbox is open read-only" },
	[REPLY_OVER_QUOTA]	= { IMAP_NO, "OVERQUOTA", "quota exceeded" },
	[REPLY_LIMIT]		= { IMAP_NO, "LIMIT", "a limit of this server is reached" },
	[REPLY_KEYWORD_LIMIT]	= { IMAP_NO, "LIMIT", "the mailbox has no room for another keyword" },
	[REPLY_SEARCHED_IN_PART] = { IMAP_OK, "LIMIT", "too much work: the mailboxes behind these were not searched" },
	[REPLY_CPU_LIMIT]	= { IMAP_NO, "LIMIT", "this is more work than one command may cause" },
	[REPLY_TOO_BIG]		= { IMAP_NO, "TOOBIG", "the message is too large" },
	[REPLY_COMPRESSED]	= { IMAP_NO, "COMPRESSIONACTIVE", "DEFLATE is in use already" },
	[REPLY_NUL]		= { IMAP_NO, NULL, "a message with NUL octets must come as literal8" },
	[REPLY_EMPTY_MESSAGE]	= { IMAP_NO, NULL, "a message of no octets gives up the APPEND" },
	[REPLY_DISK_FULL]	= { IMAP_NO, "UNAVAILABLE", "no space left, try again later" },
	[REPLY_CORRUPT]		= { IMAP_NO, "CORRUPTION", "mailbox damaged, the operator is told" },
	[REPLY_MISSING]		= { IMAP_NO, "CORRUPTION", "the mail of this user is gone, the operator is told" },
	[REPLY_UNAVAILABLE]	= { IMAP_NO, "UNAVAILABLE", "storage failed, try again later" },
	[REPLY_USE_UNKNOWN]	= { IMAP_NO, "USEATTR", "this special use is not supported here" },
	[REPLY_BAD_STATE]	= { IMAP_BAD, NULL, "not now: wrong state for this command" },
	[REPLY_BAD_NUMBER]	= { IMAP_BAD, NULL, "no message has this number" },
	[REPLY_BAD_ARGUMENT]	= { IMAP_BAD, NULL, "wrong argument" },
	[REPLY_BAD_QRESYNC]	= { IMAP_BAD, NULL, "ENABLE QRESYNC comes first" },
	[REPLY_BAD_CHARSET]	= { IMAP_NO, BADCHARSET, "this charset is not supported" },
	[REPLY_UNKNOWN_CTE]	= { IMAP_NO, "UNKNOWN-CTE", "the part's transfer encoding cannot be undone" },
	[REPLY_NOT_SAVED]	= { IMAP_NO, "NOTSAVED", "the result was not saved" },
	[REPLY_CANCELLED]	= { IMAP_BAD, NULL, "cancelled" },
	[REPLY_NO_USER]		= { IMAP_NO, "AUTHORIZATIONFAILED", "no such user here" },
	[REPLY_NO_MECHANISM]	= { IMAP_NO, "CANNOT", "only EXTERNAL and PLAIN are offered here" },
	[REPLY_UID_REQUIRED]	= { IMAP_BAD, "UIDREQUIRED", "message numbers are not taken once UIDONLY is enabled" },
	[REPLY_BAD_EVENT]	= { IMAP_NO, NULL, "there is no such event" },
	[REPLY_BEYOND_LIMIT]	= { IMAP_NO, NULL, "more messages than one command may deal with" },
	[REPLY_TOO_FEW]		= { IMAP_NO, "TOOFEW", "a batch has at least 500 messages" },
	[REPLY_TOO_MANY]	= { IMAP_NO, "TOOMANY", "a range of batches may span 100000 messages" },
	[REPLY_CLIENT_BUG]	= { IMAP_BAD, "CLIENTBUG", "the first batch comes first" },
	[REPLY_METADATA_TOO_LONG] = { IMAP_NO, NULL, "the value is too long" },
	[REPLY_METADATA_TOO_MANY] = { IMAP_NO, "METADATA TOOMANY", "there are too many annotations" },
	[REPLY_NO_ROOT]		= { IMAP_NO, "NONEXISTENT", "no such quota root" },
	[REPLY_NOT_YOURS]	= { IMAP_NO, "NOPERM", "only the operator does this" },
	[REPLY_DENIED]		= { IMAP_NO, "NOPERM", "you have no right to do this here" },
	[REPLY_BETWEEN_USERS]	= { IMAP_NO, "CANNOT", "not from one user to another" },
	[REPLY_OWNER_STAYS]	= { IMAP_NO, "CANNOT", "the owner has all rights, always" },
	[REPLY_NOT_PROVED]	= { IMAP_NO, "AUTHENTICATIONFAILED", "Authentication failed" },
};

const struct reply_words *
reply_words(enum reply reply)
{
	assert(reply < REPLY_COUNT && replies[reply].text != NULL);
	return &replies[reply];
}

enum reply
reply_for(enum store_status status)
{
	static const enum reply by_status[STORE_STATUS_COUNT] = {
		[STORE_OK]	    = REPLY_DONE,
		[STORE_NOT_FOUND]   = REPLY_NONEXISTENT,
		[STORE_EXISTS]	    = REPLY_ALREADY_EXISTS,
		[STORE_FORBIDDEN]   = REPLY_CANNOT,
		[STORE_OVER_QUOTA]  = REPLY_OVER_QUOTA,
		[STORE_LIMIT]	    = REPLY_LIMIT,
		[STORE_FULL]	    = REPLY_DISK_FULL,
		[STORE_CORRUPT]	    = REPLY_CORRUPT,
		[STORE_UNAVAILABLE] = REPLY_UNAVAILABLE,
		[STORE_MISSING]	    = REPLY_MISSING,
		[STORE_DENIED]	    = REPLY_DENIED,
	};

	return by_status[status];
}
