#ifndef IMAPCTL_EXPORT_H
#define IMAPCTL_EXPORT_H

#include "../ctl/order.h"

/* The verb; gives the exit code. */
int run_export(const struct order *order);

#endif
