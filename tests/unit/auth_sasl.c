/*
 * SASL exchanges that are not SCRAM: passwords, tokens, certificates, and everything that must not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/sasl.h"
#include "base/base64.h"
#include "base/memory.h"

static const struct sasl_facts facts = { .offered = ~0u };

static enum sasl_event
respond(struct sasl *sasl, struct span message)
{
	struct buffer line = { 0 };
	enum sasl_event event;

	base64_encode(message, &line);
	event = sasl_respond(sasl, buffer_span(&line));
	buffer_free(&line);
	return event;
}

static enum sasl_event
start(struct sasl *sasl, struct span message)
{
	struct buffer line = { 0 };
	struct span span;
	enum sasl_event event;

	base64_encode(message, &line);
	span = line.length == 0 ? SPAN("=") : buffer_span(&line);
	event = sasl_start(sasl, &span);
	buffer_free(&line);
	return event;
}

static void
finds_mechanisms(void **state)
{
	unsigned permitted = 1u << SASL_PLAIN | 1u << SASL_SCRAM_SHA_256;
	enum sasl_mechanism mechanism = SASL_MECHANISM_COUNT;

	(void)state;
	assert_true(sasl_find_mechanism(SPAN("scram-sha-256"), permitted, &mechanism));
	assert_int_equal(mechanism, SASL_SCRAM_SHA_256);
	assert_false(sasl_find_mechanism(SPAN("SCRAM-SHA-256-PLUS"), permitted, &mechanism));
	assert_true(sasl_find_mechanism(SPAN("SCRAM-SHA-256-PLUS"), ~0u, &mechanism));
	assert_int_equal(mechanism, SASL_SCRAM_SHA_256_PLUS);
	assert_false(sasl_find_mechanism(SPAN("PLAI"), permitted, &mechanism));
	assert_string_equal(sasl_mechanism_name(SASL_LOGIN), "LOGIN");
}

static void
plain(void **state)
{
	static const struct {
		struct span message;
		enum sasl_event expected;
	} cases[] = {
		{ SPAN("\0tim\0tanstaaftanstaaf"), SASL_VERIFY },	/* RFC 4616 section 4 */
		{ SPAN("tim\0tim\0x"), SASL_VERIFY },
		{ SPAN("TIM\0tim\0x"), SASL_VERIFY },
		{ SPAN("root\0tim\0x"), SASL_VERIFY },	/* to act as root */
		{ SPAN(""), SASL_MALFORMED },
		{ SPAN("tim"), SASL_MALFORMED },
		{ SPAN("\0tim"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0y"), SASL_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);

		assert_int_equal(start(sasl, cases[i].message), cases[i].expected);
		if (cases[i].expected == SASL_VERIFY) {
			assert_true(span_equals(sasl_user(sasl), SPAN("tim")));
			assert_true(sasl_password(sasl).length > 0);
			assert_int_equal(sasl_verified(sasl, i != 0),
			    i != 0 ? SASL_DONE : SASL_FAILED);
		}
		sasl_free(&sasl);
		assert_null(sasl);
	}
}

/* An empty name or password is asked about as any other. */
static void
takes_nothing_for_a_name(void **state)
{
	static const struct span messages[] = { SPAN("\0tim\0"), SPAN("\0\0x"), SPAN("\0\0") };
	struct sasl *sasl;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		sasl = sasl_new(SASL_PLAIN, &facts);
		assert_int_equal(start(sasl, messages[i]), SASL_VERIFY);
		assert_int_equal(sasl_user(sasl).length, i == 0 ? 3 : 0);
		assert_int_equal(sasl_password(sasl).length, i == 1 ? 1 : 0);
		assert_int_equal(sasl_verified(sasl, false), SASL_FAILED);
		sasl_free(&sasl);
	}
	sasl = sasl_new(SASL_LOGIN, &facts);
	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	assert_int_equal(respond(sasl, SPAN("")), SASL_CHALLENGE);
	assert_int_equal(respond(sasl, SPAN("")), SASL_VERIFY);
	sasl_free(&sasl);
}

static void
refuses_loose_base64(void **state)
{
	static const char *const lines[] = {
		"AHRpbQB4 ", " AHRpbQB4", "AHRpbQB", "AHRpbQB4=", "AHRpbQB4====", "AHRp\nbQB4", "\xff",
		"AHRpbQB4eR==", "===", "AHRpbQB4AA=A",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);

		assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
		assert_int_equal(sasl_challenge(sasl).length, 0);
		assert_int_equal(sasl_respond(sasl, span_from_string(lines[i])), SASL_MALFORMED);
		sasl_free(&sasl);
	}
}

static void
refuses_long_lines(void **state)
{
	struct sasl *sasl = sasl_new(SASL_PLAIN, &facts);
	static char line[SASL_LINE_MAX + 4];
	struct span span = span_of(line, sizeof line);

	(void)state;
	memset(line, 'A', sizeof line);
	assert_int_equal(sasl_start(sasl, &span), SASL_MALFORMED);
	sasl_free(&sasl);
}

static void
login(void **state)
{
	struct sasl *sasl = sasl_new(SASL_LOGIN, &facts);

	(void)state;
	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	assert_true(span_equals(sasl_challenge(sasl), SPAN("VXNlcm5hbWU6")));
	assert_int_equal(respond(sasl, SPAN("tim")), SASL_CHALLENGE);
	assert_true(span_equals(sasl_challenge(sasl), SPAN("UGFzc3dvcmQ6")));
	assert_int_equal(respond(sasl, SPAN("secret")), SASL_VERIFY);
	assert_true(span_equals(sasl_user(sasl), SPAN("tim")));
	assert_true(span_equals(sasl_password(sasl), SPAN("secret")));
	assert_int_equal(sasl_verified(sasl, true), SASL_DONE);
	sasl_free(&sasl);

	sasl = sasl_new(SASL_LOGIN, &facts);
	assert_int_equal(start(sasl, SPAN("tim")), SASL_CHALLENGE);
	assert_int_equal(sasl_respond(sasl, SPAN("*")), SASL_CANCELLED);
	sasl_free(&sasl);
}

/* ---- tokens --------------------------------------------------------------------------------------------- */

#define S "\x01"

static const struct {
	enum sasl_mechanism mechanism;
	struct span message;
	enum sasl_event expected;
	const char *user, *token;
} bearers[] = {
	/* RFC 7628 section 4.1 */
	{ SASL_OAUTHBEARER, SPAN("n,a=user@example.com," S "host=server.example.com" S "port=143" S
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==" S S), SASL_CHECK_TOKEN, "user@example.com",
	    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc" S S), SASL_CHECK_TOKEN, "", "abc" },
	{ SASL_OAUTHBEARER, SPAN("y,a=a=2Cb=3Dc," S "auth=bearer  abc" S "other=x=y" S S), SASL_CHECK_TOKEN, "a,b=c", "abc" },
	{ SASL_XOAUTH2, SPAN("user=someuser@example.com" S "auth=Bearer ya29.vF9dft4qmTc2" S S), SASL_CHECK_TOKEN,
	    "someuser@example.com", "ya29.vF9dft4qmTc2" },
	{ SASL_XOAUTH2, SPAN("auth=Bearer abc" S "user=tim" S S), SASL_CHECK_TOKEN, "tim", "abc" },
	/* What is answered with an error in JSON. */
	{ SASL_OAUTHBEARER, SPAN("n,a=tim," S "auth=" S S), SASL_CHALLENGE, "tim", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Basic abc" S S), SASL_CHALLENGE, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer " S S), SASL_CHALLENGE, "", "" },
	{ SASL_XOAUTH2, SPAN("user=tim" S "auth=Bearer" S S), SASL_CHALLENGE, "tim", "" },
	/* What is no message. */
	{ SASL_OAUTHBEARER, SPAN("p=tls-exporter,," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,tim," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,a=," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,a=t=im," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc" S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc"), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc" S S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc" S S "x"), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer abc" S "auth=Bearer abd" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "host=x" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "=x" S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN("n,," S "auth=Bearer a\0c" S S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN(S), SASL_MALFORMED, "", "" },
	{ SASL_OAUTHBEARER, SPAN(""), SASL_MALFORMED, "", "" },
	{ SASL_XOAUTH2, SPAN("auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_XOAUTH2, SPAN("user=" S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_XOAUTH2, SPAN("user=tim" S "user=tom" S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
	{ SASL_XOAUTH2, SPAN("user=tim" S S), SASL_MALFORMED, "", "" },
	{ SASL_XOAUTH2, SPAN("n,a=tim," S "auth=Bearer abc" S S), SASL_MALFORMED, "", "" },
};

static void
bearer_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bearers); i++) {
		struct sasl *sasl = sasl_new(bearers[i].mechanism, &facts);
		enum sasl_event event = start(sasl, bearers[i].message);

		if (event != bearers[i].expected)
			fail_msg("message %zu: event %d", i, (int)event);
		if (event != SASL_MALFORMED) {
			assert_true(span_equals(sasl_user(sasl), span_from_string(bearers[i].user)));
			assert_true(span_equals(sasl_password(sasl), span_from_string(bearers[i].token)));
		}
		sasl_free(&sasl);
	}
}

static struct sasl *
bearer(enum sasl_mechanism mechanism, const struct sasl_facts *about)
{
	struct sasl *sasl = sasl_new(mechanism, about);

	assert_int_equal(start(sasl, mechanism == SASL_XOAUTH2 ? SPAN("user=tim" S "auth=Bearer abc" S S) :
		SPAN("n,a=tim," S "auth=Bearer abc" S S)), SASL_CHECK_TOKEN);
	return sasl;
}

static void
expect_challenge(const struct sasl *sasl, const char *json)
{
	struct buffer text = { 0 };

	assert_true(base64_decode(sasl_challenge(sasl), &text));
	assert_string_equal(buffer_string(&text), json);
	buffer_free(&text);
}

/* RFC 7628 section 3.2.2: the error, what the client says to it, and the end. */
static void
bearer_errors(void **state)
{
	struct sasl_facts more = { .token_scope = "imap \"x\"", .openid_configuration = "https://id.example/" };
	static const struct {
		enum sasl_mechanism mechanism;
		enum token_verdict verdict;
		const char *json, *answer;
	} errors[] = {
		{ SASL_OAUTHBEARER, TOKEN_EXPIRED, "{\"status\":\"invalid_token\",\"scope\":\"imap \\\"x\\\"\","
		    "\"openid-configuration\":\"https://id.example/\"}", "AQ==" },
		{ SASL_OAUTHBEARER, TOKEN_SCOPE, "{\"status\":\"insufficient_scope\",\"scope\":\"imap \\\"x\\\"\","
		    "\"openid-configuration\":\"https://id.example/\"}", "" },
		{ SASL_XOAUTH2, TOKEN_SIGNATURE, "{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"imap \\\"x\\\"\"}",
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		struct sasl *sasl = bearer(errors[i].mechanism, &more);

		assert_int_equal(sasl_token(sasl, errors[i].verdict, SPAN("")), SASL_CHALLENGE);
		expect_challenge(sasl, errors[i].json);
		assert_int_equal(sasl_respond(sasl, span_from_string(errors[i].answer)), SASL_FAILED);
		assert_string_equal(sasl_reason(sasl), token_verdict_word(errors[i].verdict));
		sasl_free(&sasl);
		sasl = bearer(errors[i].mechanism, &more);
		assert_int_equal(sasl_token(sasl, errors[i].verdict, SPAN("")), SASL_CHALLENGE);
		assert_int_equal(sasl_respond(sasl, SPAN("*")), SASL_CANCELLED);
		assert_non_null(sasl_reason(sasl));
		sasl_free(&sasl);
	}
}

static void
bearer_users(void **state)
{
	struct sasl *sasl = bearer(SASL_OAUTHBEARER, &facts);

	(void)state;
	assert_int_equal(sasl_token(sasl, TOKEN_GOOD, SPAN("Tim")), SASL_AUTHORIZE);
	assert_int_equal(sasl_found(sasl, true), SASL_DONE);
	sasl_free(&sasl);
	/* A good token of somebody who may not act so, and of somebody who is not there, look alike. */
	sasl = bearer(SASL_OAUTHBEARER, &facts);
	assert_int_equal(sasl_token(sasl, TOKEN_GOOD, SPAN("tom")), SASL_AUTHORIZE);
	assert_true(span_equals(sasl_user(sasl), SPAN("tom")) && span_equals_nocase(sasl_identity(sasl), SPAN("tim")));
	sasl_forbid(sasl);
	assert_int_equal(sasl_found(sasl, true), SASL_CHALLENGE);
	expect_challenge(sasl, "{\"status\":\"invalid_token\"}");
	assert_int_equal(sasl_respond(sasl, SPAN("AQ==")), SASL_FAILED);
	assert_string_equal(sasl_reason(sasl), "not-permitted");
	sasl_free(&sasl);
	sasl = bearer(SASL_OAUTHBEARER, &facts);
	assert_int_equal(sasl_token(sasl, TOKEN_GOOD, SPAN("tom")), SASL_AUTHORIZE);
	assert_int_equal(sasl_found(sasl, true), SASL_DONE);
	sasl_free(&sasl);
	sasl = bearer(SASL_OAUTHBEARER, &facts);
	assert_int_equal(sasl_token(sasl, TOKEN_GOOD, SPAN("tim")), SASL_AUTHORIZE);
	assert_int_equal(sasl_found(sasl, false), SASL_CHALLENGE);
	expect_challenge(sasl, "{\"status\":\"invalid_token\"}");
	assert_int_equal(sasl_respond(sasl, SPAN("AQ==")), SASL_FAILED);
	sasl_free(&sasl);
	/* The client may leave it to the token. */
	sasl = sasl_new(SASL_OAUTHBEARER, &facts);
	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	assert_int_equal(respond(sasl, SPAN("n,," S "auth=Bearer abc" S S)), SASL_CHECK_TOKEN);
	assert_int_equal(sasl_token(sasl, TOKEN_GOOD, SPAN("tom")), SASL_AUTHORIZE);
	assert_true(span_equals(sasl_user(sasl), SPAN("tom")));
	sasl_free(&sasl);
}

/* ---- certificates --------------------------------------------------------------------------------------- */

static void
external(void **state)
{
	static const struct span names[] = { SPAN("tim@example.org"), SPAN("info@example.org") };
	const struct sasl_facts two = { .certificate_names = names, .certificate_name_count = 2 };
	static const struct {
		struct span message;
		enum sasl_event expected;
		const char *user, *reason;
	} messages[] = {
		{ SPAN(""), SASL_AUTHORIZE, "tim@example.org", NULL },
		{ SPAN("INFO@example.org"), SASL_AUTHORIZE, "INFO@example.org", NULL },
		{ SPAN("root@example.org"), SASL_AUTHORIZE, "tim@example.org", NULL },	/* wants to act as that */
		{ SPAN("tim@example.org\0"), SASL_MALFORMED, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct sasl *sasl = sasl_new(SASL_EXTERNAL, &two);

		assert_int_equal(start(sasl, messages[i].message), messages[i].expected);
		assert_true(span_equals(sasl_user(sasl), span_from_string(messages[i].user)));
		if (messages[i].reason != NULL)
			assert_string_equal(sasl_reason(sasl), messages[i].reason);
		if (messages[i].expected == SASL_AUTHORIZE)
			assert_int_equal(sasl_found(sasl, i == 0), i == 0 ? SASL_DONE : SASL_FAILED);
		sasl_free(&sasl);
	}
}

/* A certificate without a name is nobody's, whatever is asked for (CVE-2019-3814). */
static void
external_without_names(void **state)
{
	static const struct span messages[] = { SPAN(""), SPAN("tim") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct sasl *sasl = sasl_new(SASL_EXTERNAL, &facts);

		assert_int_equal(start(sasl, messages[i]), SASL_FAILED);
		assert_string_equal(sasl_reason(sasl), "certificate");
		sasl_free(&sasl);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_mechanisms),
		cmocka_unit_test(plain),
		cmocka_unit_test(takes_nothing_for_a_name),
		cmocka_unit_test(refuses_loose_base64),
		cmocka_unit_test(refuses_long_lines),
		cmocka_unit_test(login),
		cmocka_unit_test(bearer_messages),
		cmocka_unit_test(bearer_errors),
		cmocka_unit_test(bearer_users),
		cmocka_unit_test(external),
		cmocka_unit_test(external_without_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
