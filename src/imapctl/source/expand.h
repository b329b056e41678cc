/*
 * Files that may be compressed, read as what they hold: gzip, bzip2, xz, zstd, lz4, and the blocks of lz4 that
 * Dovecot writes.  Memory is bounded whatever a file claims; how much comes out is the reader's to bound.
 * Blocking.
 */
#ifndef IMAPCTL_EXPAND_H
#define IMAPCTL_EXPAND_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdio.h>

/*
 * Open a regular file for reading from front to end.  Its first octets tell whether it is compressed.
 *
 *	facts_out  of the file as it lies on the disk
 *
 * NULL: errno says why, EISDIR, ENXIO for what else is no regular file.  When a read fails later, ferror() is
 * true and errno says why.
 */
FILE *expand_open(const char *path, struct stat *facts_out);

/* Do the first octets of a regular file say that it is compressed, or encrypted?  Leaves its place as it was. */
bool expand_is_needed(int descriptor);

/*
 * When an errno of expand_open() or of reading from its stream means that the contents are at fault, so that
 * reading again will not help: what is wrong, in words.  Otherwise NULL.
 */
const char *expand_error_text(int error);

#endif
