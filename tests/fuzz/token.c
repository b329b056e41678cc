/*
 * Tokens and key files of anybody: as they are, and, so that the claims are read, with the input as header and claims
 * that a key of ours has signed.  What nobody has signed is never good.
 */
#include <assert.h>
#include <nettle/eddsa.h>
#include <string.h>

#include "auth/token.h"
#include "base/base64.h"

#define JWK "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""

static const uint8_t secret[ED25519_KEY_SIZE] = "0123456789abcdef0123456789abcde";

static void
encode(struct span octets, struct buffer *out)
{
	size_t begin = out->length;

	base64_encode(octets, out);
	while (out->length > begin && out->at[out->length - 1] == '=')
		out->length--;
	for (size_t i = begin; i < out->length; i++)
		out->at[i] = out->at[i] == '+' ? '-' : out->at[i] == '/' ? '_' : out->at[i];
}

static struct token_rules *
rules_new(void)
{
	static char *audiences[] = { (char *)"imap" };
	const struct token_settings settings = { audiences, 1, "imap", "email", 60 };
	struct token_rules *rules = token_rules_new(&settings);
	uint8_t public[ED25519_KEY_SIZE];
	struct buffer jwk = { 0 }, reason = { 0 };

	ed25519_sha512_public_key(public, secret);
	buffer_add_string(&jwk, JWK);
	encode(span_of(public, sizeof public), &jwk);
	buffer_add_string(&jwk, "\"}");
	token_rules_add_issuer(rules, "i");
	assert(token_rules_add_keys(rules, buffer_span(&jwk), &reason));
	buffer_free(&jwk);
	return rules;
}

static void
sign(struct span header, struct span claims, struct buffer *out)
{
	uint8_t public[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];

	encode(header, out);
	buffer_add_octet(out, '.');
	encode(claims, out);
	ed25519_sha512_public_key(public, secret);
	ed25519_sha512_sign(public, secret, out->length, out->at, signature);
	buffer_add_octet(out, '.');
	encode(span_of(signature, sizeof signature), out);
}

static void
check_signed(const struct token_rules *rules, struct span header, struct span claims)
{
	struct buffer token = { 0 }, user = { 0 };

	sign(header, claims, &token);
	if (token_check(rules, buffer_span(&token), 1700000000, &user) == TOKEN_GOOD)
		assert(user.length > 0 && span_find(buffer_span(&user), 0) == user.length);
	else
		assert(user.length == 0);
	buffer_free(&token);
	buffer_free(&user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_rules *rules;
	struct span input = span_of(data, size), header = span_slice(input, 0, span_find(input, '\n'));
	struct token_rules *scratch = rules_new();
	struct buffer user = { 0 }, reason = { 0 };

	if (rules == NULL)
		rules = rules_new();
	assert(token_check(rules, input, 1700000000, &user) != TOKEN_GOOD);
	check_signed(rules, SPAN("{\"alg\":\"EdDSA\"}"), input);
	check_signed(rules, header, span_from(input, header.length + 1));
	if (!token_rules_add_keys(scratch, input, &reason))
		assert(reason.length > 0);
	token_rules_free(&scratch);
	buffer_free(&user);
	buffer_free(&reason);
	return 0;
}
