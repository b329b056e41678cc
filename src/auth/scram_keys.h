/*
 * The keys of SCRAM (RFC 5802 section 3), for either hash function, and their text form (RFC 5803).
 */
#ifndef SCRAM_KEYS_H
#define SCRAM_KEYS_H

#include "base/buffer.h"
#include "base/span.h"
#include "hash.h"

#define SCRAM_SALT_LENGTH	16
#define SCRAM_SALT_MAX		64
#define SCRAM_ITERATIONS_MIN	4096		/* RFC 5802 section 5.1, RFC 7677 section 4 */
#define SCRAM_ITERATIONS_MAX	1000000		/* a minute of CPU: more is a damaged credential */

struct scram_keys {
	enum hash hash;
	uint32_t iterations;
	size_t salt_length;
	uint8_t salt[SCRAM_SALT_MAX];
	uint8_t stored_key[HASH_MAX];
	uint8_t server_key[HASH_MAX];
};

/*
 * Fill stored_key and server_key from a prepared password and the hash, salt and iterations already there.
 * Worker thread; slow.
 */
void scram_keys_derive(struct scram_keys *keys, struct span password);

/*
 * Read one scheme of RFC 5803, "SCRAM-SHA-256$15000:SALT$STOREDKEY:SERVERKEY".  False when it is not one, or out
 * of bounds.
 */
bool scram_keys_parse(struct span text, struct scram_keys *keys_out);

/* Find the keys for a hash function in a credential, whose schemes are parted by spaces. */
bool scram_keys_find(struct span credential, enum hash hash, struct scram_keys *keys_out);

void scram_keys_write(const struct scram_keys *keys, struct buffer *out);

/*
 * Whether a client's proof fits (RFC 5802 section 3), and the signature that answers it; both as long as the hash.
 */
bool scram_keys_check(const struct scram_keys *keys, struct span auth_message, const uint8_t *proof,
    uint8_t signature_out[HASH_MAX]);

#endif
