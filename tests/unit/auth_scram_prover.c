/*
 * The client's side of SCRAM: the examples of RFC 5802 and RFC 7677, our own server as the other side, and servers that
 * do not know the password or send nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/auth/scram.h"
#include "auth/password.h"
#include "auth/scram_prover.h"
#include "base/memory.h"

static const struct {
	bool is_sha256;
	const char *nonce, *first, *server_first, *final, *server_final;
} examples[] = {
	/* RFC 5802 section 5 */
	{ false, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	/* RFC 7677 section 3 */
	{ true, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static struct scram_prover *
begin(size_t example, struct buffer *out)
{
	struct scram_proof proof = { .is_sha256 = examples[example].is_sha256, .user = SPAN("user"),
		.password = SPAN("pencil"), .nonce = span_from_string(examples[example].nonce) };
	struct scram_prover *prover = scram_prover_new(&proof);

	buffer_clear(out);
	scram_prover_begin(prover, out);
	return prover;
}

static void
follows_the_examples(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		struct scram_prover *prover = begin(i, &out);
		struct span right = span_from_string(examples[i].server_final);

		assert_string_equal(buffer_string(&out), examples[i].first);
		assert_false(scram_prover_check(prover, right));	/* before there is anything to prove */
		buffer_clear(&out);
		assert_true(scram_prover_answer(prover, span_from_string(examples[i].server_first), &out));
		assert_string_equal(buffer_string(&out), examples[i].final);
		assert_true(scram_prover_check(prover, right));
		assert_false(scram_prover_check(prover, span_slice(right, 0, right.length - 1)));
		assert_false(scram_prover_check(prover, SPAN("v=")));
		assert_false(scram_prover_check(prover, SPAN("e=other-error")));
		assert_false(scram_prover_check(prover, span_from_string(examples[1 - i].server_final)));
		scram_prover_free(&prover);
	}
	buffer_free(&out);
}

static const char *const nonsense[] = {
	"", "r=", "r=rOprNGfwEbeRWgbNEkqO,s=QSXCR+Q6sek8bf92,i=4096",	/* the server has added nothing */
	"r=other,s=QSXCR+Q6sek8bf92,i=4096",
	"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4095",		/* too few iterations: RFC 7677 section 4 */
	"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4294967296",
	"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=",
	"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92",
	"r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
	"r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
	"m=must,r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4096",	/* RFC 5802 section 5.1: must be understood */
	"e=unknown-user",
};

static void
refuses_nonsense(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nonsense); i++) {
		struct scram_prover *prover = begin(1, &out);

		buffer_clear(&out);
		if (scram_prover_answer(prover, span_from_string(nonsense[i]), &out) || out.length > 0)
			fail_msg("%s", nonsense[i]);
		scram_prover_free(&prover);
	}
	buffer_free(&out);
}

/* An exchange with our own server; whether both are convinced. */
static bool
meets_server(const struct scram_proof *proof, struct scram *scram, const char *password, struct buffer *user_out,
    struct buffer *identity_out)
{
	struct scram_prover *prover = scram_prover_new(proof);
	struct buffer credential = { 0 }, from_client = { 0 }, from_server = { 0 };
	bool is_good = true;

	assert_true(password_derive(span_from_string(password), true, &credential));
	scram->hash = proof->is_sha256 ? HASH_SHA_256 : HASH_SHA_1;
	scram_prover_begin(prover, &from_client);
	is_good = scram_client_first(scram, buffer_span(&from_client), SPAN("xyz"), user_out, identity_out) == SCRAM_GOOD;
	if (is_good) {
		scram_use_credential(scram, buffer_span(&credential), SPAN("secret"), buffer_span(user_out));
		scram_server_first(scram, &from_server);
		buffer_clear(&from_client);
		assert_true(scram_prover_answer(prover, buffer_span(&from_server), &from_client));
		buffer_clear(&from_server);
		is_good = scram_client_final(scram, buffer_span(&from_client), &from_server) == SCRAM_GOOD &&
		    scram_prover_check(prover, buffer_span(&from_server));
	}
	scram_fini(scram);
	scram_prover_free(&prover);
	buffer_free(&credential);
	buffer_free(&from_client);
	buffer_free(&from_server);
	return is_good;
}

static void
meets_our_server(void **state)
{
	struct sasl_binding bindings[SASL_BINDING_COUNT] = { { "tls-exporter", { NULL, 0 } },
		{ "tls-server-end-point", SPAN("end point") } };
	struct scram_proof proof = { .is_sha256 = true, .user = SPAN("a,b=c"), .password = SPAN("p\u00e4ss"),
		.identity = SPAN("other") };

	(void)state;
	for (unsigned way = 0; way < 6; way++) {
		struct buffer user = { 0 }, identity = { 0 };
		struct scram scram = { .bindings = bindings, .is_plus = way == 2 || way == 3,
			.is_plus_offered = way == 2 || way == 3 || way == 5 };
		bool is_good;

		proof.is_sha256 = way != 1;
		proof.end_point = way == 2 ? SPAN("end point") : way == 3 ? SPAN("another") : (struct span){ NULL, 0 };
		proof.could_bind = way >= 4;
		/* 3: somebody in the middle shows another certificate; 5: somebody has hidden the -PLUS. */
		is_good = meets_server(&proof, &scram, "p\u00e4ss", &user, &identity);
		assert_int_equal(is_good, way != 3 && way != 5);
		if (is_good) {
			assert_string_equal(buffer_string(&user), "a,b=c");
			assert_string_equal(buffer_string(&identity), "other");
		}
		buffer_free(&user);
		buffer_free(&identity);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_examples),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(meets_our_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
