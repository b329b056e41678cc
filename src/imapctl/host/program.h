/*
 * Running other programs, and this one as imapd.  Blocking.
 */
#ifndef IMAPCTL_PROGRAM_H
#define IMAPCTL_PROGRAM_H

#include "base/buffer.h"

#define PROGRAM_MISSING 127	/* what a shell says of a program that is not there */

/*
 * Run a program with this input, and wait for it.
 *
 *	words	its name, looked for where programs are, and its arguments; NULL at the end
 *	out	gets what it says, on standard output and standard error, at most 1 MiB of it; NULL: nobody hears it
 *
 * Returns its exit code; PROGRAM_MISSING; or -1, when a signal has ended it.
 */
int program_run(const char *const words[], struct span input, struct buffer *out);

/*
 * As program_run(): this executable, as imapd.
 *
 *	words	its arguments, without its name
 */
int program_run_imapd(const char *const words[], struct span input, struct buffer *out);

/* The same as imapctl. */
int program_run_imapctl(const char *const words[], struct span input, struct buffer *out);

/* Where a program is, given; NULL: it is not where programs are. */
char *program_find(const char *name);

#endif
