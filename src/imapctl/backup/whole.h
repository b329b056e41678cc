/*
 * A user's whole file out of a backup: it goes to the server as it is, and so keeps UIDs, UIDVALIDITY and all that it has.
 * The user is made again, if there is none, with what the directory had.  Blocking.
 */
#ifndef BACKUP_WHOLE_H
#define BACKUP_WHOLE_H

#include "catalogue.h"

enum whole_end {
	WHOLE_DONE,
	WHOLE_HAS_MAIL,		/* nothing was changed: the user has mail, and --replace was not given */
	WHOLE_FAILED,		/* what is wrong was said */
};

/*
 * Do it.
 *
 *	target	the user's name on the server
 *	code_out	the exit code of WHOLE_FAILED
 *	size_out	octets of the file
 *	messages_out	how many it has
 */
enum whole_end whole_restore(const struct order *order, const struct folder *folder, const struct catalogue_user *user,
    const char *target, int *code_out, uint64_t *size_out, uint64_t *messages_out);

/* Let those act for a user once more who did; of those who are there.  False: what is wrong was said. */
bool whole_allow_delegates(const struct order *order, const struct catalogue_user *user);

#endif
