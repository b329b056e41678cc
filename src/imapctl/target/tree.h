/*
 * What the targets that are folders share: the list of what was exported into them, and where each mailbox lies.
 * Blocking.
 */
#ifndef IMAPCTL_TREE_H
#define IMAPCTL_TREE_H

#include "../source/manifest.h"
#include "target.h"

struct tree {
	struct target target;
	char *root;
	struct manifest manifest;
	struct manifest_entry *entry;		/* of the mailbox under way */
	bool is_stale;				/* what it holds is of another UIDVALIDITY, and goes: is_mirror */
	uint32_t stale_uidvalidity;		/* that one; what has a third was put there by another program */
	uint32_t uidvalidity, uidnext;		/* of the mailbox under way */
	void (*add_path)(struct span name, struct buffer *out);
	/* Remove what tree->entry holds; begin() was called for it, and it has no other's mail. */
	enum target_status (*drop)(struct tree *tree);
};

/*
 * Take a folder, which is made when it is missing.
 *
 *	kind	the format
 *	tree	zeroed but for the functions
 *
 * TARGET_REFUSED: something else is in it, or the export of another user or format.
 */
enum target_status tree_open(struct tree *tree, const char *root, const char *kind, const char *user);

/* For struct target. */
enum target_status tree_plan(struct target *target, const struct target_mailbox *mailboxes, size_t count);
enum target_status tree_finish(struct target *target);

/* Find the mailbox in the list.  TARGET_REFUSED: another UIDVALIDITY is there. */
enum target_status tree_begin(struct tree *tree, const struct target_mailbox *mailbox);

/* The mailbox now is as it was found by tree_begin(). */
void tree_end(struct tree *tree);

void tree_close(struct tree *tree);

#endif
