/*
 * SHA-256 through mbedTLS' md layer, which is the same in 2.28 and 3.6.
 */
#include "base/digest.h"

#include <mbedtls/md.h>
#include <stdlib.h>

#include "base/memory.h"

struct digest {
	mbedtls_md_context_t md;
};

void
digest_sha256(struct span octets, uint8_t digest_out[DIGEST_LENGTH])
{
	static const uint8_t nothing;
	const uint8_t *at = octets.at == NULL ? &nothing : octets.at;

	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), at, octets.length, digest_out) != 0)
		abort();
}

struct digest *
digest_new(void)
{
	struct digest *digest = NEW(struct digest);

	mbedtls_md_init(&digest->md);
	if (mbedtls_md_setup(&digest->md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0) != 0 ||
	    mbedtls_md_starts(&digest->md) != 0)
		abort();
	return digest;
}

void
digest_add(struct digest *digest, struct span octets)
{
	if (octets.length > 0 && mbedtls_md_update(&digest->md, octets.at, octets.length) != 0)
		abort();
}

void
digest_finish(struct digest **digest, uint8_t digest_out[DIGEST_LENGTH])
{
	if (mbedtls_md_finish(&(*digest)->md, digest_out) != 0)
		abort();
	mbedtls_md_free(&(*digest)->md);
	free(*digest);
	*digest = NULL;
}
