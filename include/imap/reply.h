/*
 * What servers send, as a client reads it: RFC 9051 section 7 and 9 ("response"), RFC 3501, and extensions.
 *
 * Tolerant: words in any case, more than one space, spaces at the end, strings in any form wherever one is expected, octets
 * above 127, unknown items of FETCH and STATUS (skipped), untagged replies of unknown kinds (IMAP_REPLY_OTHER).  Pure.
 */
#ifndef IMAP_REPLY_H
#define IMAP_REPLY_H

#include "base/arena.h"
#include "imap/date.h"
#include "imap/flags.h"
#include "imap/sequence.h"

/* A reply without its last line end.  Literals stand in it as they came, "{3}" CRLF "abc". */
struct imap_reply_text {
	struct span octets;
	const size_t *taken;	/* offsets behind the announcements of literals whose octets are not there, rising */
	size_t taken_count;
};

enum imap_reply_kind {
	IMAP_REPLY_CONDITION,	/* OK NO BAD PREAUTH BYE, tagged or not */
	IMAP_REPLY_CONTINUE,	/* "+": text */
	IMAP_REPLY_CAPABILITY,	/* words */
	IMAP_REPLY_ENABLED,	/* words */
	IMAP_REPLY_ID,		/* words: name, value, name, value; NIL has at == NULL */
	IMAP_REPLY_FLAGS,	/* words */
	IMAP_REPLY_LIST,	/* list; LSUB, too */
	IMAP_REPLY_LSUB,
	IMAP_REPLY_NAMESPACE,
	IMAP_REPLY_STATUS,
	IMAP_REPLY_SEARCH, IMAP_REPLY_ESEARCH,
	IMAP_REPLY_EXISTS, IMAP_REPLY_RECENT, IMAP_REPLY_EXPUNGE,	/* number */
	IMAP_REPLY_VANISHED,
	IMAP_REPLY_FETCH,
	IMAP_REPLY_METADATA,
	IMAP_REPLY_OTHER,
};

enum imap_reply_condition { IMAP_REPLY_OK, IMAP_REPLY_NO, IMAP_REPLY_BAD, IMAP_REPLY_PREAUTH, IMAP_REPLY_BYE };

/* "[NAME arguments]"; name is empty where there is no code. */
struct imap_reply_code {
	struct span name, arguments;
	uint64_t number;		/* UIDVALIDITY, UIDNEXT, UNSEEN, HIGHESTMODSEQ, APPENDUID and COPYUID (their UIDVALIDITY); else 0 */
	/* The sets of COPYUID as they came, since their order means something; of APPENDUID target alone, of MODIFIED source. */
	struct span source, target;
	struct span *words;		/* CAPABILITY, PERMANENTFLAGS, BADCHARSET */
	size_t word_count;
};

/* Attributes of LIST: RFC 9051 section 7.3.1, RFC 6154, RFC 8457. */
enum imap_list_attribute {
	IMAP_LIST_NOSELECT = 1 << 0, IMAP_LIST_NONEXISTENT = 1 << 1, IMAP_LIST_NOINFERIORS = 1 << 2,
	IMAP_LIST_HAS_CHILDREN = 1 << 3, IMAP_LIST_HAS_NO_CHILDREN = 1 << 4, IMAP_LIST_MARKED = 1 << 5,
	IMAP_LIST_UNMARKED = 1 << 6, IMAP_LIST_SUBSCRIBED = 1 << 7, IMAP_LIST_REMOTE = 1 << 8,
	IMAP_LIST_ALL = 1 << 9, IMAP_LIST_ARCHIVE = 1 << 10, IMAP_LIST_DRAFTS = 1 << 11, IMAP_LIST_FLAGGED = 1 << 12,
	IMAP_LIST_JUNK = 1 << 13, IMAP_LIST_SENT = 1 << 14, IMAP_LIST_TRASH = 1 << 15, IMAP_LIST_IMPORTANT = 1 << 16,
	IMAP_LIST_INBOX = 1 << 17,	/* Gmail's, or XLIST's */
};

struct imap_list_reply {
	unsigned attributes;
	struct span *words;		/* all attributes as they came */
	size_t word_count;
	int separator;			/* an octet; -1: NIL */
	struct span name;		/* as it came, unquoted; imap_utf7_decode_lax() decodes */
	bool has_subscribed_below;	/* CHILDINFO (SUBSCRIBED): RFC 5258 section 3.5 */
	struct span old_name;
};

enum imap_namespace_class { IMAP_NAMESPACE_PERSONAL, IMAP_NAMESPACE_OTHERS, IMAP_NAMESPACE_SHARED, IMAP_NAMESPACE_COUNT };
struct imap_namespace {
	struct span prefix;
	int separator;			/* -1: NIL */
};
struct imap_namespace_reply {
	struct imap_namespace *spaces[IMAP_NAMESPACE_COUNT];
	size_t counts[IMAP_NAMESPACE_COUNT];
};

enum imap_status_has {
	IMAP_STATUS_HAS_MESSAGES = 1 << 0, IMAP_STATUS_HAS_UIDNEXT = 1 << 1, IMAP_STATUS_HAS_UIDVALIDITY = 1 << 2,
	IMAP_STATUS_HAS_UNSEEN = 1 << 3, IMAP_STATUS_HAS_HIGHESTMODSEQ = 1 << 4, IMAP_STATUS_HAS_SIZE = 1 << 5,
	IMAP_STATUS_HAS_RECENT = 1 << 6, IMAP_STATUS_HAS_DELETED = 1 << 7,
};

struct imap_status_reply {
	struct span mailbox;		/* as in LIST */
	unsigned has;			/* enum imap_status_has */
	uint64_t messages, uidnext, uidvalidity, unseen, highestmodseq, size, recent, deleted;
	struct span mailbox_id;		/* RFC 8474; empty: not told */
};
struct imap_search_reply {
	struct span tag;		/* ESEARCH */
	bool is_uid;			/* ESEARCH */
	bool has_count;
	uint64_t count;
	uint32_t min, max;		/* 0: not told */
	uint64_t modseq;		/* 0: not told; SEARCH, too */
	struct imap_sequence all;	/* SEARCH, too */
};

enum imap_fetch_has {
	IMAP_FETCH_HAS_UID = 1 << 0, IMAP_FETCH_HAS_FLAGS = 1 << 1, IMAP_FETCH_HAS_DATE = 1 << 2,
	IMAP_FETCH_HAS_SIZE = 1 << 3, IMAP_FETCH_HAS_MODSEQ = 1 << 4, IMAP_FETCH_HAS_LABELS = 1 << 5,
	IMAP_FETCH_HAS_SAVEDATE = 1 << 6,
};

/* BODY[section]<origin>, BINARY[section], and RFC822, RFC822.HEADER, RFC822.TEXT, which are the sections "", HEADER, TEXT. */
struct imap_fetch_body {
	struct span section;		/* "", "HEADER", "1.2", "HEADER.FIELDS (SUBJECT)" */
	bool is_binary;
	bool is_nil;			/* no octets: NIL */
	bool is_taken;			/* its octets went elsewhere */
	uint64_t size;			/* announced, or octets.length */
	uint64_t origin;
	struct span octets;
};

struct imap_fetch_reply {
	uint32_t number;
	unsigned has;			/* enum imap_fetch_has */
	uint32_t uid;			/* of UIDFETCH (RFC 9586), too, and there number is 0 */
	struct imap_flags flags;	/* keywords are all words that are no flags of RFC 9051, "\\Junk", too */
	bool is_recent;
	struct imap_date_time date, savedate;	/* INTERNALDATE and RFC 8514; what is no date is left out */
	uint64_t size, modseq;
	struct span emailid, threadid;	/* RFC 8474 */
	uint64_t gmail_message, gmail_thread;	/* X-GM-MSGID, X-GM-THRID; 0: none */
	struct span *labels;		/* X-GM-LABELS, unquoted, modified UTF-7; "\\Inbox" and the like among them */
	size_t label_count;
	struct imap_fetch_body *bodies;
	size_t body_count;
};

struct imap_vanished_reply {
	bool is_earlier;
	struct imap_sequence uids;
};

/* RFC 5464 section 4.4: entry, value, entry, value, or entries alone; a value of NIL has at == NULL. */
struct imap_metadata_reply {
	struct span mailbox;
	struct span *words;
	size_t word_count;
};

struct imap_reply {
	enum imap_reply_kind kind;
	struct span tag;		/* "*" for untagged */
	struct span name;		/* the kind's word as it came, "FETCH"; of IMAP_REPLY_OTHER, too */
	struct span text;		/* what stands behind it, or behind the code */
	enum imap_reply_condition condition;
	struct imap_reply_code code;
	uint64_t number;
	struct span *words;
	size_t word_count;
	struct imap_list_reply list;
	struct imap_namespace_reply spaces;
	struct imap_status_reply status;
	struct imap_search_reply search;
	struct imap_fetch_reply fetch;
	struct imap_vanished_reply vanished;
	struct imap_metadata_reply metadata;
};

/*
 * Read one reply.  What it points to lives in the text or the arena.
 *
 * False: not even tag and kind can be read, or its arguments make no sense; then tag, name and text (as far as they could be
 * read) are there, and all else is not.
 */
bool imap_reply_read(struct imap_reply_text text, struct arena *arena, struct imap_reply *reply_out);

#endif
