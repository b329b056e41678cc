/*
 * Pulling the mail of many users: imapctl import --list=FILE.
 */
#ifndef IMAPCTL_MANY_H
#define IMAPCTL_MANY_H

#include "../ctl/order.h"

/*
 * Pull for all users of the list, some at once, a process for each.  What a user's pull says begins with the name.
 * Gives the worst exit code.
 */
int run_many(const struct order *order);

#endif
