/*
 * What is printed by --help.
 */
#ifndef IMAPCTL_HELP_H
#define IMAPCTL_HELP_H

#include "../ctl/order.h"

/* The whole help, examples first. */
void help_print(void);

/* The verbs that begin with a word of two, as "user"; false: there are none. */
bool help_print_family(const char *word);

/* One verb: an example, its usage, what its options mean. */
void help_print_verb(const struct verb *verb);

#endif
