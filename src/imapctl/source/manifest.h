/*
 * The list that `imapctl export` leaves in the folder that it writes: which file or folder is which mailbox.  By it an
 * export is recognized, goes on where it stopped, and is imported with names, subscriptions and uses as they were.
 * Blocking.
 */
#ifndef IMAPCTL_MANIFEST_H
#define IMAPCTL_MANIFEST_H

#include "base/buffer.h"
#include "base/map.h"

#define MANIFEST_NAME "imapd-export"

struct manifest_entry {
	char *path;		/* below the folder, "." for itself; empty: no mailbox, but subscribed */
	char *name;		/* UTF-8 */
	uint32_t uidvalidity, uidnext;
	bool is_subscribed;
	char *use;		/* "\\Sent", or empty (RFC 6154) */
	bool is_planned, is_gone;	/* for who writes the list: it is still to be there; it is not written any more */
};

struct manifest {
	char *kind;		/* the format, "maildir" */
	char *user;
	bool is_complete;	/* an export has come to its end */
	struct manifest_entry *entries;
	size_t count;
	struct map *by_name, *by_path;	/* number of the entry, from 1 on */
};

/* Read the list of a folder.  False: there is none, or it is none of ours; *manifest_out is then empty. */
bool manifest_read(const char *folder, struct manifest *manifest_out);

/* Append the list as it stands in the file. */
void manifest_write(const struct manifest *manifest, struct buffer *out);

/* Append an entry, with copies of path and name. */
struct manifest_entry *manifest_add(struct manifest *manifest, const char *path, const char *name);

/* NULL: there is none. */
struct manifest_entry *manifest_find_name(const struct manifest *manifest, struct span name);
struct manifest_entry *manifest_find_path(const struct manifest *manifest, struct span path);

/*
 * The mailbox that a file or folder stands for, in modified UTF-7 and nothing for INBOX, as struct message has it.
 *
 *	root	the folder of the list, as path begins
 *
 * False: the list does not have it.
 */
bool manifest_mailbox(const struct manifest *manifest, struct span root, struct span path, struct buffer *mailbox_out);

/* Append the name of an entry in the same form. */
void manifest_add_name(const struct manifest_entry *entry, struct buffer *out);

void manifest_free(struct manifest *manifest);

#endif
