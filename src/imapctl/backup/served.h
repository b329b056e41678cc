/*
 * A copy of one user's file out of a backup, served by an imapd of its own that nobody else can reach: so that it can be
 * looked through by what IMAP offers, whatever version of the schema it has, and the backup stays as it is.  Both the copy
 * and that imapd are gone with the process, however it ends.  Blocking.
 */
#ifndef BACKUP_SERVED_H
#define BACKUP_SERVED_H

#include "../remote/dialog.h"
#include "scratch.h"

struct served {
	struct scratch scratch;
	struct order order;		/* whose configuration is that imapd's */
	struct buffer config;		/* its path */
	struct dialog *dialog;		/* a session of the user */
};

/*
 * Begin; *served is zeroed.  Gives an exit code; what is wrong was said, a damaged file among it.  served_end() in any case.
 */
int served_begin(struct served *served, const struct order *order, const struct folder *folder, const struct catalogue_user *user);
void served_end(struct served *served);

#endif
