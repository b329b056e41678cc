/*
 * UMAC-64 (RFC 4418) under a key that everybody knows: finds damage, and proves nothing against anybody who means harm, so
 * nothing is ever taken for the same because of it.  Any thread; some 0.1 us per KiB.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/span.h"

/* Over octets that come in pieces. */
struct checksum;
struct checksum *checksum_new(void);
void checksum_add(struct checksum *checksum, struct span octets);

/* Give the sum, free the state and leave NULL behind. */
uint64_t checksum_finish(struct checksum **checksum);

/* The sum of octets that lie together. */
uint64_t checksum_of(struct span octets);

#endif
