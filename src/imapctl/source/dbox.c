/*
 * Dovecot's sdbox and mdbox: flags, and in mdbox what is a message at all, are in indexes that Dovecot alone reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source.h"
#include "walk.h"

#define ENTRIES_MAX 10000	/* that are looked at */

struct source *
dbox_open(const char *path)
{
	char *copy = memory_copy_string(path);
	FTS *walk = walk_open(copy);
	FTSENT *entry;
	int error = EBADMSG;

	/* mailboxes/Work/2020/dbox-Mails */
	for (size_t i = 0; walk != NULL && i < ENTRIES_MAX && error == EBADMSG && (entry = fts_read(walk)) != NULL; i++) {
		if (entry->fts_info == FTS_D && strcmp(entry->fts_name, "dbox-Mails") == 0)
			error = ENOTSUP;
	}
	walk_close(walk);
	free(copy);
	errno = error;
	return NULL;
}
