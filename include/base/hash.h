/*
 * A number from octets for tables of them.  Under a secret, so that a peer who chooses the octets cannot choose where they
 * fall.  Any thread.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "span.h"

struct hash_secret {
	uint64_t words[2];
};

void hash_secret_init(struct hash_secret *secret);
uint64_t hash_octets(const struct hash_secret *secret, struct span octets);

#endif
