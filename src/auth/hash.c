/*
 * SHA-1 and SHA-256 as one table, and what is built of them.  Pure.
 */
#include "hash.h"

#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/memory.h"
#include "pbkdf2.h"

typedef void pbkdf2_function(size_t key_length, const uint8_t *key, unsigned iterations, size_t salt_length,
    const uint8_t *salt, size_t length, uint8_t *out);

static const struct {
	const struct nettle_hash *functions;
	pbkdf2_function *pbkdf2;
} hashes[HASH_COUNT] = {
	[HASH_SHA_1] = { &nettle_sha1, pbkdf2_hmac_sha1 },
	[HASH_SHA_256] = { &nettle_sha256, pbkdf2_sha256 },
};

union state {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
};

size_t
hash_length(enum hash hash)
{
	return hashes[hash].functions->digest_size;
}

void
hash_digest(enum hash hash, struct span text, uint8_t *digest_out)
{
	const struct nettle_hash *functions = hashes[hash].functions;
	union state state;

	functions->init(&state);
	functions->update(&state, text.length, text.at);
	functions->digest(&state, functions->digest_size, digest_out);
	memory_wipe(&state, sizeof state);
}

void
hash_mac(enum hash hash, struct span key, struct span text, uint8_t *mac_out)
{
	const struct nettle_hash *functions = hashes[hash].functions;
	union state outer, inner, state;

	hmac_set_key(&outer, &inner, &state, functions, key.length, key.at);
	hmac_update(&state, functions, text.length, text.at);
	hmac_digest(&outer, &inner, &state, functions, functions->digest_size, mac_out);
	memory_wipe(&outer, sizeof outer);
	memory_wipe(&inner, sizeof inner);
	memory_wipe(&state, sizeof state);
}

void
hash_salt(enum hash hash, struct span password, struct span salt, uint32_t iterations, uint8_t *salted_out)
{
	hashes[hash].pbkdf2(password.length, password.at, iterations, salt.length, salt.at, hash_length(hash),
	    salted_out);
}
