/*
 * Tokens: the three parts of a compact JWS (RFC 7515 section 7.1), and what the claims must say (RFC 7519 section 4,
 * RFC 8725).  JSON is jansson's; names that stand twice are refused.  Pure.
 */
#include "auth/token.h"

#include <jansson.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "token_keys.h"

struct issuer {
	char *name;
	struct token_keys keys;
};

struct token_rules {
	atomic_uint holders;
	struct issuer *issuers;
	size_t issuer_count;
	char **audiences;
	size_t audience_count;
	char *scope;		/* NULL: any */
	char *user_claim;
	double skew_s;
};

struct token_rules *
token_rules_new(const struct token_settings *settings)
{
	struct token_rules *rules = NEW(struct token_rules);

	atomic_init(&rules->holders, 1);
	rules->audiences = memory_new_array(settings->audience_count, sizeof *rules->audiences);
	for (size_t i = 0; i < settings->audience_count; i++)
		rules->audiences[rules->audience_count++] = memory_copy_string(settings->audiences[i]);
	rules->scope = settings->scope == NULL ? NULL : memory_copy_string(settings->scope);
	rules->user_claim = memory_copy_string(settings->user_claim);
	rules->skew_s = (double)settings->skew_s;
	return rules;
}

struct token_rules *
token_rules_hold(struct token_rules *rules)
{
	atomic_fetch_add(&rules->holders, 1);
	return rules;
}

void
token_keys_fini(struct token_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		public_key_fini(&keys->at[i]);
	free(keys->at);
}

void
token_rules_free(struct token_rules **rules_pointer)
{
	struct token_rules *rules = *rules_pointer;

	*rules_pointer = NULL;
	if (rules == NULL || atomic_fetch_sub(&rules->holders, 1) != 1)
		return;
	for (size_t i = 0; i < rules->issuer_count; i++) {
		free(rules->issuers[i].name);
		token_keys_fini(&rules->issuers[i].keys);
	}
	for (size_t i = 0; i < rules->audience_count; i++)
		free(rules->audiences[i]);
	free(rules->issuers);
	free(rules->audiences);
	free(rules->scope);
	free(rules->user_claim);
	free(rules);
}

void
token_rules_add_issuer(struct token_rules *rules, const char *issuer)
{
	rules->issuers = memory_resize(rules->issuers, rules->issuer_count + 1, sizeof *rules->issuers);
	rules->issuers[rules->issuer_count++] = (struct issuer){ .name = memory_copy_string(issuer) };
}

bool
token_rules_add_keys(struct token_rules *rules, struct span text, struct buffer *reason_out)
{
	struct token_keys *keys = &rules->issuers[rules->issuer_count - 1].keys;
	struct span begin = span_trim(text);

	while (begin.length > 0 && (begin.at[0] == '\n' || begin.at[0] == '\r'))
		begin = span_trim(span_from(begin, 1));
	return span_starts_with(begin, SPAN("{")) || span_starts_with(begin, SPAN("[")) ?
	    token_keys_read_json(keys, text, reason_out) : token_keys_read_pem(keys, text, reason_out);
}

/* ---- one token ------------------------------------------------------------------------------------------ */

struct token {
	const struct token_rules *rules;
	struct span signed_text;	/* header and claims, as they came */
	struct buffer signature;
	json_t *header, *claims;
	double now_s;
};

static json_t *
read_json(struct span base64url)
{
	struct buffer text = { 0 };
	json_t *json = NULL;

	if (base64url_decode(base64url, &text))
		json = json_loadb((const char *)text.at, text.length, JSON_REJECT_DUPLICATES, NULL);
	buffer_free(&text);
	return json;
}

/* RFC 7515 section 5.2: header "." claims "." signature. */
static bool
split(struct token *token, struct span text)
{
	struct span header = span_slice(text, 0, span_find(text, '.'));
	struct span rest = span_from(text, header.length + 1);
	struct span claims = span_slice(rest, 0, span_find(rest, '.'));
	struct span signature = span_from(rest, claims.length + 1);

	if (text.length > TOKEN_MAX)
		return false;
	token->signed_text = span_slice(text, 0, header.length + 1 + claims.length);
	token->header = read_json(header);
	token->claims = read_json(claims);
	return json_is_object(token->header) && json_is_object(token->claims) &&
	    base64url_decode(signature, &token->signature);
}

static const char *
claim(const struct token *token, const char *name)
{
	return json_string_value(json_object_get(token->claims, name));
}

static const struct issuer *
find_issuer(const struct token *token)
{
	const char *name = claim(token, "iss");

	for (size_t i = 0; name != NULL && i < token->rules->issuer_count; i++)
		if (strcmp(name, token->rules->issuers[i].name) == 0)
			return &token->rules->issuers[i];
	return NULL;
}

/* A key without a name, or a token that names none, has to be tried. */
static bool
can_be(const struct public_key *key, const char *id)
{
	return id == NULL || key->id == NULL || strcmp(id, key->id) == 0;
}

static enum token_verdict
check_signature(const struct token *token, const struct issuer *issuer)
{
	const char *id = json_string_value(json_object_get(token->header, "kid"));
	const char *name = json_string_value(json_object_get(token->header, "alg"));
	const struct signature_algorithm *algorithm =
	    signature_algorithm_find(name == NULL ? SPAN("") : span_from_string(name));
	enum token_verdict verdict = algorithm == NULL ? TOKEN_ALGORITHM : TOKEN_KEY;

	for (size_t i = 0; algorithm != NULL && i < issuer->keys.count; i++) {
		const struct public_key *key = &issuer->keys.at[i];

		if (!can_be(key, id))
			continue;
		if (!signature_fits(algorithm, key)) {
			verdict = verdict == TOKEN_KEY ? TOKEN_ALGORITHM : verdict;
			continue;
		}
		if (signature_verify(algorithm, key, token->signed_text, buffer_span(&token->signature)))
			return TOKEN_GOOD;
		verdict = TOKEN_SIGNATURE;
	}
	return verdict;
}

/* NumericDate, RFC 7519 section 2; false: it is there and no number. */
static bool
take_time(const struct token *token, const char *name, double missing, double *time_out)
{
	const json_t *value = json_object_get(token->claims, name);

	*time_out = value == NULL ? missing : json_number_value(value);
	return value == NULL || json_is_number(value);
}

static enum token_verdict
check_times(const struct token *token)
{
	double expires, begins, issued, skew = token->rules->skew_s;

	if (!take_time(token, "exp", -HUGE_VAL, &expires) || !take_time(token, "nbf", -HUGE_VAL, &begins) ||
	    !take_time(token, "iat", -HUGE_VAL, &issued))
		return TOKEN_MALFORMED;
	if (token->now_s >= expires + skew)
		return TOKEN_EXPIRED;
	return token->now_s + skew < begins || token->now_s + skew < issued ? TOKEN_NOT_YET : TOKEN_GOOD;
}

static bool
is_audience(const struct token_rules *rules, const json_t *value)
{
	for (size_t i = 0; json_is_string(value) && i < rules->audience_count; i++)
		if (strcmp(json_string_value(value), rules->audiences[i]) == 0)
			return true;
	return false;
}

/* RFC 7519 section 4.1.3: a text or a list of them. */
static bool
has_audience(const struct token *token)
{
	const json_t *audience = json_object_get(token->claims, "aud"), *one;
	size_t index;

	if (is_audience(token->rules, audience))
		return true;
	json_array_foreach(audience, index, one)
		if (is_audience(token->rules, one))
			return true;
	return false;
}

static bool
has_word(struct span text, struct span word)
{
	while (text.length > 0) {
		struct span one = span_slice(text, 0, span_find(text, ' '));

		if (span_equals(one, word))
			return true;
		text = span_from(text, one.length + 1);
	}
	return false;
}

/* Words in one text (RFC 9068 section 2.2.3), or a list of them; some issuers call it "scp". */
static bool
has_scope_in(const struct token *token, const char *name)
{
	const json_t *value = json_object_get(token->claims, name), *one;
	struct span scope = span_from_string(token->rules->scope);
	size_t index;

	if (json_is_string(value))
		return has_word(span_from_string(json_string_value(value)), scope);
	json_array_foreach(value, index, one)
		if (json_is_string(one) && span_equals(span_from_string(json_string_value(one)), scope))
			return true;
	return false;
}

static bool
has_scope(const struct token *token)
{
	return token->rules->scope == NULL || has_scope_in(token, "scope") || has_scope_in(token, "scp");
}

/* An address that its owner has not confirmed may be anybody's (OpenID Connect Core section 5.1). */
static const char *
user_of(const struct token *token)
{
	const char *user = claim(token, token->rules->user_claim);
	const json_t *is_verified = json_object_get(token->claims, "email_verified");
	const char *word = json_string_value(is_verified);	/* some issuers put it into quotation marks */

	if (strcmp(token->rules->user_claim, "email") == 0 && is_verified != NULL && !json_is_true(is_verified) &&
	    (word == NULL || strcmp(word, "true") != 0))
		return NULL;
	return user == NULL || *user == '\0' ? NULL : user;
}

/* First who has signed it; what somebody else has written is not looked at any further. */
static enum token_verdict
check(const struct token *token)
{
	const struct issuer *issuer = find_issuer(token);
	enum token_verdict verdict;

	/* RFC 7515 section 4.1.11: what must be understood is not. */
	if (json_object_get(token->header, "crit") != NULL)
		return TOKEN_MALFORMED;
	if (issuer == NULL)
		return TOKEN_ISSUER;
	if ((verdict = check_signature(token, issuer)) != TOKEN_GOOD || (verdict = check_times(token)) != TOKEN_GOOD)
		return verdict;
	if (!has_audience(token))
		return TOKEN_AUDIENCE;
	if (!has_scope(token))
		return TOKEN_SCOPE;
	return user_of(token) == NULL ? TOKEN_USER : TOKEN_GOOD;
}

enum token_verdict
token_check(const struct token_rules *rules, struct span text, int64_t now_s, struct buffer *user_out)
{
	struct token token = { .rules = rules, .now_s = (double)now_s };
	enum token_verdict verdict = split(&token, text) ? check(&token) : TOKEN_MALFORMED;

	if (verdict == TOKEN_GOOD)
		buffer_add_string(user_out, user_of(&token));
	json_decref(token.header);
	json_decref(token.claims);
	buffer_free(&token.signature);
	return verdict;
}

const char *
token_verdict_word(enum token_verdict verdict)
{
	static const char *const words[TOKEN_VERDICT_COUNT] = {
		[TOKEN_GOOD] = "token-good",
		[TOKEN_MALFORMED] = "token-malformed",
		[TOKEN_ISSUER] = "token-issuer",
		[TOKEN_ALGORITHM] = "token-algorithm",
		[TOKEN_KEY] = "token-key",
		[TOKEN_SIGNATURE] = "token-signature",
		[TOKEN_EXPIRED] = "token-expired",
		[TOKEN_NOT_YET] = "token-not-yet",
		[TOKEN_AUDIENCE] = "token-audience",
		[TOKEN_SCOPE] = "token-scope",
		[TOKEN_USER] = "token-user",
	};

	return words[verdict];
}
