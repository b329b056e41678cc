/*
 * A temporary folder for what is in an archive.  Nothing is written outside of it, and no links are made.  Blocking.
 */
#ifndef IMAPCTL_UNPACK_H
#define IMAPCTL_UNPACK_H

#include <stdio.h>

#include "base/buffer.h"

struct unpack {
	struct buffer directory;	/* its path, in $TMPDIR or /var/tmp; empty until something is put there */
	size_t files;
};

/* Make the folder, unless it is there; unpack_file() does. */
bool unpack_begin(struct unpack *unpack);

/*
 * Open a file in it for writing, and make the folders above it.
 *
 *	name	as the archive has it
 *	file_out  NULL: such a file is not wanted, or the name leads outside; or errno says why, and false is given
 */
bool unpack_file(struct unpack *unpack, struct span name, FILE **file_out);

/* Make a folder in it. */
bool unpack_folder(struct unpack *unpack, struct span name);

/* End a file, which gets this time.  False: errno says why. */
bool unpack_end_file(FILE *file, int64_t time_s);

/* Remove it and all that is in it. */
void unpack_remove(struct unpack *unpack);

/* Unpack what a file holds; *unpack is zeroed, or has what came from another.  False: errno says why; EBADMSG: it is no such archive. */
bool unpack_zip(struct unpack *unpack, const char *path);
bool unpack_tar(struct unpack *unpack, const char *path);

#endif
