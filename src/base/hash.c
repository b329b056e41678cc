/*
 * SipHash-2-4.
 */
#include "base/hash.h"

#include "base/random.h"

void
hash_secret_init(struct hash_secret *secret)
{
	random_fill(secret->words, sizeof secret->words);
}

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

uint64_t
hash_octets(const struct hash_secret *secret, struct span key)
{
	uint64_t v[4] = { secret->words[0] ^ 0x736f6d6570736575, secret->words[1] ^ 0x646f72616e646f6d,
		secret->words[0] ^ 0x6c7967656e657261, secret->words[1] ^ 0x7465646279746573 };
	uint64_t word = 0;
	size_t i;

	for (i = 0; i + 8 <= key.length; i += 8) {
		memcpy(&word, key.at + i, 8);
		v[3] ^= word, sip_round(v), sip_round(v), v[0] ^= word;
	}
	word = (uint64_t)key.length << 56;
	for (size_t shift = 0; i < key.length; i++, shift += 8)
		word |= (uint64_t)key.at[i] << shift;
	v[3] ^= word, sip_round(v), sip_round(v), v[0] ^= word;
	v[2] ^= 0xff;
	for (int round = 0; round < 4; round++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
