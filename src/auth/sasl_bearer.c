/*
 * OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner (developers.google.com/gmail/imap/xoauth2-protocol): a token and
 * who is meant.  A client whose token is refused is told why in JSON, answers, and only then gets its NO.  Pure.
 */
#include <assert.h>

#include "mechanism.h"

#define SEPARATOR '\x01'

struct pairs {
	struct span user;		/* XOAUTH2 */
	struct span authorization;	/* the value of "auth" */
	bool has_user, has_authorization;
};

/* RFC 7628 section 3.1: *(key "=" value SEPARATOR) SEPARATOR. */
static bool
take_pair(struct span *text, struct span *key_out, struct span *value_out)
{
	struct span pair = span_slice(*text, 0, span_find(*text, SEPARATOR));
	size_t equals = span_find(pair, '=');

	if (pair.length == text->length || equals == 0 || equals == pair.length)
		return false;
	*key_out = span_slice(pair, 0, equals);
	*value_out = span_from(pair, equals + 1);
	*text = span_from(*text, pair.length + 1);
	return true;
}

static bool
is_text(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] == 0)
			return false;
	return true;
}

/* Unknown keys, host and port among them, mean nothing here; none may come twice. */
static bool
read_pairs(struct span text, struct pairs *pairs)
{
	struct span key, value;

	while (text.length > 1) {
		bool is_user, is_authorization;

		if (!take_pair(&text, &key, &value))
			return false;
		is_user = span_equals(key, SPAN("user"));
		is_authorization = span_equals(key, SPAN("auth"));
		if ((is_user && pairs->has_user) || (is_authorization && pairs->has_authorization))
			return false;
		pairs->has_user |= is_user;
		pairs->has_authorization |= is_authorization;
		pairs->user = is_user ? value : pairs->user;
		pairs->authorization = is_authorization ? value : pairs->authorization;
	}
	return span_equals(text, SPAN("\x01")) && pairs->has_authorization;
}

static void
add_member(struct buffer *json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buffer_printf(json, "%s\"%s\":\"", json->length > 1 ? "," : "", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_add_octet(json, '\\');
		buffer_add_octet(json, (uint8_t)*value);
	}
	buffer_add_octet(json, '"');
}

/* RFC 7628 section 3.2.2; XOAUTH2 has numbers of HTTP. */
static enum sasl_event
refuse(struct sasl *sasl, const char *reason, const char *status)
{
	bool is_old = sasl->mechanism == SASL_XOAUTH2, is_request = strcmp(status, "invalid_request") == 0;
	struct buffer json = { 0 };
	enum sasl_event event;

	buffer_add_octet(&json, '{');
	add_member(&json, "status", is_old ? (is_request ? "400" : "401") : status);
	add_member(&json, "schemes", is_old ? "bearer" : NULL);
	add_member(&json, "scope", sasl->facts.token_scope);
	add_member(&json, "openid-configuration", is_old ? NULL : sasl->facts.openid_configuration);
	buffer_add_octet(&json, '}');
	sasl->reason = reason;
	event = sasl_send(sasl, SASL_LAST, buffer_span(&json));
	buffer_free(&json);
	return event;
}

/* RFC 6750 section 2.1: "Bearer" SP b64token. */
static enum sasl_event
take_authorization(struct sasl *sasl, struct span authorization)
{
	static const struct span scheme = SPAN("Bearer ");
	struct span token = span_trim(span_from(authorization, scheme.length));

	if (authorization.length == 0)		/* it asks for what it needs to get a token */
		return refuse(sasl, "token-malformed", "invalid_token");
	if (!span_starts_with_nocase(authorization, scheme) || token.length == 0)
		return refuse(sasl, "token-malformed", "invalid_request");
	sasl_keep_secret(sasl, token);
	return sasl_ask(sasl, SASL_CHECK_TOKEN);
}

/* Whatever the client says to the error, it is over (RFC 7628 section 3.2.3). */
static enum sasl_event
end(struct sasl *sasl)
{
	return sasl_fail(sasl, sasl->reason);
}

/* The GS2 header (RFC 5801 section 4), of which nothing but the name means something here. */
static bool
take_header(struct sasl *sasl, struct span *message)
{
	struct span flag = span_slice(*message, 0, span_find(*message, ','));
	struct span name;

	if (!span_equals(flag, SPAN("n")) && !span_equals(flag, SPAN("y")))
		return false;
	*message = span_from(*message, flag.length + 1);
	name = span_slice(*message, 0, span_find(*message, ','));
	if (name.length == message->length)
		return false;
	*message = span_from(*message, name.length + 1);
	if (name.length == 0)
		return true;
	return span_starts_with(name, SPAN("a=")) && sasl_read_name(span_from(name, 2), &sasl->user);
}

enum sasl_event
sasl_take_oauthbearer(struct sasl *sasl, struct span message)
{
	struct pairs pairs = { .has_user = false };

	if (sasl->step == SASL_LAST)
		return end(sasl);
	if (!is_text(message) || !take_header(sasl, &message) || message.length == 0 || message.at[0] != SEPARATOR ||
	    !read_pairs(span_from(message, 1), &pairs))
		return sasl_end(sasl, SASL_MALFORMED);
	return take_authorization(sasl, pairs.authorization);
}

enum sasl_event
sasl_take_xoauth2(struct sasl *sasl, struct span message)
{
	struct pairs pairs = { .has_user = false };

	if (sasl->step == SASL_LAST)
		return end(sasl);
	if (!is_text(message) || !read_pairs(message, &pairs) || pairs.user.length == 0)
		return sasl_end(sasl, SASL_MALFORMED);
	buffer_add_span(&sasl->user, pairs.user);
	return take_authorization(sasl, pairs.authorization);
}

/* Whom the client names is as whom it wants to act, when the token stands for somebody else. */
enum sasl_event
sasl_token(struct sasl *sasl, enum token_verdict verdict, struct span user)
{
	struct buffer named = { 0 };

	assert(sasl->step == SASL_ASKED && (SASL_BIT(sasl->mechanism) & SASL_BEARER) != 0);
	if (verdict == TOKEN_SCOPE)
		return refuse(sasl, token_verdict_word(verdict), "insufficient_scope");
	if (verdict != TOKEN_GOOD)
		return refuse(sasl, token_verdict_word(verdict), "invalid_token");
	buffer_add_span(&named, buffer_span(&sasl->user));
	buffer_clear(&sasl->user);
	buffer_add_span(&sasl->user, user);
	sasl_keep_identity(sasl, buffer_span(&named));
	buffer_free(&named);
	return sasl_ask(sasl, SASL_AUTHORIZE);
}

enum sasl_event
sasl_found(struct sasl *sasl, bool is_found)
{
	const char *reason = is_found ? "not-permitted" : "unknown-user";

	assert(sasl->step == SASL_ASKED);
	if (is_found && !sasl->is_forbidden)
		return sasl_end(sasl, SASL_DONE);
	if (sasl->mechanism == SASL_EXTERNAL)
		return sasl_fail(sasl, reason);
	return refuse(sasl, reason, "invalid_token");
}
