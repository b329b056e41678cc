/*
 * The keys of SCRAM (RFC 5802 section 3, RFC 7677) and their text form (RFC 5803):
 * SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY.  A credential holds one such for each hash function.
 */
#include "scram_keys.h"

#include "base/base64.h"
#include "base/memory.h"
#include "base/thread.h"

static const char *const schemes[HASH_COUNT] = {
	[HASH_SHA_1] = "SCRAM-SHA-1",
	[HASH_SHA_256] = "SCRAM-SHA-256",
};

void
scram_keys_derive(struct scram_keys *keys, struct span password)
{
	uint8_t salted[HASH_MAX], client_key[HASH_MAX];
	size_t length = hash_length(keys->hash);
	struct span salted_span = span_of(salted, length);

	assert_off_loop();
	hash_salt(keys->hash, password, span_of(keys->salt, keys->salt_length), keys->iterations, salted);
	hash_mac(keys->hash, salted_span, SPAN("Client Key"), client_key);
	hash_digest(keys->hash, span_of(client_key, length), keys->stored_key);
	hash_mac(keys->hash, salted_span, SPAN("Server Key"), keys->server_key);
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

static bool
find_scheme(struct span name, enum hash *hash_out)
{
	for (size_t i = 0; i < HASH_COUNT; i++) {
		if (!span_equals(name, span_from_string(schemes[i])))
			continue;
		*hash_out = (enum hash)i;
		return true;
	}
	return false;
}

bool
scram_keys_parse(struct span text, struct scram_keys *keys_out)
{
	struct scram_keys keys = { 0 };
	struct span scheme, iterations, salt, stored_key;
	uint64_t number;
	size_t length;

	if (!cut(&text, '$', &scheme) || !find_scheme(scheme, &keys.hash) || !cut(&text, ':', &iterations) ||
	    !cut(&text, '$', &salt) || !cut(&text, ':', &stored_key))
		return false;
	if (!span_to_number(iterations, SCRAM_ITERATIONS_MAX, &number) ||
	    number < SCRAM_ITERATIONS_MIN)
		return false;
	keys.iterations = (uint32_t)number;
	length = hash_length(keys.hash);
	if (!decode(salt, keys.salt, 1, sizeof keys.salt, &keys.salt_length) ||
	    !decode(stored_key, keys.stored_key, length, length, &length) ||
	    !decode(text, keys.server_key, length, length, &length))
		return false;
	*keys_out = keys;
	return true;
}

bool
scram_keys_find(struct span credential, enum hash hash, struct scram_keys *keys_out)
{
	struct scram_keys keys;

	while (credential.length > 0) {
		struct span scheme = span_slice(credential, 0, span_find(credential, ' '));

		if (scram_keys_parse(scheme, &keys) && keys.hash == hash) {
			*keys_out = keys;
			return true;
		}
		credential = span_from(credential, scheme.length + 1);
	}
	return false;
}

void
scram_keys_write(const struct scram_keys *keys, struct buffer *out)
{
	size_t length = hash_length(keys->hash);

	buffer_printf(out, "%s$%u:", schemes[keys->hash], keys->iterations);
	base64_encode(span_of(keys->salt, keys->salt_length), out);
	buffer_add_octet(out, '$');
	base64_encode(span_of(keys->stored_key, length), out);
	buffer_add_octet(out, ':');
	base64_encode(span_of(keys->server_key, length), out);
}

bool
scram_keys_check(const struct scram_keys *keys, struct span auth_message, const uint8_t *proof,
    uint8_t signature_out[HASH_MAX])
{
	uint8_t client_key[HASH_MAX], digest[HASH_MAX];
	size_t length = hash_length(keys->hash);
	bool is_match;

	/* ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage); StoredKey = H(ClientKey). */
	hash_mac(keys->hash, span_of(keys->stored_key, length), auth_message, client_key);
	for (size_t i = 0; i < length; i++)
		client_key[i] ^= proof[i];
	hash_digest(keys->hash, span_of(client_key, length), digest);
	is_match = memory_equals_secret(digest, keys->stored_key, length);
	hash_mac(keys->hash, span_of(keys->server_key, length), auth_message, signature_out);
	memory_wipe(client_key, sizeof client_key);
	return is_match;
}
