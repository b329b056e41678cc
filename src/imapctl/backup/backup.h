/*
 * Keeping copies of users' mail in a folder: imapctl backup and imapctl restore.
 */
#ifndef IMAPCTL_BACKUP_H
#define IMAPCTL_BACKUP_H

#include "../ctl/order.h"

/* The verb backup, and with --verify what compares a folder with itself.  Gives an exit code. */
int run_backup(const struct order *order);

/* The verb restore. */
int run_restore(const struct order *order);

#endif
