/*
 * A certificate that nobody else has signed, to begin with: ECDSA on P-256, for one name, for a year or so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "../host/certificate.h"
#include "base/memory.h"
#include "base/random.h"
#include "step.h"

#define DAY_S	 86400
#define DAYS	 397		/* longer ones are refused by Apple's and other clients */
#define SOON_DAYS 30
#define PEM_MAX	 8192
#define NAME_MAX_OCTETS 255
#define SERIAL_LENGTH 16

static int
draw(void *context, unsigned char *octets, size_t length)
{
	(void)context;
	random_fill(octets, length);
	return 0;
}

static bool
make_key(mbedtls_pk_context *key)
{
	return mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
	    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), draw, NULL) == 0;
}

static bool
read_key(mbedtls_pk_context *key, struct buffer *text)
{
	buffer_string(text);	/* mbedTLS counts the NUL */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_key(key, text->at, text->length + 1, NULL, 0, draw, NULL) == 0;
#else
	return mbedtls_pk_parse_key(key, text->at, text->length + 1, NULL, 0) == 0;
#endif
}

static bool
write_key(mbedtls_pk_context *key, struct buffer *out)
{
	char pem[PEM_MAX];
	bool is_good = mbedtls_pk_write_key_pem(key, (unsigned char *)pem, sizeof pem) == 0;

	if (is_good) {
		buffer_reserve(out, PEM_MAX);	/* once, so that no copy stays behind */
		buffer_add_string(out, pem);
	}
	memory_wipe(pem, sizeof pem);
	return is_good;
}

/* The extension with the name: RFC 5280 section 4.2.1.6, a SEQUENCE with one dNSName. */
static bool
set_names(mbedtls_x509write_cert *certificate, const char *name)
{
	unsigned char text[NAME_MAX_OCTETS + 16], *at = text + sizeof text;
	size_t length = strlen(name);
	int inner;

	if (length > NAME_MAX_OCTETS)
		return false;
	inner = mbedtls_asn1_write_raw_buffer(&at, text, (const unsigned char *)name, length);
	inner += mbedtls_asn1_write_len(&at, text, length);
	inner += mbedtls_asn1_write_tag(&at, text, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2);
	length = (size_t)inner;
	inner += mbedtls_asn1_write_len(&at, text, length);
	inner += mbedtls_asn1_write_tag(&at, text, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
	return mbedtls_x509write_crt_set_extension(certificate, MBEDTLS_OID_SUBJECT_ALT_NAME,
	    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, at, (size_t)inner) == 0;
}

static bool
set_serial(mbedtls_x509write_cert *certificate)
{
	unsigned char octets[SERIAL_LENGTH];
	bool is_good;

	random_fill(octets, sizeof octets);
	octets[0] = (octets[0] & 0x7f) | 1;	/* positive, and of full length: RFC 5280 section 4.1.2.2 */
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
	is_good = mbedtls_x509write_crt_set_serial_raw(certificate, octets, sizeof octets) == 0;
#else
	mbedtls_mpi serial;

	mbedtls_mpi_init(&serial);
	is_good = mbedtls_mpi_read_binary(&serial, octets, sizeof octets) == 0 &&
	    mbedtls_x509write_crt_set_serial(certificate, &serial) == 0;
	mbedtls_mpi_free(&serial);
#endif
	return is_good;
}

/* From yesterday on: a client's clock may be behind. */
static bool
set_validity(mbedtls_x509write_cert *certificate)
{
	time_t begins = time(NULL) - DAY_S, ends = begins + (time_t)DAYS * DAY_S;
	char from[16], to[16];
	struct tm parts;

	strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&begins, &parts));
	strftime(to, sizeof to, "%Y%m%d%H%M%S", gmtime_r(&ends, &parts));
	return mbedtls_x509write_crt_set_validity(certificate, from, to) == 0;
}

/* The subject's common name is short, and need not be the whole name: the extension has it. */
static bool
set_subject(mbedtls_x509write_cert *certificate, const char *name)
{
	char subject[80];

	snprintf(subject, sizeof subject, "CN=%.64s", name);
	return mbedtls_x509write_crt_set_subject_name(certificate, subject) == 0 &&
	    mbedtls_x509write_crt_set_issuer_name(certificate, subject) == 0;
}

/* No authority: Firefox and Thunderbird refuse one that is a server's, too. */
static bool
write_certificate(mbedtls_pk_context *key, const char *name, struct buffer *out)
{
	mbedtls_x509write_cert certificate;
	char pem[PEM_MAX];
	bool is_good;

	mbedtls_x509write_crt_init(&certificate);
	mbedtls_x509write_crt_set_version(&certificate, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&certificate, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&certificate, key);
	mbedtls_x509write_crt_set_issuer_key(&certificate, key);
	is_good = set_subject(&certificate, name) && set_serial(&certificate) && set_validity(&certificate) &&
	    mbedtls_x509write_crt_set_basic_constraints(&certificate, 0, -1) == 0 && set_names(&certificate, name) &&
	    mbedtls_x509write_crt_pem(&certificate, (unsigned char *)pem, sizeof pem, draw, NULL) == 0;
	if (is_good)
		buffer_add_string(out, pem);
	mbedtls_x509write_crt_free(&certificate);
	return is_good;
}

bool
self_signed_make(const char *name, struct buffer *key, struct buffer *certificate_out)
{
	mbedtls_pk_context made;
	bool is_good;

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS)
		abort();
#endif
	mbedtls_pk_init(&made);
	is_good = key->length > 0 ? read_key(&made, key) : make_key(&made) && write_key(&made, key);
	is_good = is_good && write_certificate(&made, name, certificate_out);
	mbedtls_pk_free(&made);
	return is_good;
}

bool
self_signed_is_stale(struct buffer *text, const char *name)
{
	struct certificate_look look;

	return certificate_look(text, &look) && look.is_self_signed &&
	    (!certificate_names(text, name) || look.ends_s < (int64_t)time(NULL) + SOON_DAYS * DAY_S);
}
