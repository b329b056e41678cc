/*
 * backup --verify: what lies in the folder is what the manifest says, and each file is whole.  Nothing in the folder is
 * changed, and no server is asked.
 */
#ifndef BACKUP_CHECK_H
#define BACKUP_CHECK_H

#include "../ctl/order.h"

/* The word is the folder.  Gives an exit code. */
int check_backup(const struct order *order);

#endif
