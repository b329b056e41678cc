#ifndef IMAPCTL_SETUP_H
#define IMAPCTL_SETUP_H

#include "../ctl/order.h"

/* The verb; gives the exit code. */
int run_setup(const struct order *order);

#endif
