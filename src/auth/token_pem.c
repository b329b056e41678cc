/*
 * Public keys in PEM (RFC 7468): SubjectPublicKeyInfo, which curves have in one form alone, RSA's, and those in
 * certificates.  Pure.
 */
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "token_keys.h"

#define DER_MAX 4096

/* What stands before the key itself, and how long that is: RFC 5480, RFC 8410.  Points are not compressed. */
static const struct {
	enum key_kind kind;
	struct span head;
	size_t length;	/* of each number */
} curves[] = {
	{ KEY_P256, { (const uint8_t *)"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
	    "\x03\x01\x07\x03\x42\x00\x04", 27 }, 32 },
	{ KEY_P384, { (const uint8_t *)"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
	    "\x03\x62\x00\x04", 24 }, 48 },
	{ KEY_P521, { (const uint8_t *)"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00"
	    "\x23\x03\x81\x86\x00\x04", 26 }, 66 },
	{ KEY_ED25519, { (const uint8_t *)"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12 }, 32 },
};

static bool
take_curve(struct span der, struct public_key *key)
{
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		struct span body = span_from(der, curves[i].head.length);
		bool is_edwards = curves[i].kind == KEY_ED25519;

		if (!span_starts_with(der, curves[i].head) || body.length != curves[i].length * (is_edwards ? 1 : 2))
			continue;
		key->kind = curves[i].kind;
		buffer_add_span(&key->first, span_slice(body, 0, curves[i].length));
		buffer_add_span(&key->second, span_from(body, curves[i].length));
		return true;
	}
	return false;
}

static bool
take_rsa(struct span der, struct public_key *key)
{
	mbedtls_pk_context pk;
	bool is_good;

	mbedtls_pk_init(&pk);
	is_good = mbedtls_pk_parse_public_key(&pk, der.at, der.length) == 0 &&
	    mbedtls_pk_get_type(&pk) == MBEDTLS_PK_RSA;
	if (is_good) {
		size_t length = mbedtls_pk_get_len(&pk);
		uint8_t *modulus = buffer_reserve(&key->first, length), *exponent = buffer_reserve(&key->second, length);

		key->kind = KEY_RSA;
		key->first.length = key->second.length = length;
		is_good = mbedtls_rsa_export_raw(mbedtls_pk_rsa(pk), modulus, length, NULL, 0, NULL, 0, NULL, 0,
		    exponent, length) == 0;
	}
	mbedtls_pk_free(&pk);
	return is_good;
}

static const char *
read_public_key(struct span der, struct public_key *key)
{
	if (!take_curve(der, key) && !take_rsa(der, key))
		return "the key is of no kind that is known";
	return public_key_objection(key);
}

static const char *
read_certificate(struct span der, struct public_key *key)
{
	uint8_t info[DER_MAX];
	mbedtls_x509_crt certificate;
	const char *reason = "the certificate cannot be read";
	int length = -1;

	mbedtls_x509_crt_init(&certificate);
	if (mbedtls_x509_crt_parse_der(&certificate, der.at, der.length) == 0)
		length = mbedtls_pk_write_pubkey_der(&certificate.pk, info, sizeof info);
	if (length > 0)		/* at the end of the room */
		reason = read_public_key(span_of(info + sizeof info - (size_t)length, (size_t)length), key);
	mbedtls_x509_crt_free(&certificate);
	return reason;
}

static const char *
read_block(struct span label, struct span der, struct public_key *key)
{
	if (span_equals(label, SPAN("PUBLIC KEY")) || span_equals(label, SPAN("RSA PUBLIC KEY")))
		return read_public_key(der, key);
	if (span_equals(label, SPAN("CERTIFICATE")))
		return read_certificate(der, key);
	return "imapd needs public keys alone";
}

/* The next line, without its end. */
static struct span
take_line(struct span *text, size_t *number)
{
	struct span line = span_slice(*text, 0, span_find(*text, '\n'));

	*text = span_from(*text, line.length + 1);
	++*number;
	return line.length > 0 && line.at[line.length - 1] == '\r' ? span_slice(line, 0, line.length - 1) : line;
}

/* "-----BEGIN CERTIFICATE-----": the word between. */
static bool
is_boundary(struct span line, struct span begin, struct span *label_out)
{
	static const struct span end = SPAN("-----");

	line = span_trim(line);
	if (!span_starts_with(line, begin) || line.length < begin.length + end.length ||
	    !span_equals(span_from(line, line.length - end.length), end))
		return false;
	*label_out = span_slice(line, begin.length, line.length - begin.length - end.length);
	return true;
}

static const char *
take_block(struct span *text, size_t *number, struct span label, struct public_key *key)
{
	struct buffer base64 = { 0 }, der = { 0 };
	const char *reason = "the end of the block is missing";
	struct span end;

	while (text->length > 0) {
		struct span line = take_line(text, number);

		if (!is_boundary(line, SPAN("-----END "), &end)) {
			buffer_add_span(&base64, span_trim(line));
			continue;
		}
		reason = !span_equals(end, label) || !base64_decode(buffer_span(&base64), &der) ?
		    "the block is damaged" : read_block(label, buffer_span(&der), key);
		break;
	}
	buffer_free(&base64);
	buffer_free(&der);
	return reason;
}

bool
token_keys_read_pem(struct token_keys *keys, struct span text, struct buffer *reason_out)
{
	size_t number = 0, before = keys->count;
	const char *reason = NULL;

	while (text.length > 0 && reason == NULL) {
		struct public_key key = { .id = NULL };
		struct span label;
		size_t begin = number + 1;

		if (!is_boundary(take_line(&text, &number), SPAN("-----BEGIN "), &label))
			continue;
		reason = keys->count == TOKEN_KEYS_MAX ? "there are too many keys" :
		    take_block(&text, &number, label, &key);
		if (reason != NULL) {
			buffer_printf(reason_out, "%zu:1: %s", begin, reason);
			public_key_fini(&key);
			return false;
		}
		keys->at = memory_resize(keys->at, keys->count + 1, sizeof *keys->at);
		keys->at[keys->count++] = key;
	}
	if (keys->count == before)
		buffer_add_string(reason_out, "there is no key");
	return keys->count > before;
}
