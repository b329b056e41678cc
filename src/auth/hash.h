/*
 * The hash functions that SCRAM is made of, by nettle, which uses what the processor has for them.
 */
#ifndef HASH_H
#define HASH_H

#include "base/span.h"

enum hash { HASH_SHA_1, HASH_SHA_256, HASH_COUNT };

#define HASH_MAX 32		/* octets of the longest */

/* How many octets the function gives. */
size_t hash_length(enum hash hash);

void hash_digest(enum hash hash, struct span text, uint8_t *digest_out);

/* HMAC (RFC 2104). */
void hash_mac(enum hash hash, struct span key, struct span text, uint8_t *mac_out);

/* Hi() of RFC 5802 section 2.2: PBKDF2 with one block of output.  Slow for many iterations. */
void hash_salt(enum hash hash, struct span password, struct span salt, uint32_t iterations, uint8_t *salted_out);

#endif
