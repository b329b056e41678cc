/*
 * A file with secrets, line by line: what was read is wiped, and nothing of it is left in the buffers of stdio.  Blocking.
 */
#ifndef IMAPCTL_ROSTER_FILE_H
#define IMAPCTL_ROSTER_FILE_H

#include "base/buffer.h"

#define LINES_OCTETS_MAX 16384

struct roster_file {
	int descriptor;
	uint8_t *octets;		/* read and not yet given */
	size_t begin, end;
	uint64_t number;		/* of the line given last, from 1 */
	bool is_cut;			/* it was longer than LINES_OCTETS_MAX */
	bool is_at_end;
	int error;			/* errno; 0: none */
};

/* Open a file; "-" is standard input.  False: errno says why. */
bool roster_file_open(struct roster_file *file, const char *path);
void roster_file_close(struct roster_file *file);

/*
 * Read the next line, without its end, CR LF or LF, and without a mark of byte order before the first.
 *
 *	line_out	borrowed until the next call
 *
 * False: there is none, or it could not be read.
 */
bool roster_file_next(struct roster_file *file, struct span *line_out);

#endif
