/*
 * The verb import.
 */
#ifndef IMAPCTL_IMPORT_H
#define IMAPCTL_IMPORT_H

#include "../ctl/order.h"

/* Bring mail in.  Gives an exit code; what came in and what did not was said. */
int run_import(const struct order *order);

#endif
