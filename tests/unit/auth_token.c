/*
 * Tokens: every algorithm against another program's signatures, what claims must say, and what must not pass: no
 * signature, a shared secret, another kind of key, another issuer, text that is not what it seems.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nettle/eddsa.h>
#include <nettle/hmac.h>

#include "auth/token.h"
#include "base/base64.h"
#include "base/memory.h"
#include "token_fixture.h"

#define ISSUER "https://issuer.example"
#define NOW 1700000100

static char *audiences[] = { (char *)"mail", (char *)"imap" };

/* A key of our own, to sign what no other program would. */
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

static void
sign(const char *header, const char *claims, struct buffer *out)
{
	uint8_t public[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];

	encode(span_from_string(header), out);
	buffer_add_octet(out, '.');
	encode(span_from_string(claims), out);
	ed25519_sha512_public_key(public, secret);
	ed25519_sha512_sign(public, secret, out->length, out->at, signature);
	buffer_add_octet(out, '.');
	encode(span_of(signature, sizeof signature), out);
}

static struct token_rules *
rules_new(const char *scope, const char *claim)
{
	const struct token_settings settings = { audiences, COUNT_OF(audiences), scope, claim, 60 };
	struct token_rules *rules = token_rules_new(&settings);
	struct buffer jwk = { 0 }, reason = { 0 };
	uint8_t public[ED25519_KEY_SIZE];

	token_rules_add_issuer(rules, ISSUER);
	assert_true(token_rules_add_keys(rules, span_from_string(fixture_jwks), &reason));
	ed25519_sha512_public_key(public, secret);
	buffer_add_string(&jwk, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"own\",\"x\":\"");
	encode(span_of(public, sizeof public), &jwk);
	buffer_add_string(&jwk, "\"}");
	assert_true(token_rules_add_keys(rules, buffer_span(&jwk), &reason));
	buffer_free(&jwk);
	buffer_free(&reason);
	return rules;
}

static enum token_verdict
check(const struct token_rules *rules, struct span token, const char *user)
{
	struct buffer name = { 0 };
	enum token_verdict verdict = token_check(rules, token, NOW, &name);

	if (verdict == TOKEN_GOOD)
		assert_string_equal(buffer_string(&name), user);
	else
		assert_int_equal(name.length, 0);
	buffer_free(&name);
	return verdict;
}

static void
takes_every_algorithm(void **state)
{
	struct token_rules *rules = rules_new(NULL, "email");
	const struct token_settings settings = { audiences, COUNT_OF(audiences), NULL, "email", 60 };
	struct token_rules *of_pem = token_rules_new(&settings);
	struct buffer reason = { 0 };

	(void)state;
	token_rules_add_issuer(of_pem, ISSUER);
	assert_true(token_rules_add_keys(of_pem, span_from_string(fixture_pem), &reason));
	for (size_t i = 0; i < COUNT_OF(fixture_tokens); i++) {
		struct span token = span_from_string(fixture_tokens[i].token);

		assert_int_equal(check(rules, token, "tim@example.org"), TOKEN_GOOD);
		assert_int_equal(check(of_pem, token, "tim@example.org"), TOKEN_GOOD);
	}
	token_rules_free(&of_pem);
	of_pem = token_rules_new(&settings);
	token_rules_add_issuer(of_pem, ISSUER);
	assert_true(token_rules_add_keys(of_pem, span_from_string(fixture_other_pem), &reason));
	assert_int_equal(check(of_pem, span_from_string(fixture_tokens[0].token), "tim@example.org"), TOKEN_GOOD);
	assert_int_equal(check(of_pem, span_from_string(fixture_tokens[6].token), "tim@example.org"), TOKEN_GOOD);
	assert_int_equal(check(rules, span_from_string(fixture_forged), ""), TOKEN_SIGNATURE);
	token_rules_free(&of_pem);
	token_rules_free(&rules);
	buffer_free(&reason);
}

/* Each octet counts: of header, claims and signature. */
static void
refuses_every_change(void **state)
{
	struct token_rules *rules = rules_new(NULL, "email");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixture_tokens); i++) {
		char *token = memory_copy_string(fixture_tokens[i].token);
		size_t length = strlen(token);

		for (size_t at = 0; at < length; at += i < 6 ? 7 : 3) {
			char before = token[at];

			token[at] = before == 'A' ? 'B' : 'A';
			assert_int_not_equal(check(rules, span_of(token, length), ""), TOKEN_GOOD);
			token[at] = before;
		}
		for (size_t cut = 1; cut < 10; cut++)
			assert_int_not_equal(check(rules, span_of(token, length - cut), ""), TOKEN_GOOD);
		free(token);
	}
	token_rules_free(&rules);
}

#define GOOD "\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"tim@example.org\",\"exp\":1700003600"
#define OWN "{\"alg\":\"EdDSA\",\"kid\":\"own\"}"

static const struct {
	const char *header, *claims;
	enum token_verdict expected;
} cases[] = {
	{ OWN, "{" GOOD "}", TOKEN_GOOD },
	{ "{\"alg\":\"EdDSA\"}", "{" GOOD "}", TOKEN_GOOD },	/* all keys are tried */
	{ "{\"alg\":\"EdDSA\",\"kid\":\"own\",\"jku\":\"https://evil.example/\",\"jwk\":{}}", "{" GOOD "}", TOKEN_GOOD },
	{ OWN, "{" GOOD ",\"iat\":1700000160,\"nbf\":1700000160}", TOKEN_GOOD },
	{ OWN, "{" GOOD ",\"email_verified\":true}", TOKEN_GOOD },
	{ OWN, "{" GOOD ",\"email_verified\":\"true\"}", TOKEN_GOOD },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"mail\"],\"email\":\"tim@example.org\",\"exp\":1700000040.5}",
	    TOKEN_GOOD },
	/* What is signed by nobody, or by everybody. */
	{ "{\"alg\":\"none\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"None\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"eddsa\",\"kid\":\"own\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":[\"EdDSA\"],\"kid\":\"own\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"kid\":\"own\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"RS256\",\"kid\":\"own\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"ES384\",\"kid\":\"p256\"}", "{" GOOD "}", TOKEN_ALGORITHM },
	{ "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" GOOD "}", TOKEN_SIGNATURE },
	{ "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{" GOOD "}", TOKEN_SIGNATURE },
	{ "{\"alg\":\"EdDSA\",\"kid\":\"../../etc/passwd\"}", "{" GOOD "}", TOKEN_KEY },
	{ "{\"alg\":\"EdDSA\",\"kid\":\"own\",\"crit\":[\"exp\"]}", "{" GOOD "}", TOKEN_MALFORMED },
	{ "{\"alg\":\"EdDSA\",\"alg\":\"none\"}", "{" GOOD "}", TOKEN_MALFORMED },
	{ "[]", "{" GOOD "}", TOKEN_MALFORMED },
	{ "", "{" GOOD "}", TOKEN_MALFORMED },
	{ OWN, "{" GOOD ",\"exp\":1800000000}", TOKEN_MALFORMED },
	{ OWN, "\"text\"", TOKEN_MALFORMED },
	{ OWN, "{" GOOD "} ", TOKEN_GOOD },
	{ OWN, "{" GOOD "}x", TOKEN_MALFORMED },
	/* Whose it is, for whom, and when. */
	{ OWN, "{\"aud\":\"imap\",\"email\":\"t\",\"exp\":1700003600}", TOKEN_ISSUER },
	{ OWN, "{\"iss\":\"" ISSUER "/\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":1700003600}", TOKEN_ISSUER },
	{ OWN, "{\"iss\":[\"" ISSUER "\"],\"aud\":\"imap\",\"email\":\"t\",\"exp\":1700003600}", TOKEN_ISSUER },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"email\":\"t\",\"exp\":1700003600}", TOKEN_AUDIENCE },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"IMAP\",\"email\":\"t\",\"exp\":1700003600}", TOKEN_AUDIENCE },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",[\"imap\"]],\"email\":\"t\",\"exp\":1700003600}", TOKEN_AUDIENCE },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":{\"imap\":\"imap\"},\"email\":\"t\",\"exp\":1700003600}", TOKEN_AUDIENCE },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\"}", TOKEN_EXPIRED },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":1700000040}", TOKEN_EXPIRED },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":-1}", TOKEN_EXPIRED },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":\"1700003600\"}", TOKEN_MALFORMED },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":true}", TOKEN_MALFORMED },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"t\",\"exp\":1e999}", TOKEN_MALFORMED },
	{ OWN, "{" GOOD ",\"nbf\":1700000161}", TOKEN_NOT_YET },
	{ OWN, "{" GOOD ",\"iat\":1700000161}", TOKEN_NOT_YET },
	{ OWN, "{" GOOD ",\"nbf\":null}", TOKEN_MALFORMED },
	/* Which user. */
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"exp\":1700003600}", TOKEN_USER },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"\",\"exp\":1700003600}", TOKEN_USER },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":[\"t\"],\"exp\":1700003600}", TOKEN_USER },
	{ OWN, "{\"iss\":\"" ISSUER "\",\"aud\":\"imap\",\"email\":\"a\\u0000b\",\"exp\":1700003600}", TOKEN_MALFORMED },
	{ OWN, "{" GOOD ",\"email_verified\":false}", TOKEN_USER },
	{ OWN, "{" GOOD ",\"email_verified\":\"false\"}", TOKEN_USER },
	{ OWN, "{" GOOD ",\"email_verified\":1}", TOKEN_USER },
};

static void
looks_at_header_and_claims(void **state)
{
	struct token_rules *rules = rules_new(NULL, "email");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer token = { 0 };
		enum token_verdict verdict;

		sign(cases[i].header, cases[i].claims, &token);
		verdict = check(rules, buffer_span(&token), "tim@example.org");
		if (verdict != cases[i].expected)
			fail_msg("%s %s: %s, not %s", cases[i].header, cases[i].claims, token_verdict_word(verdict),
			    token_verdict_word(cases[i].expected));
		buffer_free(&token);
	}
	token_rules_free(&rules);
}

/* CVE-2021-29157 and its kind: a public key taken for a shared secret. */
static void
refuses_key_confusion(void **state)
{
	struct token_rules *rules = rules_new(NULL, "email");
	static const char *const secrets[] = { fixture_pem, fixture_jwks };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		struct buffer token = { 0 };
		struct hmac_sha256_ctx hmac;
		uint8_t mac[SHA256_DIGEST_SIZE];

		encode(SPAN("{\"alg\":\"HS256\",\"kid\":\"rsa\"}"), &token);
		buffer_add_octet(&token, '.');
		encode(SPAN("{" GOOD "}"), &token);
		hmac_sha256_set_key(&hmac, strlen(secrets[i]), (const uint8_t *)secrets[i]);
		hmac_sha256_update(&hmac, token.length, token.at);
		hmac_sha256_digest(&hmac, sizeof mac, mac);
		buffer_add_octet(&token, '.');
		encode(span_of(mac, sizeof mac), &token);
		assert_int_equal(check(rules, buffer_span(&token), ""), TOKEN_ALGORITHM);
		buffer_free(&token);
	}
	token_rules_free(&rules);
}

/* The keys of one issuer prove nothing about another. */
static void
keeps_issuers_apart(void **state)
{
	const struct token_settings settings = { audiences, COUNT_OF(audiences), NULL, "email", 60 };
	struct token_rules *rules = token_rules_new(&settings);
	struct buffer reason = { 0 };

	(void)state;
	token_rules_add_issuer(rules, ISSUER);
	assert_false(token_rules_add_keys(rules, span_from_string(fixture_short_pem), &reason));
	token_rules_add_issuer(rules, "https://other.example");
	assert_true(token_rules_add_keys(rules, span_from_string(fixture_jwks), &reason));
	assert_int_equal(check(rules, span_from_string(fixture_tokens[0].token), ""), TOKEN_KEY);
	token_rules_free(&rules);
	buffer_free(&reason);
}

static void
looks_at_scope_and_claim(void **state)
{
	static const struct {
		const char *claims;
		enum token_verdict expected;
	} scopes[] = {
		{ ",\"scope\":\"openid imap\"}", TOKEN_GOOD },
		{ ",\"scp\":[\"openid\",\"imap\"]}", TOKEN_GOOD },
		{ ",\"scp\":\"imap\"}", TOKEN_GOOD },
		{ ",\"scope\":\"imapx ximap\"}", TOKEN_SCOPE },
		{ ",\"scope\":[[\"imap\"]]}", TOKEN_SCOPE },
		{ "}", TOKEN_SCOPE },
	};
	struct token_rules *rules = rules_new("imap", "preferred_username");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scopes); i++) {
		struct buffer claims = { 0 }, token = { 0 };

		/* The address is not verified, and does not matter. */
		buffer_printf(&claims, "{" GOOD ",\"preferred_username\":\"tim\",\"email_verified\":false%s", scopes[i].claims);
		sign(OWN, buffer_string(&claims), &token);
		assert_int_equal(check(rules, buffer_span(&token), "tim"), scopes[i].expected);
		buffer_free(&claims);
		buffer_free(&token);
	}
	token_rules_free(&rules);
}

static void
refuses_other_forms(void **state)
{
	struct token_rules *rules = rules_new(NULL, "email");
	struct buffer token = { 0 }, other = { 0 };
	static char long_one[TOKEN_MAX + 2];

	(void)state;
	sign(OWN, "{" GOOD "}", &token);
	buffer_add_span(&other, buffer_span(&token));
	buffer_add_string(&other, "=");
	assert_int_equal(check(rules, buffer_span(&other), ""), TOKEN_MALFORMED);
	buffer_clear(&other);
	buffer_add_string(&other, " ");
	buffer_add_span(&other, buffer_span(&token));
	assert_int_equal(check(rules, buffer_span(&other), ""), TOKEN_MALFORMED);
	buffer_clear(&other);
	buffer_add_span(&other, buffer_span(&token));
	buffer_add_string(&other, ".x");
	assert_int_equal(check(rules, buffer_span(&other), ""), TOKEN_MALFORMED);
	assert_int_equal(check(rules, SPAN(""), ""), TOKEN_MALFORMED);
	assert_int_equal(check(rules, SPAN(".."), ""), TOKEN_MALFORMED);
	assert_int_equal(check(rules, SPAN("a.b.c.d.e"), ""), TOKEN_MALFORMED);
	memset(long_one, '[', sizeof long_one);		/* nothing that nests can be too deep */
	buffer_clear(&token);
	encode(span_of(long_one, 6000), &token);
	buffer_add_string(&token, ".e30.");
	assert_int_equal(check(rules, buffer_span(&token), ""), TOKEN_MALFORMED);
	memset(long_one, 'A', sizeof long_one);
	assert_int_equal(check(rules, span_of(long_one, sizeof long_one), ""), TOKEN_MALFORMED);
	buffer_free(&token);
	buffer_free(&other);
	token_rules_free(&rules);
}

static void
says_what_is_wrong_with_keys(void **state)
{
	static const struct {
		const char *text, *reason;
	} files[] = {
		{ "", "there is no key" },
		{ "{\"keys\":[\n{\"kty\":]}", "2:8: unexpected token near ']'" },
		{ "{\"keys\":[]}", "no key can be used: there is no key" },
		{ "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "key 1: this is a secret; imapd needs public keys alone" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AA\"}]}",
		    "key 1: this is a secret; imapd needs public keys alone" },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"use\":\"enc\"}]}",
		    "no key can be used: the key is not for signatures" },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}]}",
		    "no key can be used: the key is of no kind that is known, or incomplete" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "the key is of no kind that is known, or incomplete" },
		{ "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "this is no RSA key" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		    "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "the point is not on the curve" },
		{ "[1]", "this is no JWK Set" },
		{ "\n# keys\n-----BEGIN PUBLIC KEY-----\nAAAA\n", "3:1: the end of the block is missing" },
		{ "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n", "1:1: the block is damaged" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "1:1: the key is of no kind that is known" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "1:1: the certificate cannot be read" },
		{ fixture_private_pem, "1:1: imapd needs public keys alone" },
		{ fixture_short_pem, "1:1: an RSA key has 2048 to 8192 bits" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const struct token_settings settings = { audiences, 1, NULL, "email", 60 };
		struct token_rules *rules = token_rules_new(&settings);
		struct buffer reason = { 0 };

		token_rules_add_issuer(rules, ISSUER);
		assert_false(token_rules_add_keys(rules, span_from_string(files[i].text), &reason));
		assert_string_equal(buffer_string(&reason), files[i].reason);
		token_rules_free(&rules);
		buffer_free(&reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_algorithm),
		cmocka_unit_test(refuses_every_change),
		cmocka_unit_test(looks_at_header_and_claims),
		cmocka_unit_test(refuses_key_confusion),
		cmocka_unit_test(keeps_issuers_apart),
		cmocka_unit_test(looks_at_scope_and_claim),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(says_what_is_wrong_with_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
