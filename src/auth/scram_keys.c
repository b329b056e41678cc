/*
 * The keys of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677) and their text form (RFC 5803):
 * SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY.
 */
#include "scram_keys.h"

#include <mbedtls/md.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/thread.h"

static void
must(int code)
{
	if (code != 0)
		abort();	/* no memory; there is nothing else that could fail */
}

static void
hmac_init(mbedtls_md_context_t *context, struct span key)
{
	static const uint8_t nothing;

	mbedtls_md_init(context);
	must(mbedtls_md_setup(context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1));
	must(mbedtls_md_hmac_starts(context, key.length == 0 ? &nothing : key.at, key.length));
}

void
hmac(struct span key, struct span text, uint8_t mac_out[DIGEST_LENGTH])
{
	static const uint8_t nothing;
	mbedtls_md_context_t context;

	hmac_init(&context, key);
	must(mbedtls_md_hmac_update(&context, text.length == 0 ? &nothing : text.at, text.length));
	must(mbedtls_md_hmac_finish(&context, mac_out));
	mbedtls_md_free(&context);
}

/* Hi() of RFC 5802 section 2.2: PBKDF2 with one block of output. */
static void
salt_password(const struct scram_keys *keys, struct span password, uint8_t salted[DIGEST_LENGTH])
{
	static const uint8_t first_block[4] = { 0, 0, 0, 1 };
	uint8_t last[DIGEST_LENGTH];
	mbedtls_md_context_t context;

	hmac_init(&context, password);
	must(mbedtls_md_hmac_update(&context, keys->salt, keys->salt_length));
	must(mbedtls_md_hmac_update(&context, first_block, sizeof first_block));
	must(mbedtls_md_hmac_finish(&context, last));
	memcpy(salted, last, DIGEST_LENGTH);
	for (uint32_t i = 1; i < keys->iterations; i++) {
		must(mbedtls_md_hmac_reset(&context));
		must(mbedtls_md_hmac_update(&context, last, sizeof last));
		must(mbedtls_md_hmac_finish(&context, last));
		for (size_t at = 0; at < DIGEST_LENGTH; at++)
			salted[at] ^= last[at];
	}
	mbedtls_md_free(&context);
	memory_wipe(last, sizeof last);
}

void
scram_keys_derive(struct scram_keys *keys, struct span password)
{
	uint8_t salted[DIGEST_LENGTH], client_key[DIGEST_LENGTH];
	struct span salted_span = span_of(salted, sizeof salted);

	assert_off_loop();
	salt_password(keys, password, salted);
	hmac(salted_span, SPAN("Client Key"), client_key);
	digest_sha256(span_of(client_key, sizeof client_key), keys->stored_key);
	hmac(salted_span, SPAN("Server Key"), keys->server_key);
	memory_wipe(salted, sizeof salted);
	memory_wipe(client_key, sizeof client_key);
}

/* Take the text up to a separator and the separator off the front; false when there is none. */
static bool
cut(struct span *text, uint8_t separator, struct span *part_out)
{
	size_t at = span_find(*text, separator);

	if (at == text->length)
		return false;
	*part_out = span_slice(*text, 0, at);
	*text = span_from(*text, at + 1);
	return true;
}

/* Decode base64 of least to most octets. */
static bool
decode(struct span text, uint8_t *octets_out, size_t least, size_t most, size_t *length_out)
{
	struct buffer octets = { 0 };
	bool is_good = text.length <= 2 * SCRAM_SALT_MAX && base64_decode(text, &octets) &&
	    octets.length >= least && octets.length <= most;

	if (is_good) {
		memcpy(octets_out, octets.at, octets.length);
		*length_out = octets.length;
	}
	buffer_free(&octets);
	return is_good;
}

bool
scram_keys_parse(struct span text, struct scram_keys *keys_out)
{
	struct scram_keys keys = { 0 };
	struct span scheme, iterations, salt, stored_key;
	uint64_t number;
	size_t length;

	if (!cut(&text, '$', &scheme) || !span_equals(scheme, SPAN("SCRAM-SHA-256")) ||
	    !cut(&text, ':', &iterations) || !cut(&text, '$', &salt) ||
	    !cut(&text, ':', &stored_key))
		return false;
	if (!span_to_number(iterations, SCRAM_ITERATIONS_MAX, &number) ||
	    number < SCRAM_ITERATIONS_MIN)
		return false;
	keys.iterations = (uint32_t)number;
	if (!decode(salt, keys.salt, 1, sizeof keys.salt, &keys.salt_length) ||
	    !decode(stored_key, keys.stored_key, DIGEST_LENGTH, DIGEST_LENGTH, &length) ||
	    !decode(text, keys.server_key, DIGEST_LENGTH, DIGEST_LENGTH, &length))
		return false;
	*keys_out = keys;
	return true;
}

void
scram_keys_write(const struct scram_keys *keys, struct buffer *out)
{
	buffer_printf(out, "SCRAM-SHA-256$%u:", keys->iterations);
	base64_encode(span_of(keys->salt, keys->salt_length), out);
	buffer_add_octet(out, '$');
	base64_encode(span_of(keys->stored_key, DIGEST_LENGTH), out);
	buffer_add_octet(out, ':');
	base64_encode(span_of(keys->server_key, DIGEST_LENGTH), out);
}

bool
scram_keys_check(const struct scram_keys *keys, struct span auth_message,
    const uint8_t proof[DIGEST_LENGTH], uint8_t signature_out[DIGEST_LENGTH])
{
	uint8_t client_key[DIGEST_LENGTH], digest[DIGEST_LENGTH];
	bool is_match;

	/* ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage); StoredKey = H(ClientKey). */
	hmac(span_of(keys->stored_key, DIGEST_LENGTH), auth_message, client_key);
	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		client_key[i] ^= proof[i];
	digest_sha256(span_of(client_key, sizeof client_key), digest);
	is_match = memory_equals_secret(digest, keys->stored_key, DIGEST_LENGTH);
	hmac(span_of(keys->server_key, DIGEST_LENGTH), auth_message, signature_out);
	memory_wipe(client_key, sizeof client_key);
	return is_match;
}
