/*
 * SHA-256 (FIPS 180-4).  Any thread; costs 1 to 3 us per KiB, so long inputs belong on a worker.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/span.h"

#define DIGEST_LENGTH 32

void digest_sha256(struct span octets, uint8_t digest_out[DIGEST_LENGTH]);

/* The same over octets that come in pieces. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *digest, struct span octets);

/* Write the digest, free the state and leave NULL behind. */
void digest_finish(struct digest **digest, uint8_t digest_out[DIGEST_LENGTH]);

#endif
