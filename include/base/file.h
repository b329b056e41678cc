/*
 * Writing to files.  Blocking.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/span.h"

/* Write all of it, in pieces if need be.  False: errno says why, and some of it may be written. */
bool file_write(int descriptor, struct span octets);

/* The same at a place, counted in octets from the beginning; the descriptor stays where it is. */
bool file_write_at(int descriptor, struct span octets, off_t at);

#endif
