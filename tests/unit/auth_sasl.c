/*
 * SASL exchanges: the example of RFC 7677, and everything that must not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/auth/scram.h"
#include "auth/password.h"
#include "auth/sasl.h"
#include "base/base64.h"
#include "base/memory.h"

#define SECRET SPAN("the server's secret")

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
	assert_false(sasl_find_mechanism(SPAN("EXTERNAL"), permitted, &mechanism));
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
		{ SPAN("root\0tim\0x"), SASL_FAILED },
		{ SPAN(""), SASL_MALFORMED },
		{ SPAN("tim"), SASL_MALFORMED },
		{ SPAN("\0tim"), SASL_MALFORMED },
		{ SPAN("\0tim\0"), SASL_MALFORMED },
		{ SPAN("\0\0x"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0"), SASL_MALFORMED },
		{ SPAN("\0tim\0x\0y"), SASL_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, SECRET);

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

static void
refuses_loose_base64(void **state)
{
	static const char *const lines[] = {
		"AHRpbQB4 ", " AHRpbQB4", "AHRpbQB", "AHRpbQB4=", "AHRpbQB4====", "AHRp\nbQB4", "\xff",
		"AHRpbQB4eR==", "===", "AHRpbQB4AA=A",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct sasl *sasl = sasl_new(SASL_PLAIN, SECRET);

		assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
		assert_int_equal(sasl_challenge(sasl).length, 0);
		assert_int_equal(sasl_respond(sasl, span_from_string(lines[i])), SASL_MALFORMED);
		sasl_free(&sasl);
	}
}

static void
refuses_long_lines(void **state)
{
	struct sasl *sasl = sasl_new(SASL_PLAIN, SECRET);
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
	struct sasl *sasl = sasl_new(SASL_LOGIN, SECRET);

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

	sasl = sasl_new(SASL_LOGIN, SECRET);
	assert_int_equal(start(sasl, SPAN("tim")), SASL_CHALLENGE);
	assert_int_equal(sasl_respond(sasl, SPAN("*")), SASL_CANCELLED);
	sasl_free(&sasl);
}

static void
external(void **state)
{
	struct sasl *sasl = sasl_new(SASL_EXTERNAL, SECRET);

	(void)state;
	assert_int_equal(start(sasl, SPAN("tim@example.org")), SASL_DONE);
	assert_true(span_equals(sasl_user(sasl), SPAN("tim@example.org")));
	sasl_free(&sasl);
	sasl = sasl_new(SASL_EXTERNAL, SECRET);
	assert_int_equal(start(sasl, SPAN("")), SASL_MALFORMED);
	sasl_free(&sasl);
}

/* RFC 7677 section 3. */
#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE CLIENT_NONCE SERVER_NONCE
#define PROOF "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

static enum scram_result
run_example(struct span first, struct span final, struct buffer *out)
{
	struct scram scram = { .keys = { .iterations = 4096 } };
	struct buffer text = { 0 };
	enum scram_result result;

	result = scram_client_first(&scram, first, SPAN(SERVER_NONCE), &text);
	if (result == SCRAM_GOOD) {
		assert_true(base64_decode(SPAN("W22ZaJ0SNY7soEsUEjb6gQ=="), &text));
		scram.keys.salt_length = text.length - 4;	/* behind "user" */
		memcpy(scram.keys.salt, text.at + 4, scram.keys.salt_length);
		scram_keys_derive(&scram.keys, SPAN("pencil"));
		buffer_clear(&text);
		scram_server_first(&scram, &text);
		assert_true(span_equals(buffer_span(&text),
		    SPAN("r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")));
		result = scram_client_final(&scram, final, out);
	}
	scram_fini(&scram);
	buffer_free(&text);
	return result;
}

static void
scram_example(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(run_example(SPAN("n,,n=user,r=" CLIENT_NONCE),
	    SPAN("c=biws,r=" NONCE "," PROOF), &out), SCRAM_GOOD);
	assert_true(span_equals(buffer_span(&out),
	    SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
	buffer_free(&out);
}

static void
scram_refuses_first(void **state)
{
	static const struct {
		struct span message;
		enum scram_result expected;
	} cases[] = {
		{ SPAN("n,,n=user,r=abc"), SCRAM_GOOD },
		{ SPAN("y,,n=user,r=abc"), SCRAM_GOOD },
		{ SPAN("n,a=user,n=user,r=abc"), SCRAM_GOOD },
		{ SPAN("n,,n=user,r=abc,x=extension"), SCRAM_GOOD },
		{ SPAN("n,,n=us=2Cer=3D,r=abc"), SCRAM_GOOD },
		{ SPAN("n,a=root,n=user,r=abc"), SCRAM_WRONG },
		{ SPAN("p=tls-unique,,n=user,r=abc"), SCRAM_WRONG },
		{ SPAN("p=tls-exporter,,n=user,r=abc"), SCRAM_WRONG },
		{ SPAN("N,,n=user,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,n=user,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,m=must,n=user,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,r=abc,n=user"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,n=user,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=abc,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=abc,"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=abc,=x"), SCRAM_MALFORMED },
		{ SPAN("n,,n=,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r="), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=a c"), SCRAM_MALFORMED },
		{ SPAN("n,,n=us=er,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user=2c,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=user=,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,n=us\0er,r=abc"), SCRAM_MALFORMED },
		{ SPAN("n,,"), SCRAM_MALFORMED },
		{ SPAN("n"), SCRAM_MALFORMED },
		{ SPAN(""), SCRAM_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scram scram = { 0 };
		struct buffer user = { 0 };

		assert_int_equal(scram_client_first(&scram, cases[i].message, SPAN("xyz"), &user),
		    cases[i].expected);
		scram_fini(&scram);
		buffer_free(&user);
	}
}

static void
scram_refuses_final(void **state)
{
	static const struct {
		struct span first, final;
		enum scram_result expected;
	} cases[] = {
		/* The header changed on the way, here and there. */
		{ SPAN("y,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,r=" NONCE "," PROOF), SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=eSws,r=" NONCE "," PROOF), SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biwt,r=" NONCE "," PROOF), SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws=,r=" NONCE "," PROOF), SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,r=" CLIENT_NONCE "," PROOF),
		    SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,r=" NONCE ",x=y," PROOF),
		    SCRAM_WRONG },
		{ SPAN("n,,n=User,r=" CLIENT_NONCE), SPAN("c=biws,r=" NONCE "," PROOF), SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE),
		    SPAN("c=biws,r=" NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR="),
		    SCRAM_MALFORMED },	/* not canonical */
		{ SPAN("n,,n=user,r=" CLIENT_NONCE),
		    SPAN("c=biws,r=" NONCE ",p=AHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
		    SCRAM_WRONG },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,r=" NONCE ",p=dHzb"),
		    SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("r=" NONCE ",c=biws," PROOF),
		    SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,c=biws,r=" NONCE "," PROOF),
		    SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN("c=biws,r=" NONCE "," PROOF ",x=y"),
		    SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN(PROOF), SCRAM_MALFORMED },
		{ SPAN("n,,n=user,r=" CLIENT_NONCE), SPAN(""), SCRAM_MALFORMED },
	};
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(run_example(cases[i].first, cases[i].final, &out), cases[i].expected);
	assert_int_equal(out.length, 0);
	buffer_free(&out);
}

/* What the client of a test does with the server's first message: the final one, for a password. */
static void
write_final(struct span server_first, const char *client_first, struct span password,
    struct buffer *out)
{
	struct buffer auth_message = { 0 }, salt = { 0 }, proof = { 0 };
	struct scram_keys keys = { .iterations = PASSWORD_ITERATIONS };
	uint8_t salted[DIGEST_LENGTH] = { 0 }, client_key[DIGEST_LENGTH], last[DIGEST_LENGTH];
	size_t nonce_end = span_find(server_first, ',');
	struct span rest = span_from(server_first, nonce_end + 3);
	uint8_t mac[DIGEST_LENGTH];

	assert_true(base64_decode(span_slice(rest, 0, span_find(rest, ',')), &salt));
	keys.salt_length = salt.length;
	memcpy(keys.salt, salt.at, salt.length);
	scram_keys_derive(&keys, password);
	buffer_add(&salt, "\0\0\0\1", 4);
	hmac(password, buffer_span(&salt), last);
	memcpy(salted, last, sizeof salted);
	for (unsigned i = 1; i < PASSWORD_ITERATIONS; i++) {
		hmac(password, span_of(last, sizeof last), mac);
		memcpy(last, mac, sizeof last);
		for (size_t at = 0; at < sizeof salted; at++)
			salted[at] ^= last[at];
	}
	hmac(span_of(salted, sizeof salted), SPAN("Client Key"), client_key);
	buffer_printf(out, "c=biws,%.*s", (int)nonce_end, (const char *)server_first.at);
	buffer_printf(&auth_message, "%s,%.*s,%.*s", client_first, SPAN_ARGS(server_first),
	    SPAN_ARGS(buffer_span(out)));
	hmac(span_of(keys.stored_key, DIGEST_LENGTH), buffer_span(&auth_message), mac);
	for (size_t at = 0; at < sizeof mac; at++)
		mac[at] ^= client_key[at];
	base64_encode(span_of(mac, sizeof mac), &proof);
	buffer_printf(out, ",p=%.*s", SPAN_ARGS(buffer_span(&proof)));
	buffer_free(&auth_message);
	buffer_free(&salt);
	buffer_free(&proof);
}

static enum sasl_event
log_in(struct span credential, struct span password)
{
	struct sasl *sasl = sasl_new(SASL_SCRAM_SHA_256, SECRET);
	struct buffer server_first = { 0 }, final = { 0 };
	enum sasl_event event;

	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	assert_int_equal(respond(sasl, SPAN("n,,n=tim,r=abc")), SASL_LOOK_UP);
	assert_true(span_equals(sasl_user(sasl), SPAN("tim")));
	assert_int_equal(sasl_credential(sasl, credential), SASL_CHALLENGE);
	assert_true(base64_decode(sasl_challenge(sasl), &server_first));
	write_final(buffer_span(&server_first), "n=tim,r=abc", password, &final);
	event = respond(sasl, buffer_span(&final));
	if (event == SASL_CHALLENGE)
		event = sasl_respond(sasl, SPAN(""));
	sasl_free(&sasl);
	buffer_free(&server_first);
	buffer_free(&final);
	return event;
}

static void
scram_logs_in(void **state)
{
	struct buffer credential = { 0 };

	(void)state;
	assert_true(password_derive(SPAN("secret"), &credential));
	assert_int_equal(log_in(buffer_span(&credential), SPAN("secret")), SASL_DONE);
	assert_int_equal(log_in(buffer_span(&credential), SPAN("Secret")), SASL_FAILED);
	assert_int_equal(log_in(SPAN(""), SPAN("secret")), SASL_FAILED);
	assert_int_equal(log_in(SPAN("$6$salt$hash"), SPAN("secret")), SASL_FAILED);
	buffer_free(&credential);
}

/* An unknown user always seems to have the same salt, and not another user's. */
static void
fakes_stable_salts(void **state)
{
	struct scram a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	scram_fake_keys(&a, SECRET, SPAN("nobody"));
	scram_fake_keys(&b, SECRET, SPAN("Nobody"));
	scram_fake_keys(&c, SECRET, SPAN("nobody2"));
	assert_memory_equal(a.keys.salt, b.keys.salt, SCRAM_SALT_LENGTH);
	assert_memory_not_equal(a.keys.salt, c.keys.salt, SCRAM_SALT_LENGTH);
	assert_int_equal(a.keys.iterations, PASSWORD_ITERATIONS);
	assert_int_equal(a.keys.salt_length, SCRAM_SALT_LENGTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_mechanisms),
		cmocka_unit_test(plain),
		cmocka_unit_test(refuses_loose_base64),
		cmocka_unit_test(refuses_long_lines),
		cmocka_unit_test(login),
		cmocka_unit_test(external),
		cmocka_unit_test(scram_example),
		cmocka_unit_test(scram_refuses_first),
		cmocka_unit_test(scram_refuses_final),
		cmocka_unit_test(scram_logs_in),
		cmocka_unit_test(fakes_stable_salts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
