/*
 * The mailboxes and subscriptions of a user as LIST and LSUB see them: also the names in between that do
 * not exist and have something below.  RFC 9051 section 6.3.9, RFC 3501 section 6.3.9.  Worker thread.
 */
#ifndef LIST_TREE_H
#define LIST_TREE_H

#include "../session/abroad.h"

struct list_entry {
	struct span name;
	const struct store_mailbox *mailbox;	/* NULL: does not exist */
	const struct abroad_mailbox *abroad;	/* it is another's; or NULL */
	bool is_subscribed;
	bool is_matched;	/* by a pattern */
	bool is_selected;	/* fits the selection options */
	bool has_children;	/* an existing mailbox is below */
	bool has_selected_below;
	bool has_hidden_below;	/* selected, and matched by no pattern */
};

/*
 *	patterns  with the reference joined to them
 *	select	  IMAP_LIST_SELECT_*; without SUBSCRIBED and SPECIAL_USE all that exists is selected
 */
struct list_request {
	struct span *patterns;
	size_t pattern_count;
	struct span prefix;	/* with which all names begin that a pattern may match, and those below them */
	unsigned select;
	bool wants_subscribed;	/* is_subscribed is to be known */
	struct door door;	/* of the user's own */
	const struct abroad_mailbox *abroad;	/* those of others */
	size_t abroad_count;
};

struct map;

struct list_tree {
	struct list_entry **entries;	/* in the order of the octets of their names */
	size_t count;
	/* Private to tree.c. */
	struct arena *arena;
	const struct list_request *request;
	struct map *by_name;
	struct list_entry **own;	/* those that are there or subscribed */
	size_t own_count;
	unsigned stage;
	size_t place, pattern;		/* in the stage */
};

/* Read the names; the tree lives in the arena.  The request is borrowed until list_tree_fini(). */
enum store_status list_tree_begin(struct list_tree *tree, struct store *store, struct arena *arena,
    const struct list_request *request);

/* Go on building until clock_monotonic_us() is so far, one step at least.  True: the tree is whole. */
bool list_tree_advance(struct list_tree *tree, uint64_t until_us);

/* Accepts a zeroed one. */
void list_tree_fini(struct list_tree *tree);

#endif
