/*
 * The messages of one maildir in the order in which they came: that of the server that kept it, by its list
 * of UIDs, then by the times and counters in the unique names.  Blocking.
 */
#ifndef IMAPCTL_MAILDIR_LIST_H
#define IMAPCTL_MAILDIR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct maildir_file {
	char *name;		/* "1500000001.M1P1.host,S=46:2,S" */
	bool is_new;		/* in new/, not in cur/ */
	uint64_t uid;		/* UINT64_MAX: not in the list */
	/* when it came, finer and finer; 0 where the name does not say */
	uint64_t second, microsecond, process, delivery;
};

struct maildir_list {
	struct maildir_file *files;
	size_t count, room;
	int cur_error, new_error;	/* errno of listing them; 0 also for one that is not there */
};

/* How many messages there are, for the progress bar. */
uint64_t maildir_count(const char *path);

/* List and sort; *list is empty before. */
void maildir_list_read(struct maildir_list *list, const char *path);

/*
 * A file is gone since it was listed: look for it under another name in cur/, as it has when it was read or
 * got a flag meanwhile.  False: the message is gone.
 */
bool maildir_find_renamed(struct maildir_file *file, const char *path);

void maildir_list_free(struct maildir_list *list);

/* How much of a file's name is the same whatever its flags: up to ":2,", or the ";2," or "!2," of file systems without colons. */
size_t maildir_base_length(const char *name);

#endif
