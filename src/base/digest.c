/*
 * SHA-256 by nettle, which uses the processor's instructions for it where there are any.
 */
#include "base/digest.h"

#include <nettle/sha2.h>
#include <stdlib.h>

#include "base/memory.h"

struct digest {
	struct sha256_ctx sha256;
};

void
digest_sha256(struct span octets, uint8_t digest_out[DIGEST_LENGTH])
{
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	if (octets.length > 0)
		sha256_update(&sha256, octets.length, octets.at);
	sha256_digest(&sha256, DIGEST_LENGTH, digest_out);
}

struct digest *
digest_new(void)
{
	struct digest *digest = NEW(struct digest);

	sha256_init(&digest->sha256);
	return digest;
}

void
digest_add(struct digest *digest, struct span octets)
{
	if (octets.length > 0)
		sha256_update(&digest->sha256, octets.length, octets.at);
}

void
digest_finish(struct digest **digest, uint8_t digest_out[DIGEST_LENGTH])
{
	sha256_digest(&(*digest)->sha256, DIGEST_LENGTH, digest_out);
	free(*digest);
	*digest = NULL;
}
