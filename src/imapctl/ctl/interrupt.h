/*
 * Signals that end a long run in order: what is under way is brought to its end, and nothing more is begun.
 */
#ifndef IMAPCTL_INTERRUPT_H
#define IMAPCTL_INTERRUPT_H

#include <stdbool.h>

/* Catch SIGINT, SIGTERM and SIGHUP from now on; the second of a kind ends the process at once. */
void interrupt_catch(void);

/* Whether one came. */
bool interrupt_came(void);

#endif
