/*
 * The mailboxes and subscriptions of a user as LIST and LSUB see them: also the names in between that do
 * not exist and have something below.  RFC 9051 section 6.3.9, RFC 3501 section 6.3.9.  Worker thread.
 */
#ifndef LIST_TREE_H
#define LIST_TREE_H

#include "imap/command.h"
#include "store/mailbox.h"

struct list_entry {
	struct span name;
	const struct store_mailbox *mailbox;	/* NULL: does not exist */
	bool is_subscribed;
	bool is_matched;	/* by a pattern */
	bool is_selected;	/* fits the selection options */
	bool has_children;	/* an existing mailbox is below */
	bool has_selected_below;
	bool has_hidden_below;	/* selected, and matched by no pattern */
};

struct list_tree {
	struct list_entry **entries;	/* in the order of the octets of their names */
	size_t count;
};

/*
 *	patterns  with the reference joined to them
 *	select	  IMAP_LIST_SELECT_*; without SUBSCRIBED and SPECIAL_USE all that exists is selected
 */
struct list_request {
	struct span *patterns;
	size_t pattern_count;
	unsigned select;
	bool wants_subscribed;	/* is_subscribed is to be known */
};

/* Give the tree, from the arena. */
enum store_status list_tree_build(struct store *store, struct arena *arena,
    const struct list_request *request, struct list_tree *tree_out);

#endif
