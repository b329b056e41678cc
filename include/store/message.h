/*
 * The messages of one mailbox: loading, adding, flags, expunging, copying and moving.  UIDs come in
 * as rising lists without repeats; those that do not exist are skipped or reported, never an error.
 * Each operation that changes something gives one new modseq to all it changes (RFC 7162 section
 * 3.1).  Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "store/mailbox.h"
#include "store/ordering.h"
#include "store/packed.h"
#include "store/searchable.h"

#define STORE_FLAG_ANSWERED (UINT64_C(1) << 0)
#define STORE_FLAG_FLAGGED  (UINT64_C(1) << 1)
#define STORE_FLAG_DELETED  (UINT64_C(1) << 2)
#define STORE_FLAG_SEEN	    (UINT64_C(1) << 3)
#define STORE_FLAG_DRAFT    (UINT64_C(1) << 4)
#define STORE_FLAGS_SYSTEM  UINT64_C(0x1f)

struct store_parting;

struct store_message {
	uint32_t uid, size;		/* size in octets */
	uint64_t flags;			/* store/keyword.h says what the bits are */
	uint64_t modseq, content_id;
	int64_t internal_date_s;	/* since 1970 UTC */
};

/*
 * A mailbox as it is now, in memory of its own: what the state on the loop is built from.
 */
struct store_snapshot {
	struct arena *arena;		/* holds the strings */
	struct store_mailbox mailbox;
	struct store_keywords keywords;
	struct store_message *messages;	/* rising UIDs; from malloc: take it by setting it to NULL */
	size_t count;
	uint64_t expunged_modseq;	/* the highest of an expunge, or 0 */
};

/* Give a snapshot, to store_snapshot_fini(); untouched on failure.  About 0.3 us for a message. */
enum store_status store_snapshot_init(struct store *store, uint64_t mailbox_id,
    struct store_snapshot *snapshot_out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void store_snapshot_fini(struct store_snapshot *snapshot);

/*
 * A message on its way in, parsed and rendered by the caller.  All spans are borrowed until return.
 */
struct store_arrival {
	const struct span *pieces;	/* its octets in order, cut anywhere; 1 to 2^32-1 in all */
	size_t piece_count;
	uint32_t header_length;		/* octets through the empty line; the whole message if it has none */
	uint64_t flags;			/* system flags and the word of the keywords */
	int64_t internal_date_s;
	const uint64_t *checksum;	/* of all octets, base/checksum.h; NULL: computed here */
	bool claims_recent;		/* this one and those before it are recent to nobody: somebody is told of them at once */
	enum store_compression compression;
	const struct store_packed *packed;	/* the octets from header_length on, compressed; NULL: done here */
	/* Told after each some hundred KB: so many octets are written, and were used.  NULL: nobody cares. */
	void (*on_used)(void *context, uint64_t octets);
	void *context;

	/* Ready-made answers, given back as they are by store_content_each(). */
	struct span envelope, body, bodystructure;
	struct span parts;		/* the caller's own table of MIME parts */
	struct span preview;
	struct span message_id;		/* with its angle brackets; empty if the message has none */
	bool has_sent_date;
	int64_t sent_s;			/* the Date field, since 1970 UTC */
	int32_t sent_day;		/* its calendar day as written, zone ignored, days since 1970-01-01 */
	const struct store_ordering *ordering;	/* NULL: to be kept later */
	const struct store_searchable *searchable;	/* likewise; its sent date is left out */
};

/* Say whether the disk has room for so many octets, beside what stays free: STORE_FULL.  Worker thread. */
enum store_status store_check_disk(struct store *store, uint64_t size_octets);

/*
 * Add a message to a mailbox under the next UID.
 *
 *	message_out	 may be NULL
 *
 * STORE_NOT_FOUND: the mailbox was deleted meanwhile.  STORE_OVER_QUOTA.  STORE_LIMIT: no UIDs are
 * left.  RFC 9051 sections 2.3.1.1 and 6.3.12.
 */
enum store_status store_append(struct store *store, uint64_t mailbox_id,
    const struct store_arrival *arrival, struct store_message *message_out);

/*
 * Change flags: RFC 9051 section 6.4.6, RFC 7162 section 3.1.3.
 */
enum store_flag_operation { STORE_FLAGS_SET, STORE_FLAGS_ADD, STORE_FLAGS_REMOVE };

/* A message as somebody knows it. */
struct store_flag_known {
	uint64_t flags, modseq;
};

/* A message as it is when nothing has happened since. */
struct store_flag_current {
	uint64_t flags, modseq;
	uint32_t size;
	bool follows;			/* no message lies between the one before in the list and this one */
};

/*
 *	unchanged_since	 leave messages with a higher modseq alone; UINT64_MAX: none
 *	known		 NULL, or one for each UID: ADD and REMOVE are done all the same where what was known is not
 *			 newer than unchanged_since, and none of these flags is another since (RFC 7162 section
 *			 3.1.12); borrowed
 *	current		 NULL, or one for each UID, all of which are there: as long as the mailbox's highest modseq is
 *			 current_modseq nobody has to read them; borrowed
 */
struct store_flag_change {
	enum store_flag_operation operation;
	uint64_t flags;			/* system flags */
	uint64_t unchanged_since;
	const struct store_flag_known *known;
	struct store_numbers keywords;
	const struct store_flag_current *current;
	uint64_t current_modseq;
	uint64_t kept;			/* STORE_FLAGS_SET: system flags that stay as they are */
	bool keeps_keywords;		/* and so do all keywords */
};

enum store_flag_outcome {
	STORE_FLAGS_MISSING,		/* no such message */
	STORE_FLAGS_MODIFIED,		/* its modseq is above unchanged_since */
	STORE_FLAGS_SAME,		/* it had these flags already: no new modseq */
	STORE_FLAGS_CHANGED
};

struct store_flag_result {
	uint32_t uid;
	enum store_flag_outcome outcome;
	uint64_t flags, modseq;		/* as they are now; zero if missing */
};

/*
 *	results_out	 count of them, in the order of uids
 *	modseq_out	 the mailbox's highest modseq afterwards; may be NULL
 *
 * A lazy transaction will do.  About 0.3 us for a message that lies among others that change, less where it is known.
 */
enum store_status store_change_flags(struct store *store, uint64_t mailbox_id, const uint32_t *uids,
    size_t count, const struct store_flag_change *change, struct store_flag_result *results_out,
    uint64_t *modseq_out);

/*
 * Remove messages and remember their UIDs for QRESYNC.  Their content stays readable until
 * store_purge().
 *
 *	parting		 how they leave, if they are to be kept for as long as store_set_retention() says
 *			 (store/retained.h); NULL: nothing of them is kept
 *	expunged_out	 room for count UIDs: those that existed, rising
 *	modseq_out	 the mailbox's highest modseq afterwards
 *
 * RFC 9051 section 6.4.3, RFC 7162 section 3.2.5.
 */
enum store_status store_expunge(struct store *store, uint64_t mailbox_id, const uint32_t *uids,
    size_t count, const struct store_parting *parting, uint32_t *expunged_out, size_t *expunged_count_out,
    uint64_t *modseq_out);

/* UIDs that went together; those between that exist no more are counted in. */
struct store_uid_range {
	uint32_t first, last;
};

/*
 * What was expunged after some modseq.  Expunges are remembered for a year, and up to 10,000 ranges in a mailbox.
 */
struct store_history {
	bool is_whole;			/* else some of it is forgotten, and no ranges are given */
	struct store_uid_range *ranges;	/* in the order of modseq */
	size_t count;
};

/* Give it, from the arena: RFC 7162 section 3.2.5.1.  Costs by what was expunged since. */
enum store_status store_expunged_since(struct store *store, uint64_t mailbox_id, uint64_t modseq,
    struct arena *arena, struct store_history *history_out);

/*
 * Copy or move messages, into the same mailbox, too.  No body is touched: the new message shares
 * the content.  Flags, keywords by name, and the internal date are kept.
 *
 *	to_id		 the target mailbox
 *	copies_out	 room for count: one for each message that existed, in the order of its source UID
 *	source_modseq_out  the source's highest modseq after a move
 *
 * STORE_NOT_FOUND: one of the mailboxes.  STORE_LIMIT: the target has no room for a keyword, or no
 * UIDs.  STORE_OVER_QUOTA.  RFC 9051 sections 6.4.7 and 6.4.8.
 */
struct store_copied {
	uint32_t source_uid;
	struct store_message message;	/* as it is in the target */
};

enum store_status store_copy(struct store *store, uint64_t from_id, uint64_t to_id,
    const uint32_t *uids, size_t count, struct store_copied *copies_out, size_t *copied_out);
enum store_status store_move(struct store *store, uint64_t from_id, uint64_t to_id,
    const uint32_t *uids, size_t count, struct store_copied *copies_out, size_t *moved_out,
    uint64_t *source_modseq_out);

/* When a message came into its mailbox, seconds since 1970 UTC: RFC 8514. */
enum store_status store_message_save_date(struct store *store, uint64_t mailbox_id, uint32_t uid,
    int64_t *save_date_s_out);

#endif
