/*
 * TLS by mbedTLS 2.28 and 3, on buffers: the caller moves their octets.
 */
#include "connection_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "base/memory.h"
#include "base/random.h"

#ifndef MBEDTLS_PRIVATE		/* 2.28 has nothing private */
#define MBEDTLS_PRIVATE(member) member
#endif

#define RECORD_LENGTH 16384
#define TEXT_LENGTH   256
#define END_POINT_MAX 64

/* Tags of GeneralName: RFC 5280 section 4.2.1.6. */
#define DNS_NAME   (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)
#define IP_ADDRESS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7)

struct connection_tls {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt authorities;
	struct buffer *wire_in, *wire_out;	/* of the call under way */
	size_t wire_done;			/* octets at the front of wire_in that were read */
	const char *host;
	uint8_t address[16];
	size_t address_length;			/* 0: the host is a name */
	int error;				/* the last of mbedTLS */
	uint32_t flaws;				/* MBEDTLS_X509_BADCERT_* of the whole chain */
	struct buffer names;			/* what the certificate is for, as told */
	char issuer[TEXT_LENGTH];
	mbedtls_x509_time begins, ends;		/* of the certificate that is not valid now, or of the server's */
	uint8_t end_point[END_POINT_MAX];
	size_t end_point_length;
};

static int
fill_random(void *context, unsigned char *octets, size_t length)
{
	(void)context;
	random_fill(octets, length);
	return 0;
}

static int
on_send(void *context, const unsigned char *octets, size_t length)
{
	struct connection_tls *tls = context;

	buffer_add(tls->wire_out, octets, length);
	return (int)length;
}

static int
on_receive(void *context, unsigned char *octets, size_t length)
{
	struct connection_tls *tls = context;
	struct span got = { NULL, 0 };

	if (tls->wire_in != NULL)
		got = span_slice(buffer_span(tls->wire_in), tls->wire_done, length);
	if (got.length == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(octets, got.at, got.length);
	tls->wire_done += got.length;
	return (int)got.length;
}

/* The call is over: what it has read goes. */
static void
drop_read(struct connection_tls *tls)
{
	buffer_consume(tls->wire_in, tls->wire_done);
	tls->wire_done = 0;
	tls->wire_in = NULL;
}

/* Note a name of the certificate for the words about it; whether it is the address that we have come to. */
static bool
note_name(struct connection_tls *tls, const mbedtls_x509_buf *name)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (name->tag == DNS_NAME && tls->names.length < TEXT_LENGTH)
		buffer_printf(&tls->names, "%s%.*s", tls->names.length > 0 ? ", " : "", (int)name->len, (const char *)name->p);
	if (name->tag != IP_ADDRESS || (name->len != 4 && name->len != 16))
		return false;
	inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->p, text, sizeof text);
	if (tls->names.length < TEXT_LENGTH)
		buffer_printf(&tls->names, "%s%s", tls->names.length > 0 ? ", " : "", text);
	return name->len == tls->address_length && memcmp(name->p, tls->address, name->len) == 0;
}

/* The server's own certificate.  mbedTLS looks for names in it, but 2.28 not for addresses (RFC 9110 section 4.3.5). */
static void
look_at_certificate(struct connection_tls *tls, const mbedtls_x509_crt *certificate, uint32_t *flags)
{
	bool has_address = false;

	buffer_clear(&tls->names);
	for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name != NULL; name = name->next)
		has_address |= note_name(tls, &name->buf);
	if (tls->names.length == 0) {
		char text[TEXT_LENGTH] = "";

		mbedtls_x509_dn_gets(text, sizeof text, &certificate->subject);
		buffer_add_string(&tls->names, text);
	}
	if (tls->address_length > 0 && !has_address)
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	mbedtls_x509_dn_gets(tls->issuer, sizeof tls->issuer, &certificate->issuer);
}

/* Called for each certificate of the chain, from the authority down to the server's. */
static int
on_certificate(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	struct connection_tls *tls = context;

	if (depth == 0)
		look_at_certificate(tls, certificate, flags);
	if ((*flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) {
		tls->begins = certificate->valid_from;
		tls->ends = certificate->valid_to;
	}
	tls->flaws |= *flags;
	return 0;
}

static bool
load_authorities(struct connection_tls *tls, const char *ca_file, struct buffer *trouble_out)
{
	static const char *const places[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/cert.pem", "/usr/local/share/certs/ca-root-nss.crt" };
	const char *file = ca_file != NULL ? ca_file : getenv("SSL_CERT_FILE");
	int error;

	for (size_t i = 0; file == NULL && i < COUNT_OF(places); i++)
		if (access(places[i], R_OK) == 0)
			file = places[i];
	if (file == NULL) {
		buffer_add_string(trouble_out, "this system has no list of authorities that certificates are checked against "
		    "(package ca-certificates); --tls-ca=FILE names one");
		return false;
	}
	/* Above zero: so many of a long list are of kinds that mbedTLS does not know. */
	error = mbedtls_x509_crt_parse_file(&tls->authorities, file);
	if (error == 0 || (error > 0 && tls->authorities.raw.len > 0))
		return true;
	buffer_printf(trouble_out, "%s: %s", file, access(file, R_OK) != 0 ? strerror(errno) :
	    "there is no certificate in it, in PEM or DER");
	return false;
}

static void
configure(struct connection_tls *tls, bool is_insecure)
{
	mbedtls_ssl_config *config = &tls->config;

	if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		abort();
	mbedtls_ssl_conf_rng(config, fill_random, NULL);
	mbedtls_ssl_conf_authmode(config, is_insecure ? MBEDTLS_SSL_VERIFY_NONE : MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(config, &tls->authorities, NULL);
	mbedtls_ssl_conf_verify(config, on_certificate, tls);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
}

/* An address is no server name: RFC 6066 section 3. */
static void
name_host(struct connection_tls *tls)
{
	if (inet_pton(AF_INET, tls->host, tls->address) == 1)
		tls->address_length = 4;
	else if (inet_pton(AF_INET6, tls->host, tls->address) == 1)
		tls->address_length = 16;
	if (mbedtls_ssl_setup(&tls->ssl, &tls->config) != 0 ||
	    mbedtls_ssl_set_hostname(&tls->ssl, tls->address_length > 0 ? NULL : tls->host) != 0)
		abort();
	mbedtls_ssl_set_bio(&tls->ssl, tls, on_send, on_receive, NULL);
}

struct connection_tls *
connection_tls_new(const char *host, const char *ca_file, bool is_insecure, struct buffer *trouble_out)
{
	struct connection_tls *tls = NEW(struct connection_tls);

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS)
		abort();
#endif
	tls->host = host;
	mbedtls_ssl_config_init(&tls->config);
	mbedtls_ssl_init(&tls->ssl);
	mbedtls_x509_crt_init(&tls->authorities);
	if (!is_insecure && !load_authorities(tls, ca_file, trouble_out)) {
		connection_tls_free(&tls);
		return NULL;
	}
	configure(tls, is_insecure);
	name_host(tls);
	return tls;
}

void
connection_tls_free(struct connection_tls **tls)
{
	if (*tls == NULL)
		return;
	mbedtls_ssl_free(&(*tls)->ssl);
	mbedtls_ssl_config_free(&(*tls)->config);
	mbedtls_x509_crt_free(&(*tls)->authorities);
	buffer_free(&(*tls)->names);
	free(*tls);
	*tls = NULL;
}

static enum connection_tls_result
result_of(struct connection_tls *tls, int code)
{
	if (code >= 0)
		return CONNECTION_TLS_GOOD;
	if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
		return CONNECTION_TLS_WAITS;
	if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return CONNECTION_TLS_ENDED;
	tls->error = code;
	return CONNECTION_TLS_BROKEN;
}

/* The certificate by the hash function it is signed with, and SHA-256 where that is MD5 or SHA-1. */
static void
bind_certificate(struct connection_tls *tls)
{
	const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(&tls->ssl);
	const mbedtls_md_info_t *hash;
	mbedtls_md_type_t type;

	if (certificate == NULL)
		return;
	type = certificate->MBEDTLS_PRIVATE(sig_md);
	if (type == MBEDTLS_MD_MD5 || type == MBEDTLS_MD_SHA1)
		type = MBEDTLS_MD_SHA256;
	hash = mbedtls_md_info_from_type(type);
	if (hash == NULL || mbedtls_md_get_size(hash) > END_POINT_MAX)
		return;
	if (mbedtls_md(hash, certificate->raw.p, certificate->raw.len, tls->end_point) == 0)
		tls->end_point_length = mbedtls_md_get_size(hash);
}

enum connection_tls_result
connection_tls_shake(struct connection_tls *tls, struct buffer *wire_in, struct buffer *wire_out)
{
	enum connection_tls_result result;

	tls->wire_in = wire_in;
	tls->wire_out = wire_out;
	result = result_of(tls, mbedtls_ssl_handshake(&tls->ssl));
	drop_read(tls);
	if (result == CONNECTION_TLS_GOOD)
		bind_certificate(tls);
	return result;
}

static void
explain_time(const struct connection_tls *tls, struct buffer *out)
{
	bool is_over = (tls->flaws & MBEDTLS_X509_BADCERT_EXPIRED) != 0;
	const mbedtls_x509_time *when = is_over ? &tls->ends : &tls->begins;

	buffer_printf(out, "%s on %04d-%02d-%02d", is_over ? "its certificate has expired" :
	    "its certificate becomes valid only", when->year, when->mon, when->day);
}

/* The one flaw that is to be mended first. */
static void
explain_certificate(struct connection_tls *tls, struct buffer *out)
{
	const char *how = "; --insecure does not look at it";

	if ((tls->flaws & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) {
		explain_time(tls, out);
	} else if ((tls->flaws & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
		buffer_printf(out, "its certificate comes from an authority that is not known here (%s)", tls->issuer);
		how = "; --tls-ca=FILE names the authority's certificate, or the server's own, --insecure does not look at it";
	} else if ((tls->flaws & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
		buffer_printf(out, "its certificate is not for %s, but for %s", tls->host, buffer_string(&tls->names));
		how = "; come to it by a name of the certificate, or --insecure does not look at it";
	} else if ((tls->flaws & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_PK)) != 0) {
		buffer_add_string(out, "its certificate is signed in a way that is too weak to be believed");
	} else {
		char text[TEXT_LENGTH] = "";

		mbedtls_x509_crt_verify_info(text, sizeof text, "", tls->flaws);
		buffer_printf(out, "its certificate cannot be used: %.*s", (int)strcspn(text, "\n"), text);
	}
	buffer_add_string(out, how);
}

void
connection_tls_explain(struct connection_tls *tls, struct buffer *trouble_out)
{
	char text[TEXT_LENGTH] = "";

	if (tls->error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && tls->flaws != 0) {
		explain_certificate(tls, trouble_out);
		return;
	}
	if (tls->error == MBEDTLS_ERR_SSL_INVALID_RECORD && tls->names.length == 0) {
		buffer_add_string(trouble_out, "what it sends is no TLS; imap:// begins without it, and then asks for it");
		return;
	}
	mbedtls_strerror(tls->error, text, sizeof text);
	buffer_printf(trouble_out, "TLS fails: %s", text);
}

enum connection_tls_result
connection_tls_encrypt(struct connection_tls *tls, struct span plain, struct buffer *wire_out)
{
	tls->wire_in = NULL;
	tls->wire_out = wire_out;
	while (plain.length > 0) {
		int sent = mbedtls_ssl_write(&tls->ssl, plain.at, plain.length < RECORD_LENGTH ? plain.length : RECORD_LENGTH);

		if (sent < 0)
			return result_of(tls, sent);
		plain = span_from(plain, (size_t)sent);
	}
	return CONNECTION_TLS_GOOD;
}

/* In TLS 1.3 tickets come after the handshake (RFC 8446 section 4.6.1); they are not used here. */
static bool
is_ticket(int code)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)code;
	return false;
#endif
}

static enum connection_tls_result
read_all(struct connection_tls *tls, struct buffer *plain_out)
{
	for (;;) {
		size_t before = tls->wire_done;
		int got = mbedtls_ssl_read(&tls->ssl, buffer_reserve(plain_out, RECORD_LENGTH), RECORD_LENGTH);
		bool has_more = tls->wire_done > before && tls->wire_done < tls->wire_in->length;

		/* mbedTLS 3.6 wants to be asked again behind a ticket, although there is more. */
		if (is_ticket(got) || (got == MBEDTLS_ERR_SSL_WANT_READ && has_more))
			continue;
		if (got == 0)
			return CONNECTION_TLS_ENDED;
		if (got < 0)
			return result_of(tls, got);
		plain_out->length += (size_t)got;
	}
}

enum connection_tls_result
connection_tls_decrypt(struct connection_tls *tls, struct buffer *wire_in, struct buffer *plain_out)
{
	enum connection_tls_result result;

	tls->wire_in = wire_in;
	result = read_all(tls, plain_out);
	drop_read(tls);
	return result;
}

void
connection_tls_end(struct connection_tls *tls, struct buffer *wire_out)
{
	tls->wire_in = NULL;
	tls->wire_out = wire_out;
	mbedtls_ssl_close_notify(&tls->ssl);
}

struct span
connection_tls_end_point(const struct connection_tls *tls)
{
	return span_of(tls->end_point, tls->end_point_length);
}
