/*
 * SCRAM for the server (RFC 5802 sections 5 to 7, RFC 7677), with channel binding (RFC 5802 section 6).  Strict:
 * every attribute once, in its order, and the channel binding compared octet by octet, so that nothing a man in
 * the middle could change goes unnoticed.
 */
#include "scram.h"

#include "auth/password.h"
#include "base/base64.h"
#include "base/memory.h"
#include "base/random.h"
#include "mechanism.h"

/* Take "NAME=VALUE" up to a comma or the end off the front. */
static bool
take_attribute(struct span *text, uint8_t name, struct span *value_out)
{
	size_t end = span_find(*text, ',');

	if (end < 2 || text->at[0] != name || text->at[1] != '=')
		return false;
	*value_out = span_slice(*text, 2, end - 2);
	*text = span_from(*text, end);	/* the comma stays */
	return true;
}

static bool
take_comma(struct span *text)
{
	if (text->length == 0 || text->at[0] != ',')
		return false;
	*text = span_from(*text, 1);
	return true;
}

static bool
is_nonce(struct span text)
{
	for (size_t at = 0; at < text.length; at++)
		if (text.at[at] < 0x21 || text.at[at] > 0x7e || text.at[at] == ',')
			return false;
	return text.length > 0;
}

/* Extensions are ignored as section 5.1 says, but may not look like one of the known attributes. */
static bool
are_extensions(struct span text)
{
	static const struct span known = SPAN("anmrcsipve");

	while (text.length > 0) {
		uint8_t name;
		struct span value;

		if (!take_comma(&text) || text.length == 0)
			return false;
		name = text.at[0];
		if (ascii_lower(name) < 'a' || ascii_lower(name) > 'z' ||
		    span_find(known, name) < known.length || !take_attribute(&text, name, &value) ||
		    value.length == 0)
			return false;
	}
	return true;
}

static enum scram_result
wrong(struct scram *scram, const char *reason)
{
	scram->reason = reason;
	return SCRAM_WRONG;
}

/* cb-name of RFC 5802 section 7. */
static bool
is_binding_name(struct span text)
{
	for (size_t at = 0; at < text.length; at++) {
		uint8_t octet = ascii_lower(text.at[at]);

		if (!(octet >= 'a' && octet <= 'z') && !ascii_is_digit(octet) && octet != '.' && octet != '-')
			return false;
	}
	return text.length > 0;
}

/* "p=tls-exporter": the client wants to bind to the channel in this way (RFC 5802 section 6). */
static enum scram_result
choose_binding(struct scram *scram, struct span type)
{
	if (!is_binding_name(type))
		return SCRAM_MALFORMED;
	for (size_t i = 0; scram->is_plus && i < SASL_BINDING_COUNT; i++) {
		if (scram->bindings[i].octets.length == 0 ||
		    !span_equals(type, span_from_string(scram->bindings[i].type)))
			continue;
		scram->binding = scram->bindings[i].octets;
		return SCRAM_GOOD;
	}
	return wrong(scram, "channel-binding");
}

/*
 * gs2-cbind-flag.  "y": the client could bind, and believes that we cannot.  If we have offered it, somebody in
 * the middle has taken it out of the list.
 */
static enum scram_result
take_flag(struct scram *scram, struct span *text)
{
	struct span flag = span_slice(*text, 0, span_find(*text, ','));
	bool is_y = span_equals(flag, SPAN("y"));

	*text = span_from(*text, flag.length);
	if (!take_comma(text))
		return SCRAM_MALFORMED;
	if (span_starts_with(flag, SPAN("p=")))
		return choose_binding(scram, span_from(flag, 2));
	if (!is_y && !span_equals(flag, SPAN("n")))
		return SCRAM_MALFORMED;
	if (scram->is_plus || (is_y && scram->is_plus_offered))
		return wrong(scram, "channel-binding");
	return SCRAM_GOOD;
}

/* gs2-header: leaves the text after it, and the authorization identity, empty when there is none. */
static enum scram_result
take_header(struct scram *scram, struct span *text, struct buffer *identity_out)
{
	enum scram_result result = take_flag(scram, text);
	struct span identity;

	if (result == SCRAM_MALFORMED)
		return result;
	if (take_attribute(text, 'a', &identity) && !sasl_read_name(identity, identity_out))
		return SCRAM_MALFORMED;
	return take_comma(text) ? result : SCRAM_MALFORMED;
}

/* An empty user is nobody: it is wrong at the proof, not malformed. */
static enum scram_result
take_bare(struct scram *scram, struct span text, struct buffer *user_out)
{
	struct span user, nonce;

	buffer_add_span(&scram->client_first, text);
	if (!take_attribute(&text, 'n', &user) || (user.length > 0 && !sasl_read_name(user, user_out)) ||
	    !take_comma(&text) || !take_attribute(&text, 'r', &nonce) || !is_nonce(nonce) ||
	    !are_extensions(text))
		return SCRAM_MALFORMED;
	buffer_add_span(&scram->nonce, nonce);
	return SCRAM_GOOD;
}

enum scram_result
scram_client_first(struct scram *scram, struct span message, struct span nonce,
    struct buffer *user_out, struct buffer *identity_out)
{
	struct span rest = message;
	enum scram_result result = take_header(scram, &rest, identity_out);

	buffer_add_span(&scram->header, span_slice(message, 0, message.length - rest.length));
	if (result == SCRAM_GOOD)
		result = take_bare(scram, rest, user_out);
	buffer_add_span(&scram->nonce, nonce);
	return result;
}

void
scram_server_first(struct scram *scram, struct buffer *out)
{
	struct buffer *message = &scram->server_first;

	buffer_add_string(message, "r=");
	buffer_add_span(message, buffer_span(&scram->nonce));
	buffer_add_string(message, ",s=");
	base64_encode(span_of(scram->keys.salt, scram->keys.salt_length), message);
	buffer_add_string(message, ",i=");
	buffer_add_number(message, scram->keys.iterations);
	buffer_add_span(out, buffer_span(message));
}

/* Of these keys the salt is a function of the name, and all else is random. */
static void
fake_keys(struct scram *scram, struct span secret, struct span user)
{
	struct buffer name = { 0 };
	uint8_t mac[HASH_MAX];

	/* One name for each hash function, as each user has one salt for each. */
	buffer_add_octet(&name, (uint8_t)scram->hash);
	for (size_t at = 0; at < user.length; at++)
		buffer_add_octet(&name, ascii_lower(user.at[at]));
	hash_mac(HASH_SHA_256, secret, buffer_span(&name), mac);
	scram->keys = (struct scram_keys){ .hash = scram->hash, .iterations = PASSWORD_ITERATIONS,
		.salt_length = SCRAM_SALT_LENGTH };
	memcpy(scram->keys.salt, mac, SCRAM_SALT_LENGTH);
	random_fill(scram->keys.stored_key, HASH_MAX);
	random_fill(scram->keys.server_key, HASH_MAX);
	scram->is_fake = true;
	buffer_free(&name);
}

void
scram_use_credential(struct scram *scram, struct span credential, struct span secret, struct span user)
{
	if (!scram_keys_find(credential, scram->hash, &scram->keys))
		fake_keys(scram, secret, user);
}

/* "c=" must be the GS2 header again, and what the channel is bound to. */
static bool
repeats_header(const struct scram *scram, struct span binding)
{
	struct buffer octets = { 0 }, expected = { 0 };
	bool is_equal;

	buffer_add_span(&octets, buffer_span(&scram->header));
	buffer_add_span(&octets, scram->binding);
	base64_encode(buffer_span(&octets), &expected);
	is_equal = span_equals(binding, buffer_span(&expected));
	buffer_free(&octets);
	buffer_free(&expected);
	return is_equal;
}

static bool
decode_proof(const struct scram *scram, struct span text, uint8_t proof_out[HASH_MAX])
{
	struct buffer octets = { 0 };
	bool is_good = base64_decode(text, &octets) && octets.length == hash_length(scram->hash);

	if (is_good)
		memcpy(proof_out, octets.at, octets.length);
	buffer_free(&octets);
	return is_good;
}

/* client-final-message-without-proof, and the proof, which is always last. */
static bool
split_proof(const struct scram *scram, struct span message, struct span *without_proof_out,
    uint8_t proof_out[HASH_MAX])
{
	for (size_t at = message.length; at-- > 0;) {
		if (message.at[at] != ',')
			continue;
		*without_proof_out = span_slice(message, 0, at);
		message = span_from(message, at);
		return span_starts_with(message, SPAN(",p=")) &&
		    decode_proof(scram, span_from(message, 3), proof_out);
	}
	return false;
}

static bool
check_proof(const struct scram *scram, struct span without_proof,
    const uint8_t proof[HASH_MAX], uint8_t signature_out[HASH_MAX])
{
	struct buffer auth_message = { 0 };
	bool is_match;

	buffer_add_span(&auth_message, buffer_span(&scram->client_first));
	buffer_add_octet(&auth_message, ',');
	buffer_add_span(&auth_message, buffer_span(&scram->server_first));
	buffer_add_octet(&auth_message, ',');
	buffer_add_span(&auth_message, without_proof);
	is_match = scram_keys_check(&scram->keys, buffer_span(&auth_message), proof, signature_out);
	buffer_free(&auth_message);
	return is_match && !scram->is_fake;
}

enum scram_result
scram_client_final(struct scram *scram, struct span message, struct buffer *out)
{
	uint8_t proof[HASH_MAX], signature[HASH_MAX];
	struct span without_proof, rest, binding, nonce;

	if (!split_proof(scram, message, &without_proof, proof))
		return SCRAM_MALFORMED;
	rest = without_proof;
	if (!take_attribute(&rest, 'c', &binding) || !take_comma(&rest) ||
	    !take_attribute(&rest, 'r', &nonce) || !are_extensions(rest))
		return SCRAM_MALFORMED;
	if (!repeats_header(scram, binding))
		return wrong(scram, "channel-binding");
	if (!span_equals(nonce, buffer_span(&scram->nonce)) ||
	    !check_proof(scram, without_proof, proof, signature))
		return wrong(scram, scram->is_fake ? "no-keys" : "password");
	buffer_add_string(out, "v=");
	base64_encode(span_of(signature, hash_length(scram->hash)), out);
	return SCRAM_GOOD;
}

void
scram_fini(struct scram *scram)
{
	buffer_free(&scram->header);
	buffer_free(&scram->client_first);
	buffer_free(&scram->server_first);
	buffer_free(&scram->nonce);
	memory_wipe(&scram->keys, sizeof scram->keys);
}
