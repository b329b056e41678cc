/*
 * UMAC-64 by nettle, with key and nonce of the test vectors in the appendix of RFC 4418.
 */
#include "base/checksum.h"

#include <nettle/umac.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

struct checksum {
	struct umac64_ctx umac;
};

/* What is made of the key, once. */
static struct {
	pthread_once_t once;
	struct checksum begun;
} shared = { .once = PTHREAD_ONCE_INIT };

static void
make_shared(void)
{
	umac64_set_key(&shared.begun.umac, (const uint8_t *)"abcdefghijklmnop");
	umac64_set_nonce(&shared.begun.umac, 8, (const uint8_t *)"bcdefghi");
}

static uint64_t
read_sum(struct checksum *checksum)
{
	uint8_t octets[UMAC64_DIGEST_SIZE];
	uint64_t sum = 0;

	umac64_digest(&checksum->umac, sizeof octets, octets);
	for (size_t i = 0; i < sizeof octets; i++)
		sum = sum << 8 | octets[i];
	return sum;
}

struct checksum *
checksum_new(void)
{
	struct checksum *checksum = NEW(struct checksum);

	pthread_once(&shared.once, make_shared);
	*checksum = shared.begun;
	return checksum;
}

void
checksum_add(struct checksum *checksum, struct span octets)
{
	if (octets.length > 0)
		umac64_update(&checksum->umac, octets.length, octets.at);
}

uint64_t
checksum_finish(struct checksum **checksum)
{
	uint64_t sum = read_sum(*checksum);

	free(*checksum);
	*checksum = NULL;
	return sum;
}

uint64_t
checksum_of(struct span octets)
{
	struct checksum checksum;

	pthread_once(&shared.once, make_shared);
	checksum = shared.begun;
	checksum_add(&checksum, octets);
	return read_sum(&checksum);
}
