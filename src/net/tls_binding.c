/*
 * What an application binds to a TLS channel (RFC 5056), computed once, when the handshake is over: tls-exporter
 * (RFC 9266) and tls-server-end-point (RFC 5929 section 4).  Never tls-unique, which TLS 1.3 does not have and
 * a resumption can forge (RFC 7627).  Worker thread.
 */
#include "tls_internal.h"

#include <mbedtls/md.h>

static mbedtls_md_type_t
signature_hash(const mbedtls_x509_crt *certificate)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return certificate->MBEDTLS_PRIVATE(sig_md);
#else
	return certificate->sig_md;
#endif
}

/* The certificate by the hash function it is signed with, and SHA-256 where that is MD5 or SHA-1. */
static void
bind_certificate(struct tls *tls)
{
	const mbedtls_x509_crt *certificate = tls->shown != NULL ? tls->shown : &tls->context->chain;
	mbedtls_md_type_t type = signature_hash(certificate);
	const mbedtls_md_info_t *hash;

	if (type == MBEDTLS_MD_MD5 || type == MBEDTLS_MD_SHA1)
		type = MBEDTLS_MD_SHA256;
	hash = mbedtls_md_info_from_type(type);
	if (!tls->context->has_chain || hash == NULL || mbedtls_md_get_size(hash) > sizeof tls->end_point)
		return;
	if (mbedtls_md(hash, certificate->raw.p, certificate->raw.len, tls->end_point) == 0)
		tls->end_point_length = mbedtls_md_get_size(hash);
}

/*
 * RFC 9266 section 2: the label alone, without a context.  In TLS 1.2 it would take the extended master secret,
 * and mbedTLS does not say whether that was agreed on; so it is for TLS 1.3.
 */
static void
bind_exporter(struct tls *tls)
{
#if defined(MBEDTLS_SSL_KEYING_MATERIAL_EXPORT)
	static const char label[] = "EXPORTER-Channel-Binding";

	if (mbedtls_ssl_get_version_number(tls->ssl) != MBEDTLS_SSL_VERSION_TLS1_3)
		return;
	tls->has_exporter = mbedtls_ssl_export_keying_material(tls->ssl, tls->exporter, sizeof tls->exporter, label,
	    sizeof label - 1, NULL, 0, 0) == 0;
#else
	(void)tls;
#endif
}

void
tls_bind(struct tls *tls)
{
	if (!tls->context->is_server)
		return;
	bind_certificate(tls);
	bind_exporter(tls);
}

void
stream_tls_bindings(const struct stream *stream, struct tls_bindings *bindings_out)
{
	const struct tls *tls = stream->tls;

	*bindings_out = (struct tls_bindings){ .exporter = { NULL, 0 } };
	if (tls == NULL || tls->state != TLS_OPEN)
		return;
	if (tls->has_exporter)
		bindings_out->exporter = span_of(tls->exporter, sizeof tls->exporter);
	bindings_out->end_point = span_of(tls->end_point, tls->end_point_length);
}
