/*
 * Signals that end a long run in order: what is under way is brought to its end, and nothing more is begun.
 */
#ifndef IMAPCTL_INTERRUPT_H
#define IMAPCTL_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>

/* Catch SIGINT, SIGTERM and SIGHUP from now on; the second of a kind ends the process at once. */
void interrupt_catch(void);

/* Whether one came. */
bool interrupt_came(void);

/*
 * As poll(2), for one descriptor, but that a signal which came, also just before, leaves two seconds of the time at most:
 * what is under way may end, and who is silent is left.  A signal alone does not end it.
 *
 *	timeout_ms	0 or more
 */
int interrupt_poll(struct pollfd *wait, int timeout_ms);

#endif
