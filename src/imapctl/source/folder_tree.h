/*
 * The folders below a folder, each with the mailbox it stands for.  A format says which directories are
 * folders and how they are called.  Links to directories are followed, but not round in circles.  Blocking.
 */
#ifndef IMAPCTL_FOLDER_TREE_H
#define IMAPCTL_FOLDER_TREE_H

#include <sys/types.h>

#include "base/buffer.h"

struct folder {
	char *path;
	struct buffer name;	/* UTF-8, see folder_name.h; empty for what was asked for itself */
	size_t parent;		/* of the first, itself */
	dev_t device;
	ino_t inode;
	int error;		/* errno of listing it, or 0 */
};

struct folder_tree {
	struct folder *folders;		/* what lies below comes after what it lies below */
	size_t count;
	/*
	 * Is this directory a folder below that one?  Adds its levels to name, which holds those of the one above.
	 *
	 *	path	of the directory
	 *	entry	its name in the one above, neither "." nor ".."
	 */
	bool (*is_folder)(const struct folder *above, const char *path, const char *entry, struct buffer *name);
	/* A regular file in a folder.  NULL: of no interest. */
	void (*on_file)(struct folder_tree *tree, const char *path, const char *entry);
};

/* Walk from path on; is_folder is set.  False: errno says why path cannot be listed. */
bool folder_tree_walk(struct folder_tree *tree, const char *path);

/* Walk another directory as if what lies in it lay in the first folder.  Nothing when it is not there. */
void folder_tree_walk_also(struct folder_tree *tree, const char *path);

/* Is there a folder in it that could not be listed? */
bool folder_tree_has_error(const struct folder_tree *tree);

/*
 * Call for each regular file in a folder, in the order of the names; hidden ones are passed over.
 *
 *	path	of the file; entry its name alone
 */
void folder_files(const struct folder *folder,
    void (*on_file)(const struct folder *folder, const char *path, const char *entry, void *context), void *context);

void folder_tree_free(struct folder_tree *tree);

#endif
