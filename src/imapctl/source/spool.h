/*
 * A temporary file for what cannot be read twice.  Blocking.
 */
#ifndef IMAPCTL_SPOOL_H
#define IMAPCTL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Copy what a stream holds into a file without a name, in $TMPDIR or /var/tmp: /tmp may be memory.
 *
 *	octets_max	with more, errno is EFBIG
 *
 * Gives a descriptor, or -1: errno says why.
 */
int spool_copy(FILE *from, uint64_t octets_max);

#endif
