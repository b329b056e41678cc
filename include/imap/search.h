/*
 * What SEARCH asks for, as a flat program: RFC 9051 section 6.4.4, RFC 3501 section 6.4.4, RFC 5182,
 * RFC 7162 section 3.1.5, RFC 9394.  Pure.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/partial.h"
#include "imap/sequence.h"

enum imap_search_key {
	IMAP_SEARCH_AND, IMAP_SEARCH_OR, IMAP_SEARCH_NOT,	/* the only ones with children */
	IMAP_SEARCH_ALL,
	IMAP_SEARCH_FLAG,		/* flag: any of the IMAP_FLAG_ bits is set; UNSEEN is NOT FLAG */
	IMAP_SEARCH_KEYWORD,		/* text: name of a keyword */
	IMAP_SEARCH_RECENT,		/* OLD is NOT RECENT; NEW is AND RECENT NOT FLAG */
	IMAP_SEARCH_SEQUENCE,		/* set of message numbers, or "$" */
	IMAP_SEARCH_UID,		/* set of UIDs, or "$" */
	IMAP_SEARCH_MODSEQ,		/* number: at least this */
	IMAP_SEARCH_LARGER, IMAP_SEARCH_SMALLER,	/* number, octets */
	IMAP_SEARCH_BEFORE, IMAP_SEARCH_ON, IMAP_SEARCH_SINCE,	/* days: internal date */
	IMAP_SEARCH_SENTBEFORE, IMAP_SEARCH_SENTON, IMAP_SEARCH_SENTSINCE,	/* days: Date header */
	IMAP_SEARCH_HEADER,		/* field, text: in the text of the field */
	IMAP_SEARCH_SUBJECT, IMAP_SEARCH_FROM, IMAP_SEARCH_TO, IMAP_SEARCH_CC, IMAP_SEARCH_BCC,	/* text: in the envelope */
	IMAP_SEARCH_BODY,		/* text */
	IMAP_SEARCH_TEXT,		/* text */
	IMAP_SEARCH_EMAILID, IMAP_SEARCH_THREADID,	/* text: an objectid, RFC 8474 */
	IMAP_SEARCH_OLDER, IMAP_SEARCH_YOUNGER,		/* number, seconds from now: internal date, RFC 5032 */
	IMAP_SEARCH_SAVEDATESUPPORTED,	/* so every mailbox does: as ALL */
	IMAP_SEARCH_SAVEDBEFORE, IMAP_SEARCH_SAVEDON, IMAP_SEARCH_SAVEDSINCE,	/* days: save date, RFC 8514 */
	IMAP_SEARCH_UIDAFTER, IMAP_SEARCH_UIDBEFORE,	/* number: a UID, which is not among them; RFC 9738 section 3.2 */
};

/* Whether a key looks for a text. */
static inline bool
imap_search_has_text(enum imap_search_key key)
{
	return key >= IMAP_SEARCH_HEADER && key <= IMAP_SEARCH_TEXT;
}

/* What must be at hand to decide a key; a node with children has the greatest of theirs. */
enum imap_search_cost {
	IMAP_COST_STATE,	/* flags, UID, internal date, size, message number */
	IMAP_COST_HEADER,	/* and what the store keeps of the message */
	IMAP_COST_BODY,
};

enum imap_truth { IMAP_FALSE, IMAP_TRUE, IMAP_UNKNOWN };

/*
 * Nodes stand in prefix order: a node, then its children.  The subtree of node i ends before nodes[i].end,
 * and the next sibling is there; its last child c has nodes[c].end == nodes[i].end.
 */
struct imap_search_node {
	enum imap_search_key key;
	enum imap_search_cost cost;
	uint32_t parent;		/* the root is its own */
	uint32_t end;
	uint64_t number;		/* LARGER, SMALLER, MODSEQ, OLDER, YOUNGER, UIDAFTER, UIDBEFORE; IMAP_FLAG_ bit of FLAG */
	int32_t days;			/* since 1970-01-01 */
	struct span field;		/* HEADER */
	struct span text;		/* as the client wrote it; empty matches everything */
	struct imap_sequence set;	/* resolve it before evaluating */
};

#define IMAP_RETURN_MIN		1u
#define IMAP_RETURN_MAX		2u
#define IMAP_RETURN_ALL		4u
#define IMAP_RETURN_COUNT	8u
#define IMAP_RETURN_SAVE	16u
#define IMAP_RETURN_PARTIAL	32u	/* never with IMAP_RETURN_ALL */

struct imap_search {
	bool has_return;		/* answer with ESEARCH, RFC 4731 */
	unsigned return_options;	/* IMAP_RETURN_*; "RETURN ()" is IMAP_RETURN_ALL */
	struct imap_partial partial;	/* with IMAP_RETURN_PARTIAL */
	bool has_modseq;		/* some key is MODSEQ */
	bool has_charset;		/* CHARSET was said */
	bool has_unknown_charset;	/* nothing of the keys was read: the answer is NO [BADCHARSET] */
	struct span charset;		/* of the texts, which are to be converted; empty: they are valid UTF-8 */
	struct imap_search_node *nodes;	/* nodes[0] is the root */
	size_t node_count;
	size_t depth;
};

/*
 * Say whether a message matches, with no recursion and no more tests than needed.
 *
 *	test	 decides one leaf, never AND, OR, NOT; may say IMAP_UNKNOWN for what would cost too much now
 *	scratch	 node_count octets, any contents
 *
 * IMAP_UNKNOWN: it hangs on leaves that were not decided.
 */
typedef enum imap_truth imap_search_test(const struct imap_search_node *leaf, void *context);

enum imap_truth imap_search_evaluate(const struct imap_search *search, imap_search_test *test, void *context,
    uint8_t *scratch);

/*
 * Whether, of count results in their order, the one at a place from 1 on is among those that SAVE keeps and whose highest
 * modseq is told: with MIN, MAX and PARTIAL those that they tell, else all.  RFC 5182 section 2.1, RFC 9394 section 3.2,
 * RFC 7162 sections 3.1.5 and 3.1.10.
 */
bool imap_search_keeps(const struct imap_search *search, uint32_t count, uint32_t place);
bool imap_search_keeps_all(const struct imap_search *search);

#endif
