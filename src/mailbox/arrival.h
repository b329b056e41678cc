/*
 * A message on its way into a store: parsed once, and rendered for all later FETCHes.  Pure; about 1 ms for
 * 100 KB, so on a compute worker.
 */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include "base/arena.h"
#include "store/message.h"

/*
 * Fill in what follows from the octets alone: all but flags and internal date.
 *
 *	message	borrowed as long as arrival_out is used; 1 to 2^32-1 octets, any octets
 *	arena	holds what is rendered
 */
void arrival_render(struct span message, struct arena *arena, struct store_arrival *arrival_out);

#endif
