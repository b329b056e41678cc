/*
 * Numbers in groups of seven bits, the lowest first; all but the last have bit 7 set.  Any thread.
 */
#ifndef BASE128_H
#define BASE128_H

#include "base/buffer.h"

/* Take a number off the front.  False: there is none. */
bool base128_read(struct span *octets, uint64_t *number_out);

void base128_add(struct buffer *out, uint64_t number);

#endif
