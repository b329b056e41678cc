/*
 * Certificates and keys as an operator meets them: what a file holds in the place of what it should hold, when a
 * chain is valid, and for which name.  Reads files: a worker, or before the loop runs.
 */
#include "tls_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mbedtls/oid.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/thread.h"

#define FILE_MAX ((size_t)1 << 20)

/* Read a file whole.  False: *error_out says why. */
static bool
read_file(const char *path, struct buffer *text_out, char **error_out)
{
	FILE *file = fopen(path, "re");
	struct buffer reason = { 0 };
	size_t got = 1;

	while (file != NULL && got > 0 && text_out->length <= FILE_MAX) {
		got = fread(buffer_reserve(text_out, 4096), 1, 4096, file);
		text_out->length += got;
	}
	if (file == NULL || ferror(file))
		buffer_printf(&reason, "%s: %s", path, strerror(errno));
	else if (text_out->length > FILE_MAX)
		buffer_printf(&reason, "%s is longer than 1 MiB", path);
	else if (text_out->length == 0)
		buffer_printf(&reason, "%s is empty", path);
	if (file != NULL)
		fclose(file);
	if (reason.length > 0)
		*error_out = memory_copy_string(buffer_string(&reason));
	buffer_free(&reason);
	return *error_out == NULL;
}

static bool
has(struct buffer *text, const char *words)
{
	return memmem(text->at, text->length, words, strlen(words)) != NULL;
}

static char *
tell(const char *format, const char *path)
{
	struct buffer text = { 0 };
	char *told;

	for (const char *at = format; *at != '\0'; at++) {
		if (*at == '@')
			buffer_add_string(&text, path);
		else
			buffer_add_octet(&text, (uint8_t)*at);
	}
	told = memory_copy_string(buffer_string(&text));
	buffer_free(&text);
	return told;
}

/* What is in a file by the labels of its PEM (RFC 7468), the first that is found; "@" is the file. */
struct sign {
	const char *words, *meaning;
};

static const struct sign no_certificate[] = {
	{ "-----BEGIN CERTIFICATE REQUEST-----", "@ holds a request for a certificate, and no certificate" },
	{ "-----BEGIN NEW CERTIFICATE REQUEST-----", "@ holds a request for a certificate, and no certificate" },
	{ "PRIVATE KEY-----", "@ holds a private key, and no certificate; are the two files exchanged?" },
	{ "-----BEGIN TRUSTED CERTIFICATE-----", "@ is in a form of OpenSSL's own; openssl x509 -in @ writes it as "
	    "CERTIFICATE" },
	{ "-----BEGIN PKCS7-----", "@ holds PKCS#7; openssl pkcs7 -print_certs -in @ takes the certificates out" },
	{ "-----BEGIN ", "@ holds no certificate" },
	{ "\x30\x82", "@ is no PEM, which begins with -----BEGIN CERTIFICATE-----; openssl x509 -inform DER -in @ makes "
	    "it" },
	{ "", "@ is no PEM, which begins with -----BEGIN CERTIFICATE-----" },
};

static const struct sign no_key[] = {
	{ "-----BEGIN OPENSSH PRIVATE KEY-----", "@ holds a key of OpenSSH's own form; ssh-keygen -p -m PEM -f @ "
	    "changes it" },
	{ "-----BEGIN CERTIFICATE-----", "@ holds a certificate, and no private key" },
	{ "-----BEGIN CERTIFICATE REQUEST-----", "@ holds a request for a certificate, and no private key" },
	{ "PUBLIC KEY-----", "@ holds a public key, and no private one" },
	{ "-----BEGIN ", "@ holds no private key" },
	{ "\x30\x82", "@ is no PEM, which begins with -----BEGIN; openssl pkey -inform DER -in @ makes it" },
	{ "", "@ is no PEM, which begins with -----BEGIN PRIVATE KEY-----" },
};

static char *
tell_sign(const struct sign *sign, struct buffer *text, const char *path)
{
	while (!has(text, sign->words))
		sign++;
	return tell(sign->meaning, path);
}

/* Read a chain.  False: *error_out, given. */
static bool
read_chain(mbedtls_x509_crt *chain, const char *path, char **error_out)
{
	struct buffer text = { 0 };
	int error = 0;

	if (read_file(path, &text, error_out)) {
		buffer_add_octet(&text, '\0');	/* mbedTLS counts it */
		error = mbedtls_x509_crt_parse(chain, text.at, text.length);
		if (!has(&text, "-----BEGIN CERTIFICATE-----"))
			*error_out = tell_sign(no_certificate, &text, path);
		else if (error > 0)
			*error_out = tell("some of the certificates in @ are damaged", path);
		else if (error < 0)
			*error_out = tell("the certificate in @ is damaged", path);
	}
	buffer_free(&text);
	return *error_out == NULL;
}

static bool
is_unknown_kind(int error)
{
	return error == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || error == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE ||
	    error == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
}

static bool
has_passphrase(struct buffer *text)
{
	return has(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(text, "Proc-Type: 4,ENCRYPTED");
}

static int
parse_key(mbedtls_pk_context *key, const struct buffer *text)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_key(key, text->at, text->length, NULL, 0, tls_random, NULL);
#else
	return mbedtls_pk_parse_key(key, text->at, text->length, NULL, 0);
#endif
}

/* The words for a key that cannot be parsed; NULL: it can. */
static char *
key_error(mbedtls_pk_context *key, struct buffer *text, const char *path)
{
	int error = parse_key(key, text);

	if (has_passphrase(text))
		return tell("the key in @ has a passphrase, which nobody is there to type; openssl pkey -in @ writes it "
		    "without one", path);
	if (!has(text, "PRIVATE KEY-----") || has(text, "-----BEGIN OPENSSH PRIVATE KEY-----"))
		return tell_sign(no_key, text, path);
	if (is_unknown_kind(error))
		return tell("the key in @ is of a kind that is not known here; RSA and ECDSA are", path);
	return error == 0 ? NULL : tell("the key in @ is damaged", path);
}

static bool
is_pair(const mbedtls_x509_crt *certificate, const mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_check_pair(&certificate->pk, key, tls_random, NULL) == 0;
#else
	return mbedtls_pk_check_pair(&certificate->pk, key) == 0;
#endif
}

/* The words for a key that is not the one of the first certificate; NULL: it is. */
static char *
pair_error(const mbedtls_x509_crt *chain, const mbedtls_pk_context *key, const char *certificate_file,
    const char *key_file)
{
	struct buffer text = { 0 };
	bool is_later = false;
	char *told;

	if (is_pair(chain, key))
		return NULL;
	for (const mbedtls_x509_crt *next = chain->next; next != NULL && !is_later; next = next->next)
		is_later = is_pair(next, key);
	buffer_printf(&text, "the key in %s does not belong to the %scertificate in %s%s", key_file,
	    is_later ? "first " : "", certificate_file,
	    is_later ? ", but to a later one: the server's own has to come first" : "");
	told = memory_copy_string(buffer_string(&text));
	buffer_free(&text);
	return told;
}

/* chain NULL: it could not be read. */
static char *
inspect_key(const mbedtls_x509_crt *chain, const char *certificate_file, const char *key_file)
{
	struct buffer text = { 0 };
	mbedtls_pk_context key;
	char *error = NULL;

	mbedtls_pk_init(&key);
	if (read_file(key_file, &text, &error)) {
		buffer_add_octet(&text, '\0');
		error = key_error(&key, &text, key_file);
		if (error == NULL && chain != NULL)
			error = pair_error(chain, &key, certificate_file, key_file);
		memory_wipe(text.at, text.capacity);
	}
	buffer_free(&text);
	mbedtls_pk_free(&key);
	return error;
}

static struct span
span_of_asn1(const mbedtls_asn1_buf *octets)
{
	return span_of(octets->p, octets->len);
}

/* A star stands for one whole label, in the name that is asked for, too (RFC 6125 section 6.4.3). */
static bool
covers(struct span presented, struct span asked)
{
	if (span_starts_with(presented, SPAN("*.")) && !span_starts_with(asked, SPAN("*."))) {
		presented = span_from(presented, 1);
		asked = span_from(asked, span_find(asked, '.'));
	}
	return span_equals_nocase(presented, asked);
}

#define DNS_NAME (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)	/* RFC 5280 section 4.2.1.6 */

/* Whether a certificate is for a name: one of its alternative names, or else its common one (RFC 6125 section 6.4). */
static bool
is_for(const mbedtls_x509_crt *certificate, struct span name)
{
	bool has_alternatives = false;

	for (const mbedtls_x509_sequence *one = &certificate->subject_alt_names; one != NULL; one = one->next) {
		if (one->buf.tag != DNS_NAME)
			continue;
		has_alternatives = true;
		if (covers(span_of_asn1(&one->buf), name))
			return true;
	}
	for (const mbedtls_x509_name *one = &certificate->subject; one != NULL && !has_alternatives; one = one->next)
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &one->oid) == 0 && covers(span_of_asn1(&one->val), name))
			return true;
	return false;
}

static int64_t
seconds_of(const mbedtls_x509_time *time)
{
	struct tm parts = { .tm_year = time->year - 1900, .tm_mon = time->mon - 1, .tm_mday = time->day,
		.tm_hour = time->hour, .tm_min = time->min, .tm_sec = time->sec };

	return (int64_t)timegm(&parts);
}

void
tls_chain_validity(const mbedtls_x509_crt *chain, const char *name, struct tls_validity *validity_out)
{
	*validity_out = (struct tls_validity){ INT64_MIN, INT64_MAX, 
		name == NULL || is_for(chain, span_from_string(name)) };
	for (; chain != NULL; chain = chain->next) {
		int64_t begins_s = seconds_of(&chain->valid_from), ends_s = seconds_of(&chain->valid_to);

		if (begins_s > validity_out->begins_s)
			validity_out->begins_s = begins_s;
		if (ends_s < validity_out->ends_s)
			validity_out->ends_s = ends_s;
	}
}

bool
tls_inspect(const char *certificate_file, const char *key_file, const char *name,
    struct tls_validity *validity_out, char **certificate_error_out, char **key_error_out)
{
	mbedtls_x509_crt chain;
	bool is_good;

	assert_off_loop();
	*certificate_error_out = *key_error_out = NULL;
	mbedtls_x509_crt_init(&chain);
	is_good = certificate_file != NULL && read_chain(&chain, certificate_file, certificate_error_out);
	if (is_good)
		tls_chain_validity(&chain, name, validity_out);
	if (key_file != NULL)
		*key_error_out = inspect_key(is_good ? &chain : NULL, certificate_file, key_file);
	mbedtls_x509_crt_free(&chain);
	return is_good;
}

bool
tls_is_signed_by(const char *certificate_file, const char *ca_file)
{
	mbedtls_x509_crt chain, authorities;
	char *error = NULL;
	uint32_t flags = 0;

	assert_off_loop();
	mbedtls_x509_crt_init(&chain);
	mbedtls_x509_crt_init(&authorities);
	if (read_chain(&chain, certificate_file, &error) && read_chain(&authorities, ca_file, &error))
		mbedtls_x509_crt_verify(&chain, &authorities, NULL, NULL, &flags, NULL, NULL);
	mbedtls_x509_crt_free(&chain);
	mbedtls_x509_crt_free(&authorities);
	free(error);
	return (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
}
