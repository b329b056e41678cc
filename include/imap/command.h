/*
 * The commands: one row each in the table, one struct each for what the parser read.  A role has its own
 * array of handlers, indexed by the same names.  RFC 9051 section 6 and RFC 3501 section 6.  Pure.
 */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include "imap/date.h"
#include "imap/fetch.h"
#include "imap/flags.h"
#include "imap/notify.h"
#include "imap/search.h"
#include "imap/sort.h"

enum imap_verb {
	IMAP_CAPABILITY, IMAP_NOOP, IMAP_LOGOUT, IMAP_ID,
	IMAP_STARTTLS, IMAP_LOGIN, IMAP_AUTHENTICATE,
	IMAP_ENABLE, IMAP_NAMESPACE, IMAP_SELECT, IMAP_EXAMINE, IMAP_CREATE, IMAP_DELETE, IMAP_RENAME,
	IMAP_SUBSCRIBE, IMAP_UNSUBSCRIBE, IMAP_LIST, IMAP_LSUB, IMAP_STATUS, IMAP_APPEND, IMAP_IDLE,
	IMAP_CHECK, IMAP_CLOSE, IMAP_UNSELECT, IMAP_EXPUNGE, IMAP_SEARCH, IMAP_FETCH, IMAP_STORE,
	IMAP_COPY, IMAP_MOVE, IMAP_COMPRESS, IMAP_REPLACE, IMAP_NOTIFY, IMAP_UIDBATCHES, IMAP_SORT, IMAP_THREAD,
	IMAP_UNAUTHENTICATE, IMAP_ESEARCH, IMAP_GETQUOTA, IMAP_GETQUOTAROOT, IMAP_SETQUOTA,
	IMAP_GETMETADATA, IMAP_SETMETADATA,
	IMAP_GETACL, IMAP_SETACL, IMAP_DELETEACL, IMAP_LISTRIGHTS, IMAP_MYRIGHTS,
	IMAP_COMMAND_COUNT
};

/* Where a command is legal: an OR of these. */
#define IMAP_STATE_NOT_LOGGED_IN	1u
#define IMAP_STATE_LOGGED_IN		2u
#define IMAP_STATE_SELECTED		4u

/* What may happen to message numbers in its replies: RFC 9051 sections 5.5 and 7.5.1. */
enum imap_numbers {
	IMAP_NUMBERS_MAY_MOVE,		/* EXPUNGE and VANISHED may be sent */
	IMAP_NUMBERS_MUST_STAY,		/* never while answering FETCH, STORE, SEARCH; their UID forms may */
	IMAP_NUMBERS_START_ANEW,	/* another mailbox, or none */
};

struct imap_command {
	const char *name;
	unsigned states;		/* IMAP_STATE_* */
	const char *arguments;		/* for people */
	enum imap_numbers numbers;
	bool has_uid_form;
};

extern const struct imap_command imap_commands[IMAP_COMMAND_COUNT];

/* Find by name in any case; IMAP_COMMAND_COUNT when unknown. */
enum imap_verb imap_command_find(struct span name);

/* What a STATUS reply may hold. */
#define IMAP_STATUS_MESSAGES		0x001u
#define IMAP_STATUS_UIDNEXT		0x002u
#define IMAP_STATUS_UIDVALIDITY		0x004u
#define IMAP_STATUS_UNSEEN		0x008u
#define IMAP_STATUS_DELETED		0x010u
#define IMAP_STATUS_SIZE		0x020u
#define IMAP_STATUS_RECENT		0x040u	/* RFC 3501 */
#define IMAP_STATUS_HIGHESTMODSEQ	0x080u	/* RFC 7162 */
#define IMAP_STATUS_APPENDLIMIT		0x100u	/* RFC 7889 */
#define IMAP_STATUS_MAILBOXID		0x200u	/* RFC 8474 */
#define IMAP_STATUS_DELETED_STORAGE	0x400u	/* RFC 9208 */

/* Special uses of a mailbox: RFC 6154, RFC 8457. */
#define IMAP_USE_ALL		0x01u
#define IMAP_USE_ARCHIVE	0x02u
#define IMAP_USE_DRAFTS		0x04u
#define IMAP_USE_FLAGGED	0x08u
#define IMAP_USE_JUNK		0x10u
#define IMAP_USE_SENT		0x20u
#define IMAP_USE_TRASH		0x40u
#define IMAP_USE_IMPORTANT	0x80u

/* "\Drafts" and its kind, in any case; 0 for anything else. */
unsigned imap_use_from_name(struct span name);
/* The name with its backslash, or NULL. */
const char *imap_use_name(unsigned use);

#define IMAP_LIST_SELECT_SUBSCRIBED	1u
#define IMAP_LIST_SELECT_REMOTE		2u
#define IMAP_LIST_SELECT_RECURSIVEMATCH 4u
#define IMAP_LIST_SELECT_SPECIAL_USE	8u

#define IMAP_LIST_RETURN_SUBSCRIBED	1u
#define IMAP_LIST_RETURN_CHILDREN	2u
#define IMAP_LIST_RETURN_SPECIAL_USE	4u
#define IMAP_LIST_RETURN_STATUS		8u
#define IMAP_LIST_RETURN_METADATA	16u	/* RFC 9590 */
#define IMAP_LIST_RETURN_MYRIGHTS	32u	/* RFC 8440 */

/* What ENABLE may name and we know; unknown names are ignored, RFC 5161 section 3.1. */
#define IMAP_ENABLE_REV2	1u
#define IMAP_ENABLE_UTF8	2u	/* UTF8=ACCEPT, RFC 6855 */
#define IMAP_ENABLE_CONDSTORE	4u
#define IMAP_ENABLE_QRESYNC	8u
#define IMAP_ENABLE_UIDONLY	16u	/* RFC 9586 */

struct imap_id_pair {
	struct span name, value;
	bool is_nil;			/* the value is NIL */
};

struct imap_id {
	struct imap_id_pair *pairs;	/* at most 30, RFC 2971 section 3.3 */
	size_t count;			/* 0 also for NIL */
};

struct imap_login {
	struct span user, password;	/* any octets but NUL; wiped by imap_command_free() */
};

struct imap_authenticate {
	struct span mechanism;
	bool has_initial;		/* RFC 4959 */
	struct span initial;		/* still base64; "=" (an empty response) comes as empty text */
};

struct imap_select {
	struct span mailbox;
	bool has_condstore;		/* RFC 7162 section 3.1.8 */
	bool has_qresync;		/* RFC 7162 section 3.2.5 */
	uint32_t qresync_uid_validity;
	uint64_t qresync_modseq;
	bool has_known_uids;
	struct imap_sequence known_uids;
	bool has_match_data;		/* message numbers were given, whether they make sense or not */
	struct imap_sequence match_numbers, match_uids;	/* pairs in rising order; both empty: not given */
};

struct imap_mailbox {			/* CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT, GETACL, MYRIGHTS */
	struct span mailbox;
	bool has_trailing_separator;	/* CREATE "x/": only a place for children; mailbox is "x" */
	unsigned uses;			/* IMAP_USE_*, CREATE only */
};

struct imap_rename {
	struct span from, to;
};

/* An annotation of a mailbox or the server: RFC 5464 section 3. */
struct imap_annotation {
	struct span entry;		/* "/private/comment"; its case counts for nothing */
	struct span value;		/* any octets; at is NULL: NIL, there is none */
};

enum imap_depth { IMAP_DEPTH_0, IMAP_DEPTH_1, IMAP_DEPTH_INFINITY };

struct imap_metadata {			/* GETMETADATA and SETMETADATA */
	bool is_server;			/* the server is meant, and no mailbox */
	struct span mailbox;
	enum imap_depth depth;		/* GETMETADATA; section 4.2.2 */
	bool has_max_size;		/* section 4.2.1 */
	uint64_t max_size;		/* octets of a value */
	struct imap_annotation *annotations;	/* at least one; GETMETADATA: entries alone */
	size_t annotation_count;
};

struct imap_list {			/* LIST and LSUB */
	bool is_extended;		/* options or a pattern list were given, RFC 5258 */
	unsigned select;		/* IMAP_LIST_SELECT_* */
	unsigned returns;		/* IMAP_LIST_RETURN_* */
	unsigned status;		/* IMAP_STATUS_*, with IMAP_LIST_RETURN_STATUS */
	struct span reference;		/* UTF-8 */
	struct span *patterns;		/* UTF-8, at least one, without the reference; may hold * and % */
	size_t pattern_count;
	struct imap_annotation *annotations;	/* with IMAP_LIST_RETURN_METADATA: entries, at least one */
	size_t annotation_count;
};

struct imap_status {
	struct span mailbox;
	unsigned items;			/* IMAP_STATUS_*, at least one */
};

struct imap_append {
	struct span mailbox;
	size_t message_count;
	bool has_utf8;			/* "UTF8 (" stood before one of them */
};

enum imap_store_kind { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_store {
	struct imap_sequence set;
	enum imap_store_kind kind;
	bool is_silent;
	struct imap_flags flags;
	bool has_unchanged_since;	/* RFC 7162 section 3.1.3 */
	uint64_t unchanged_since;
};

struct imap_copy {			/* COPY and MOVE */
	struct imap_sequence set;
	struct span mailbox;
};

struct imap_quota {			/* GETQUOTA, SETQUOTA: RFC 9208 */
	struct span root;
};

enum imap_acl_kind { IMAP_ACL_REPLACE, IMAP_ACL_ADD, IMAP_ACL_REMOVE };

struct imap_acl {			/* SETACL, DELETEACL, LISTRIGHTS: RFC 4314 */
	struct span mailbox;
	struct span identifier;		/* UTF-8, as the client wrote it; not empty */
	enum imap_acl_kind kind;	/* SETACL only, as the next */
	unsigned rights;		/* IMAP_RIGHT_* */
};

struct imap_uid_batches {		/* RFC 10022 */
	uint64_t size;			/* of a batch, from 1 to 2^32-1 */
	uint64_t first, last;		/* batches, from 1 to 2^32-1, in any order; 0 and 0: all */
};

/*
 * One command as it was read.  Mailbox names are canonical UTF-8 with INBOX in capitals.  All it points
 * to lives in its arena, and dies with imap_command_free().
 */
struct imap_command_line {
	struct arena *arena;
	struct span raw;		/* the octets it was read from, inside the arena */
	struct span tag;
	enum imap_verb verb;
	bool is_uid;			/* UID FETCH, UID SEARCH and so on, and ESEARCH; UID EXPUNGE has a set */
	struct span sent_name;		/* the first mailbox as the client wrote it; empty: the command has none */
	bool has_other_name;		/* in UTF-8, one of the mailboxes was not given by its canonical name */
	union {
		struct imap_id id;
		struct imap_login login;
		struct imap_authenticate authenticate;
		struct { unsigned names; } enable;	/* IMAP_ENABLE_* */
		struct imap_select select;		/* and EXAMINE */
		struct imap_mailbox mailbox;
		struct imap_rename rename;
		struct imap_list list;
		struct imap_status status;
		struct imap_append append;
		struct { struct imap_sequence set; } expunge;	/* with is_uid only */
		struct {
			struct imap_search search;	/* and ESEARCH, SORT and THREAD */
			struct imap_search_sources sources;	/* ESEARCH */
			struct imap_sort sort;
			enum imap_thread_algorithm thread;
		};
		struct imap_fetch fetch;
		struct imap_store store;
		struct imap_copy copy;
		struct imap_uid_batches uid_batches;
		struct imap_quota quota;
		struct imap_metadata metadata;
		struct imap_acl acl;
		struct imap_notify notify;
	};
};

/*
 * Whether message numbers stand in a command, where a client has given them up: RFC 9586 sections 3 and 3.7.  REPLACE
 * tells by itself, in imap_append_message.
 */
bool imap_command_has_numbers(const struct imap_command_line *line);

/* Whether a command has a search program: SEARCH, ESEARCH, SORT and THREAD. */
bool imap_command_has_search(const struct imap_command_line *line);

/* Wipe what LOGIN and AUTHENTICATE left, free the arena and all in it; accepts NULL, leaves NULL. */
void imap_command_free(struct imap_command_line **line);

/* Whether it can be the tag of a command: RFC 9051 section 9, "tag". */
bool imap_is_tag(struct span text);

#endif
