/*
 * A file read line by line in bounded memory, with looks at other places of it.  What cannot seek, a pipe,
 * and what is compressed, is copied to a temporary file first.  Blocking.
 */
#ifndef IMAPCTL_INPUT_H
#define IMAPCTL_INPUT_H

#include "base/span.h"

#define INPUT_PIECE_MAX 65536

struct input;

/*
 * Open a file.
 *
 *	expanded_max	octets that may come out of a compressed one
 *
 * NULL: errno says why; EISDIR: it is a folder; EFBIG: more would come out; see expand_error_text() for others.
 */
struct input *input_open(const char *path, uint64_t expanded_max);

/* Accepts NULL, leaves NULL behind. */
void input_close(struct input **input);

const char *input_path(const struct input *input);
uint64_t input_size(const struct input *input);
int64_t input_time(const struct input *input);	/* when it was written to, seconds since 1970 */
uint64_t input_offset(const struct input *input);

/* 0, or the errno with which reading failed; the rest of the file is then out of reach. */
int input_error(const struct input *input);

/* The same, but each failure is given once. */
int input_take_error(struct input *input);

/*
 * Read on through the next line end.  A line of more than INPUT_PIECE_MAX octets comes in pieces, of which
 * only the last has one.
 *
 *	line_out	borrowed until the next call for this input
 *
 * False at the end.
 */
bool input_line(struct input *input, struct span *line_out);

/* Read so many octets, or up to INPUT_PIECE_MAX of them; a line need not end there.  False at the end. */
bool input_octets(struct input *input, uint64_t count, struct span *octets_out);

/* Go on from another place. */
void input_seek(struct input *input, uint64_t offset);

/* Read at another place, at most size octets, and stay; returns how many there are. */
size_t input_look(struct input *input, uint64_t offset, void *out, size_t size);

#endif
