/*
 * Each iteration hashes one block after the key's inner block, and one after its outer block.  Both begin from states that
 * are computed once, and the end of the block is always the same: so nothing but the two compressions is left, which are
 * nettle's, and moves of eight words.  Pure.
 */
#include "pbkdf2.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include <nettle/hmac.h>

#include "base/memory.h"

#define WORDS (PBKDF2_SHA256_LENGTH / 4)
#define END   0x80			/* behind the octets, and their number at the end of the block (FIPS 180-4 section 5.1.1) */
#define BITS  ((SHA256_BLOCK_SIZE + SHA256_DIGEST_SIZE) * 8)	/* of the key's block and a digest */

struct derivation {
	struct hmac_sha256_ctx keyed;	/* as it is before any text */
	struct sha256_ctx hash;
	uint8_t block[SHA256_BLOCK_SIZE];	/* a digest and its end */
	uint32_t sum[WORDS];
};

static void
write_words(uint8_t *out, const uint32_t *words)
{
	for (size_t i = 0; i < WORDS; i++) {
		uint32_t word = htobe32(words[i]);

		memcpy(out + 4 * i, &word, sizeof word);
	}
}

/* U_1 = HMAC(key, salt || INT(1)). */
static void
begin(struct derivation *derivation, size_t salt_length, const uint8_t *salt)
{
	static const uint8_t first[4] = { 0, 0, 0, 1 };
	struct hmac_sha256_ctx mac = derivation->keyed;

	hmac_sha256_update(&mac, salt_length, salt);
	hmac_sha256_update(&mac, sizeof first, first);
	hmac_sha256_digest(&mac, PBKDF2_SHA256_LENGTH, derivation->block);
	for (size_t i = 0; i < WORDS; i++) {
		memcpy(&derivation->sum[i], derivation->block + 4 * i, sizeof derivation->sum[i]);
		derivation->sum[i] = be32toh(derivation->sum[i]);
	}
	derivation->block[PBKDF2_SHA256_LENGTH] = END;
	derivation->block[SHA256_BLOCK_SIZE - 2] = BITS >> 8;
	derivation->block[SHA256_BLOCK_SIZE - 1] = BITS & 0xff;
	memory_wipe(&mac, sizeof mac);
}

/* The digest in the block, hashed behind the key's block that has this state. */
static void
hash_behind(struct derivation *derivation, const struct sha256_ctx *keyed)
{
	memcpy(derivation->hash.state, keyed->state, sizeof derivation->hash.state);
	sha256_update(&derivation->hash, sizeof derivation->block, derivation->block);
	write_words(derivation->block, derivation->hash.state);
}

void
pbkdf2_sha256(size_t key_length, const uint8_t *key, unsigned iterations, size_t salt_length, const uint8_t *salt,
    size_t length, uint8_t *out)
{
	struct derivation derivation = { .block = { 0 } };

	assert(length == PBKDF2_SHA256_LENGTH);
	hmac_sha256_set_key(&derivation.keyed, key_length, key);
	sha256_init(&derivation.hash);
	begin(&derivation, salt_length, salt);
	for (unsigned i = 1; i < iterations; i++) {
		hash_behind(&derivation, &derivation.keyed.inner);
		hash_behind(&derivation, &derivation.keyed.outer);
		for (size_t word = 0; word < WORDS; word++)
			derivation.sum[word] ^= derivation.hash.state[word];
	}
	write_words(out, derivation.sum);
	memory_wipe(&derivation, sizeof derivation);
}
