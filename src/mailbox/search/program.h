/*
 * A SEARCH made ready for testing messages: sets resolved, keywords looked up, texts folded.  RFC 9051
 * section 6.4.4, RFC 5182, RFC 7162 section 3.1.5.  Prepared on the loop; then only read, by any thread.
 */
#ifndef MAILBOX_SEARCH_PROGRAM_H
#define MAILBOX_SEARCH_PROGRAM_H

#include "../session/view.h"
#include "imap/search.h"
#include "mime/searchable.h"

#define SEARCH_SLOTS_MAX 32	/* keys whose answers are remembered; others are asked again */
#define SEARCH_NO_SLOT	 SEARCH_SLOTS_MAX

/* What a node needs beyond what the parser read. */
struct search_node {
	size_t keyword;			/* KEYWORD: its number */
	bool has_keyword;		/* the mailbox has one by that name */
	uint64_t content_id;		/* EMAILID; 0: no message has it */
	int64_t limit_s;		/* OLDER, YOUNGER: the internal date that divides them */
	struct imap_sequence sequence;	/* SEQUENCE, UID: as the view resolves it; with "*" its ranges are of the heap */
	bool has_star;
	struct view_set set;
	struct buffer needle;		/* of a key that looks for a text: folded */
	unsigned slot;			/* in program->slots, or SEARCH_NO_SLOT */
	bool is_kept;			/* it is looked for in what is kept of each content: */
	enum mime_searchable_text kept;
};

struct search_program {
	const struct imap_search *search;
	struct search_node *nodes;	/* one for each of search->nodes */
	size_t slots[SEARCH_SLOTS_MAX];	/* nodes that look for a text */
	size_t slot_count;
	bool asks_sent_day;
	uint64_t mailbox_id;
	struct keywords *keywords;	/* held */
	struct imap_keywords known;	/* what they were at the last refresh */
};

/* A message to be tested. */
struct search_message {
	uint32_t number;
	bool is_recent;
	bool is_hit;
	struct store_message message;
	/* What is known of the content, from search_recall_tell() on. */
	int32_t sent_day;		/* or INSIGHT_NEVER_SENT, INSIGHT_NOT_KNOWN */
	uint8_t *truths;		/* enum imap_truth, one for each of program->slots */
};

/*
 * Prepare.
 *
 *	search	borrowed until search_program_fini()
 *	saved	what "$" stands for; borrowed, too
 *
 * A message number above those of the view matches nothing: whoever searches may have counted a message that
 * another session has expunged, and RFC 9051 section 6.4.4 has no such error.
 */
void search_program_init(struct search_program *program, const struct imap_search *search, const struct view *view,
    const struct imap_sequence *saved);

/* Between two slices, while no worker has the program: messages may have sets of keywords that are new. */
void search_program_refresh(struct search_program *program, const struct view *view);
void search_program_fini(struct search_program *program);

/* The day of a time since 1970 UTC, in days since 1970-01-01. */
int64_t search_day_of(int64_t seconds);

/*
 * Whether a message has to be looked at: the sets of numbers and UIDs that stand among the keys, not within OR or NOT,
 * leave it.  Costs their number times log(ranges).
 */
bool search_program_covers(const struct search_program *program, const struct search_message *message);

/*
 * The first message number from this one on that those sets leave, so that what they leave out is not looked at one by one;
 * 0: none.  What it gives may still be left out by an earlier set.  Costs as much as search_program_covers(), and log(messages).
 */
uint32_t search_program_from(const struct search_program *program, const struct view *view, uint32_t number);

/* SENTBEFORE, SENTON, SENTSINCE: by the day, or INSIGHT_NEVER_SENT; IMAP_UNKNOWN by INSIGHT_NOT_KNOWN. */
bool search_is_sent_key(enum imap_search_key key);
enum imap_truth search_test_sent(const struct imap_search_node *leaf, int32_t sent_day);

/* Decide a leaf of IMAP_COST_STATE, or an empty text, which is in every text; IMAP_UNKNOWN for the others. */
enum imap_truth search_test_state(const struct search_program *program, const struct imap_search_node *leaf,
    const struct search_message *message);

#endif
