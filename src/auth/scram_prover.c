/*
 * SCRAM for the client (RFC 5802 sections 3 and 5 to 7).
 */
#include "auth/scram_prover.h"

#include <stdlib.h>

#include "auth/password.h"
#include "base/base64.h"
#include "base/memory.h"
#include "base/random.h"
#include "scram_keys.h"

#define NONCE_OCTETS 18		/* 24 characters of base64, none of which is a comma */

struct scram_prover {
	struct scram_proof proof;
	enum hash hash;
	struct buffer header;		/* gs2-header */
	struct buffer nonce;		/* ours */
	struct buffer auth_message;	/* client-first-message-bare and what follows */
	uint8_t server_signature[HASH_MAX];
	bool has_signature;
};

/* saslname: RFC 5802 section 7. */
static void
add_name(struct buffer *out, struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] == ',')
			buffer_add_string(out, "=2C");
		else if (name.at[i] == '=')
			buffer_add_string(out, "=3D");
		else
			buffer_add_octet(out, name.at[i]);
	}
}

static void
write_header(struct scram_prover *prover)
{
	const struct scram_proof *proof = &prover->proof;

	buffer_add_string(&prover->header, proof->end_point.length > 0 ? "p=tls-server-end-point," :
	    proof->could_bind ? "y," : "n,");
	if (proof->identity.length > 0) {
		buffer_add_string(&prover->header, "a=");
		add_name(&prover->header, proof->identity);
	}
	buffer_add_octet(&prover->header, ',');
}

struct scram_prover *
scram_prover_new(const struct scram_proof *proof)
{
	struct scram_prover *prover = NEW(struct scram_prover);
	uint8_t octets[NONCE_OCTETS];

	prover->proof = *proof;
	prover->hash = proof->is_sha256 ? HASH_SHA_256 : HASH_SHA_1;
	random_fill(octets, sizeof octets);
	if (proof->nonce.length > 0)
		buffer_add_span(&prover->nonce, proof->nonce);
	else
		base64_encode(span_of(octets, sizeof octets), &prover->nonce);
	write_header(prover);
	buffer_add_string(&prover->auth_message, "n=");
	add_name(&prover->auth_message, proof->user);
	buffer_add_string(&prover->auth_message, ",r=");
	buffer_add_span(&prover->auth_message, buffer_span(&prover->nonce));
	return prover;
}

void
scram_prover_free(struct scram_prover **prover)
{
	if (*prover == NULL)
		return;
	buffer_free(&(*prover)->header);
	buffer_free(&(*prover)->nonce);
	buffer_free(&(*prover)->auth_message);
	memory_wipe(*prover, sizeof **prover);
	free(*prover);
	*prover = NULL;
}

void
scram_prover_begin(struct scram_prover *prover, struct buffer *out)
{
	buffer_add_span(out, buffer_span(&prover->header));
	buffer_add_span(out, buffer_span(&prover->auth_message));
}

/* The value of "NAME=" among attributes that are parted by commas. */
static bool
find_attribute(struct span message, uint8_t name, struct span *value_out)
{
	while (message.length > 0) {
		struct span attribute = span_slice(message, 0, span_find(message, ','));

		if (attribute.length > 2 && attribute.at[0] == name && attribute.at[1] == '=') {
			*value_out = span_from(attribute, 2);
			return true;
		}
		message = span_from(message, attribute.length + 1);
	}
	return false;
}

/* "r=NONCE,s=SALT,i=ITERATIONS"; an extension that must be understood ("m=") is not. */
static bool
read_first(const struct scram_prover *prover, struct span message, struct span *nonce_out, struct buffer *salt_out,
    uint32_t *iterations_out)
{
	struct span salt, iterations, mandatory;
	uint64_t number;

	if (find_attribute(message, 'm', &mandatory) || !find_attribute(message, 'r', nonce_out) ||
	    !find_attribute(message, 's', &salt) || !find_attribute(message, 'i', &iterations))
		return false;
	if (!span_starts_with(*nonce_out, buffer_span(&prover->nonce)) || nonce_out->length == prover->nonce.length ||
	    !span_to_number(iterations, SCRAM_ITERATIONS_MAX, &number) || number < SCRAM_ITERATIONS_MIN)
		return false;
	*iterations_out = (uint32_t)number;
	return base64_decode(salt, salt_out) && salt_out->length > 0;
}

/* client-final-message-without-proof, which ends the AuthMessage, too. */
static void
add_final(struct scram_prover *prover, struct span nonce, struct buffer *out)
{
	struct buffer binding = { 0 };

	buffer_add_span(&binding, buffer_span(&prover->header));
	buffer_add_span(&binding, prover->proof.end_point);
	buffer_add_string(out, "c=");
	base64_encode(buffer_span(&binding), out);
	buffer_add_string(out, ",r=");
	buffer_add_span(out, nonce);
	buffer_free(&binding);
}

static void
add_proof(struct scram_prover *prover, struct span salt, uint32_t iterations, struct buffer *out)
{
	uint8_t salted[HASH_MAX], client_key[HASH_MAX], stored_key[HASH_MAX], server_key[HASH_MAX], signature[HASH_MAX];
	size_t length = hash_length(prover->hash);
	struct buffer password = { 0 };

	password_prepare(prover->proof.password, &password);
	hash_salt(prover->hash, buffer_span(&password), salt, iterations, salted);
	hash_mac(prover->hash, span_of(salted, length), SPAN("Client Key"), client_key);
	hash_digest(prover->hash, span_of(client_key, length), stored_key);
	hash_mac(prover->hash, span_of(stored_key, length), buffer_span(&prover->auth_message), signature);
	hash_mac(prover->hash, span_of(salted, length), SPAN("Server Key"), server_key);
	hash_mac(prover->hash, span_of(server_key, length), buffer_span(&prover->auth_message), prover->server_signature);
	for (size_t i = 0; i < length; i++)
		client_key[i] ^= signature[i];
	base64_encode(span_of(client_key, length), out);
	memory_wipe(salted, sizeof salted);
	memory_wipe(server_key, sizeof server_key);
	buffer_wipe(&password);
}

bool
scram_prover_answer(struct scram_prover *prover, struct span message, struct buffer *out)
{
	struct buffer salt = { 0 }, final = { 0 };
	uint32_t iterations;
	struct span nonce;
	bool is_good = read_first(prover, message, &nonce, &salt, &iterations);

	if (is_good) {
		add_final(prover, nonce, &final);
		buffer_add_octet(&prover->auth_message, ',');
		buffer_add_span(&prover->auth_message, message);
		buffer_add_octet(&prover->auth_message, ',');
		buffer_add_span(&prover->auth_message, buffer_span(&final));
		buffer_add_span(out, buffer_span(&final));
		buffer_add_string(out, ",p=");
		add_proof(prover, buffer_span(&salt), iterations, out);
		prover->has_signature = true;
	}
	buffer_free(&salt);
	buffer_free(&final);
	return is_good;
}

bool
scram_prover_check(const struct scram_prover *prover, struct span message)
{
	struct buffer expected = { 0 };
	struct span signature;
	bool is_good;

	base64_encode(span_of(prover->server_signature, hash_length(prover->hash)), &expected);
	is_good = prover->has_signature && find_attribute(message, 'v', &signature) &&
	    span_equals(signature, buffer_span(&expected));
	buffer_free(&expected);
	return is_good;
}
