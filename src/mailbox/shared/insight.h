/*
 * What searches have found out of a user's contents: whether a text is in them, and when they were sent.  Contents never
 * change, so a search that comes again tests only what has come since.  Remembered while the user's file is open; what
 * nobody has asked for longest is forgotten when all accounts together remember too much; when all that is left is held
 * by searches under way, nothing more is noted.  Loop thread.
 */
#ifndef INSIGHT_H
#define INSIGHT_H

#include "base/buffer.h"
#include "base/list.h"

#define INSIGHTS_OCTETS_MAX (32 * 1024 * 1024)	/* of all accounts */
#define INSIGHT_NEVER_SENT  (INT32_MIN + 1)	/* the content has no sent date */
#define INSIGHT_NOT_KNOWN   INT32_MIN

/* Of all accounts. */
struct insights {
	struct list used;		/* those that nobody holds, by when they were let go of */
	size_t octets;			/* that all take, held or not */
};

enum insight_kind { INSIGHT_TRUTH, INSIGHT_DAY };

enum insight_truth { INSIGHT_FALSE, INSIGHT_TRUE, INSIGHT_OPEN };

struct insight_place;

/* One question, and what is known of its answer. */
struct insight {
	struct list link;		/* in the list of its account, or alone when that has forgotten it */
	struct list use;		/* in insights->used while nobody holds it */
	struct insights *insights;
	enum insight_kind kind;
	struct buffer question;
	struct insight_place *places;	/* by rising ids */
	size_t count, capacity, last;
	size_t octets;			/* that count in insights->octets */
	unsigned holders;
	uint64_t asked_through;		/* for the caller: up to which id an index was asked */
};

void insights_init(struct insights *insights);

/* Find or begin what is known of a question, and hold it.  The question says the kind, too. */
struct insight *insight_hold(struct insights *insights, struct list *of_account, struct span question,
    enum insight_kind kind);

/* Accepts NULL, leaves NULL behind. */
void insight_release(struct insight **insight);

/* Forget all of an account: its contents may be others. */
void insights_forget(struct list *of_account);

/* INSIGHT_TRUTH: what is known of a content, and noting it.  What was known stays. */
enum insight_truth insight_truth(struct insight *insight, uint64_t content_id);
void insight_note_truth(struct insight *insight, uint64_t content_id, bool truth);

/* Of the ids from first to last only some, which rise, may be true: the others are false, unless more is known. */
void insight_note_false(struct insight *insight, uint64_t first, uint64_t last, const uint64_t *but, size_t count);

/* INSIGHT_DAY: days since 1970-01-01, INSIGHT_NEVER_SENT, INSIGHT_NOT_KNOWN. */
int32_t insight_day(struct insight *insight, uint64_t content_id);
void insight_note_day(struct insight *insight, uint64_t content_id, int32_t day);

#endif
