/*
 * The keys of SCRAM-SHA-256 and the primitives they are made with (RFC 5802 section 3).
 */
#ifndef SCRAM_KEYS_H
#define SCRAM_KEYS_H

#include "base/buffer.h"
#include "base/digest.h"
#include "base/span.h"

#define SCRAM_SALT_LENGTH	16
#define SCRAM_SALT_MAX		64
#define SCRAM_ITERATIONS_MIN	4096		/* RFC 7677 section 4 */
#define SCRAM_ITERATIONS_MAX	1000000		/* a minute of CPU: more is a damaged credential */

struct scram_keys {
	uint32_t iterations;
	size_t salt_length;
	uint8_t salt[SCRAM_SALT_MAX];
	uint8_t stored_key[DIGEST_LENGTH];
	uint8_t server_key[DIGEST_LENGTH];
};

/* HMAC-SHA-256 (RFC 2104). */
void hmac(struct span key, struct span text, uint8_t mac_out[DIGEST_LENGTH]);

/*
 * Fill stored_key and server_key from a prepared password and the salt and iterations already there.
 * Worker thread; slow.
 */
void scram_keys_derive(struct scram_keys *keys, struct span password);

/* The text form of RFC 5803; false when it is not one, or out of bounds. */
bool scram_keys_parse(struct span text, struct scram_keys *keys_out);
void scram_keys_write(const struct scram_keys *keys, struct buffer *out);

/* Whether a client's proof fits (RFC 5802 section 3), and the signature that answers it. */
bool scram_keys_check(const struct scram_keys *keys, struct span auth_message,
    const uint8_t proof[DIGEST_LENGTH], uint8_t signature_out[DIGEST_LENGTH]);

#endif
