/*
 * Messages out of a backup into the mailboxes of a user who goes on working: through a session of the user, as any that
 * come in, under new UIDs.  What is there already, with the same octets and date, does not come a second time, and nothing
 * that is there is changed.  Blocking.
 */
#ifndef BACKUP_PART_H
#define BACKUP_PART_H

#include "catalogue.h"

/* What was done. */
struct part_counts {
	uint64_t restored, already, refused;
};

/*
 * Do it: --mailbox, --search, --into and --dry-run of the order say what.
 *
 *	target	the user's name on the server
 *
 * Gives an exit code; what is wrong was said.
 */
int part_restore(const struct order *order, const struct folder *folder, const struct catalogue_user *user, const char *target,
    struct part_counts *counts_out);

/* Whether the order means some messages only. */
bool part_is_meant(const struct order *order);

/* Whether the order's keys can be ones.  False: what is wrong was said. */
bool part_check(const struct order *order);

#endif
