/*
 * SCRAM: the examples of RFC 5802 and RFC 7677, channel binding, and exchanges that are changed in every way: by
 * somebody on the way, who does not know the password, and by a client that does and signs what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/auth/scram.h"
#include "auth/password.h"
#include "auth/sasl.h"
#include "base/base64.h"
#include "base/memory.h"

#define SECRET SPAN("the server's secret")
#define EXPORTER SPAN("0123456789abcdef0123456789abcdef")
#define END_POINT SPAN("fedcba9876543210fedcba9876543210")

static struct sasl_facts
facts_of(unsigned offered)
{
	return (struct sasl_facts){ .secret = SECRET, .offered = offered,
		.bindings = { { "tls-exporter", EXPORTER }, { "tls-server-end-point", END_POINT } } };
}

/* ---- the examples of the RFCs --------------------------------------------------------------------------- */

static const struct {
	enum hash hash;
	const char *client_nonce, *server_nonce, *salt, *proof, *answer;
} examples[] = {
	/* RFC 5802 section 5 */
	{ HASH_SHA_1, "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
	    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	/* RFC 7677 section 3 */
	{ HASH_SHA_256, "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
	    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

/* The credential of RFC 5803 that belongs to an example. */
static void
write_credential(size_t example, struct buffer *out)
{
	struct scram_keys keys = { .hash = examples[example].hash, .iterations = 4096 };
	struct buffer salt = { 0 };

	assert_true(base64_decode(span_from_string(examples[example].salt), &salt));
	keys.salt_length = salt.length;
	memcpy(keys.salt, salt.at, salt.length);
	scram_keys_derive(&keys, SPAN("pencil"));
	scram_keys_write(&keys, out);
	buffer_free(&salt);
}

static void
follows_the_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		struct sasl_facts facts = facts_of(0);
		struct scram scram = { .hash = examples[i].hash, .bindings = facts.bindings };
		struct buffer credential = { 0 }, message = { 0 }, out = { 0 }, expected = { 0 }, identity = { 0 };

		write_credential(i, &credential);
		buffer_printf(&message, "n,,n=user,r=%s", examples[i].client_nonce);
		assert_int_equal(scram_client_first(&scram, buffer_span(&message),
		    span_from_string(examples[i].server_nonce), &out, &identity), SCRAM_GOOD);
		assert_string_equal(buffer_string(&out), "user");
		buffer_clear(&out);
		scram_use_credential(&scram, buffer_span(&credential), SECRET, SPAN("user"));
		scram_server_first(&scram, &out);
		buffer_printf(&expected, "r=%s%s,s=%s,i=4096", examples[i].client_nonce, examples[i].server_nonce,
		    examples[i].salt);
		assert_string_equal(buffer_string(&out), buffer_string(&expected));
		buffer_clear(&out);
		buffer_clear(&message);
		buffer_printf(&message, "c=biws,r=%s%s,p=%s", examples[i].client_nonce, examples[i].server_nonce,
		    examples[i].proof);
		assert_int_equal(scram_client_final(&scram, buffer_span(&message), &out), SCRAM_GOOD);
		assert_string_equal(buffer_string(&out), examples[i].answer);
		scram_fini(&scram);
		buffer_free(&credential);
		buffer_free(&message);
		buffer_free(&out);
		buffer_free(&expected);
	}
}

/* ---- the first message ---------------------------------------------------------------------------------- */

#define PLUS 1u		/* the mechanism's name ends so */
#define OFFERED 2u	/* such a mechanism was offered */

static const struct {
	struct span message;
	unsigned mode;
	enum scram_result expected;
} firsts[] = {
	{ SPAN("n,,n=user,r=abc"), 0, SCRAM_GOOD },
	{ SPAN("n,,n=user,r=abc"), OFFERED, SCRAM_GOOD },
	{ SPAN("y,,n=user,r=abc"), 0, SCRAM_GOOD },
	{ SPAN("n,a=user,n=user,r=abc"), 0, SCRAM_GOOD },
	{ SPAN("n,,n=user,r=abc,x=extension"), 0, SCRAM_GOOD },
	{ SPAN("n,,n=us=2Cer=3D,r=abc"), 0, SCRAM_GOOD },
	{ SPAN("p=tls-exporter,,n=user,r=abc"), PLUS | OFFERED, SCRAM_GOOD },
	{ SPAN("p=tls-server-end-point,,n=user,r=abc"), PLUS | OFFERED, SCRAM_GOOD },
	{ SPAN("p=tls-exporter,a=user,n=user,r=abc"), PLUS | OFFERED, SCRAM_GOOD },
	/* Somebody has hidden the -PLUS that was offered: RFC 5802 section 6. */
	{ SPAN("y,,n=user,r=abc"), OFFERED, SCRAM_WRONG },
	{ SPAN("y,,n=user,r=abc"), PLUS | OFFERED, SCRAM_WRONG },
	{ SPAN("n,,n=user,r=abc"), PLUS | OFFERED, SCRAM_WRONG },
	{ SPAN("p=tls-exporter,,n=user,r=abc"), 0, SCRAM_WRONG },
	{ SPAN("p=tls-exporter,,n=user,r=abc"), OFFERED, SCRAM_WRONG },
	{ SPAN("p=tls-unique,,n=user,r=abc"), PLUS | OFFERED, SCRAM_WRONG },
	{ SPAN("p=TLS-EXPORTER,,n=user,r=abc"), PLUS | OFFERED, SCRAM_WRONG },
	{ SPAN("p=tls-exporte,,n=user,r=abc"), PLUS | OFFERED, SCRAM_WRONG },
	{ SPAN("n,a=root,n=user,r=abc"), 0, SCRAM_GOOD },
	{ SPAN("p=tls-exporter,a=root,n=user,r=abc"), PLUS | OFFERED, SCRAM_GOOD },
	{ SPAN("p=,,n=user,r=abc"), PLUS | OFFERED, SCRAM_MALFORMED },
	{ SPAN("p=tls exporter,,n=user,r=abc"), PLUS | OFFERED, SCRAM_MALFORMED },
	{ SPAN("p,,n=user,r=abc"), PLUS | OFFERED, SCRAM_MALFORMED },
	{ SPAN("N,,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n=,,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,m=must,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,r=abc,n=user"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,a=user,a=user,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,a=user,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,a=,n=user,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,r=abc,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,r=abc,"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,r=abc,=x"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,r=abc,x="), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=,r=abc"), 0, SCRAM_GOOD },		/* nobody's name; it fails at the proof */
	{ SPAN("n,,n=user,r="), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user,r=a c"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=us=er,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user=2c,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=user=,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,n=us\0er,r=abc"), 0, SCRAM_MALFORMED },
	{ SPAN("n,,"), 0, SCRAM_MALFORMED },
	{ SPAN("n"), 0, SCRAM_MALFORMED },
	{ SPAN(""), 0, SCRAM_MALFORMED },
};

static void
takes_first_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(firsts); i++) {
		struct sasl_facts facts = facts_of(0);
		struct scram scram = { .is_plus = (firsts[i].mode & PLUS) != 0,
			.is_plus_offered = (firsts[i].mode & OFFERED) != 0, .bindings = facts.bindings };
		struct buffer user = { 0 }, identity = { 0 };

		if (scram_client_first(&scram, firsts[i].message, SPAN("xyz"), &user, &identity) != firsts[i].expected)
			fail_msg("%.*s in mode %u", SPAN_ARGS(firsts[i].message), firsts[i].mode);
		scram_fini(&scram);
		buffer_free(&user);
		buffer_free(&identity);
	}
}

/* A binding that this connection does not have cannot be asked for. */
static void
binds_to_what_is_there(void **state)
{
	struct sasl_binding bindings[SASL_BINDING_COUNT] = { { "tls-exporter", { NULL, 0 } },
		{ "tls-server-end-point", END_POINT } };
	struct scram scram = { .is_plus = true, .is_plus_offered = true, .bindings = bindings };
	struct buffer user = { 0 }, identity = { 0 };

	(void)state;
	assert_int_equal(scram_client_first(&scram, SPAN("p=tls-exporter,,n=user,r=abc"), SPAN("xyz"), &user, &identity),
	    SCRAM_WRONG);
	assert_string_equal(scram.reason, "channel-binding");
	scram_fini(&scram);
	buffer_free(&user);
}

/* ---- whole exchanges ------------------------------------------------------------------------------------ */

/* Replace the first occurrence of one text by another in a message, or in its base64. */
struct change {
	unsigned step;		/* 1: the first message; 2: the final one; 3: the answer to the signature */
	bool is_signed;		/* by the client itself, before it signs; only in messages */
	bool is_line;		/* of the base64 */
	const char *from, *to;	/* from "" means at the end, NULL: all of it */
};

struct client {
	enum sasl_mechanism mechanism;
	const char *flag;	/* of the GS2 header */
	struct span binding;
	const char *user, *password;
	const struct change *change;	/* NULL: none */
};

static void
apply(const struct client *client, unsigned step, bool is_signed, bool is_line, struct buffer *text)
{
	const struct change *change = client->change;
	struct buffer result = { 0 };
	const char *at;

	if (change == NULL || change->step != step || change->is_signed != is_signed || change->is_line != is_line)
		return;
	at = change->from == NULL ? buffer_string(text) : *change->from == '\0' ? buffer_string(text) + text->length :
	    strstr(buffer_string(text), change->from);
	if (at != NULL) {
		buffer_add(&result, text->at, (size_t)(at - (const char *)text->at));
		buffer_add_string(&result, change->to);
		if (change->from != NULL)
			buffer_add_string(&result, at + strlen(change->from));
		buffer_clear(text);
		buffer_add_span(text, buffer_span(&result));
	}
	buffer_free(&result);
}

/* Send a message as the client does, changed on the way. */
static enum sasl_event
send_message(const struct client *client, struct sasl *sasl, unsigned step, struct span message)
{
	struct buffer text = { 0 }, line = { 0 };
	enum sasl_event event;

	buffer_add_span(&text, message);
	apply(client, step, false, false, &text);
	base64_encode(buffer_span(&text), &line);
	apply(client, step, false, true, &line);
	event = sasl_respond(sasl, buffer_span(&line));
	buffer_free(&text);
	buffer_free(&line);
	return event;
}

/* The proof of RFC 5802 section 3, from what the server has sent. */
static void
write_proof(const struct client *client, struct span server_first, struct span auth_message, struct buffer *out)
{
	enum hash hash = client->mechanism <= SASL_SCRAM_SHA_1_PLUS ? HASH_SHA_1 : HASH_SHA_256;
	struct span rest = span_from(server_first, span_find(server_first, ',') + 3);
	uint8_t salted[HASH_MAX], client_key[HASH_MAX], stored_key[HASH_MAX], signature[HASH_MAX];
	struct buffer salt = { 0 };
	size_t length = hash_length(hash);

	assert_true(base64_decode(span_slice(rest, 0, span_find(rest, ',')), &salt));
	hash_salt(hash, span_from_string(client->password), buffer_span(&salt), PASSWORD_ITERATIONS, salted);
	hash_mac(hash, span_of(salted, length), SPAN("Client Key"), client_key);
	hash_digest(hash, span_of(client_key, length), stored_key);
	hash_mac(hash, span_of(stored_key, length), auth_message, signature);
	for (size_t at = 0; at < length; at++)
		client_key[at] ^= signature[at];
	buffer_add_string(out, ",p=");
	base64_encode(span_of(client_key, length), out);
	buffer_free(&salt);
}

static void
write_final(const struct client *client, struct span bare, struct span server_first, struct buffer *out)
{
	struct buffer binding = { 0 }, auth_message = { 0 };

	buffer_printf(&binding, "%s,,", client->flag);
	buffer_add_span(&binding, client->binding);
	buffer_add_string(out, "c=");
	base64_encode(buffer_span(&binding), out);
	buffer_printf(out, ",%.*s", (int)span_find(server_first, ','), (const char *)server_first.at);
	apply(client, 2, true, false, out);
	buffer_printf(&auth_message, "%.*s,%.*s,%.*s", SPAN_ARGS(bare), SPAN_ARGS(server_first),
	    SPAN_ARGS(buffer_span(out)));
	write_proof(client, server_first, buffer_span(&auth_message), out);
	buffer_free(&binding);
	buffer_free(&auth_message);
}

/* What stands behind the GS2 header. */
static struct span
bare_of(struct span first)
{
	first = span_from(first, span_find(first, ',') + 1);
	return span_from(first, span_find(first, ',') + 1);
}

static enum sasl_event
go_on(const struct client *client, struct sasl *sasl, struct span first, struct span credential)
{
	struct buffer server_first = { 0 }, final = { 0 };
	enum sasl_event event = sasl_credential(sasl, credential, sasl_user(sasl));

	assert_int_equal(event, SASL_CHALLENGE);
	assert_true(base64_decode(sasl_challenge(sasl), &server_first));
	write_final(client, bare_of(first), buffer_span(&server_first), &final);
	event = send_message(client, sasl, 2, buffer_span(&final));
	if (event == SASL_CHALLENGE)
		event = send_message(client, sasl, 3, SPAN(""));
	buffer_free(&server_first);
	buffer_free(&final);
	return event;
}

static enum sasl_event
log_in(const struct client *client, struct span credential, unsigned offered)
{
	struct sasl_facts facts = facts_of(offered);
	struct sasl *sasl = sasl_new(client->mechanism, &facts);
	struct buffer first = { 0 };
	enum sasl_event event;

	assert_int_equal(sasl_start(sasl, NULL), SASL_CHALLENGE);
	buffer_printf(&first, "%s,,n=%s,r=abcdefgh", client->flag, client->user);
	apply(client, 1, true, false, &first);
	event = send_message(client, sasl, 1, buffer_span(&first));
	if (event == SASL_LOOK_UP)
		event = go_on(client, sasl, buffer_span(&first), credential);
	sasl_free(&sasl);
	buffer_free(&first);
	return event;
}

static const struct client clients[] = {
	{ SASL_SCRAM_SHA_1, "n", { NULL, 0 }, "tim", "secret", NULL },
	{ SASL_SCRAM_SHA_256, "n", { NULL, 0 }, "tim", "secret", NULL },
	{ SASL_SCRAM_SHA_1_PLUS, "p=tls-exporter", EXPORTER, "tim", "secret", NULL },
	{ SASL_SCRAM_SHA_256_PLUS, "p=tls-exporter", EXPORTER, "tim", "secret", NULL },
	{ SASL_SCRAM_SHA_256_PLUS, "p=tls-server-end-point", END_POINT, "tim", "secret", NULL },
};

static void
logs_in(void **state)
{
	struct buffer both = { 0 }, newer = { 0 };

	(void)state;
	assert_true(password_derive(SPAN("secret"), true, &both));
	assert_true(password_derive(SPAN("secret"), false, &newer));
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		struct client client = clients[i];
		bool is_sha1 = client.mechanism <= SASL_SCRAM_SHA_1_PLUS;

		assert_int_equal(log_in(&client, buffer_span(&both), ~0u), SASL_DONE);
		/* Who has no keys for SHA-1 looks like one with another password. */
		assert_int_equal(log_in(&client, buffer_span(&newer), ~0u), is_sha1 ? SASL_FAILED : SASL_DONE);
		assert_int_equal(log_in(&client, SPAN(""), ~0u), SASL_FAILED);
		assert_int_equal(log_in(&client, SPAN("$6$salt$hash"), ~0u), SASL_FAILED);
		client.password = "Secret";
		assert_int_equal(log_in(&client, buffer_span(&both), ~0u), SASL_FAILED);
	}
	buffer_free(&both);
	buffer_free(&newer);
}

/* Somebody in the middle has another certificate, and so another channel. */
static void
knows_the_channel(void **state)
{
	static const struct span others[] = { SPAN("0123456789abcdef0123456789abcdeF"), SPAN(""),
		SPAN("0123456789abcdef0123456789abcde"), SPAN("0123456789abcdef0123456789abcdef0"), END_POINT };
	struct buffer credential = { 0 };
	struct client client = { SASL_SCRAM_SHA_256_PLUS, "p=tls-exporter", EXPORTER, "tim", "secret", NULL };

	(void)state;
	assert_true(password_derive(SPAN("secret"), true, &credential));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		client.binding = others[i];
		assert_int_equal(log_in(&client, buffer_span(&credential), ~0u), SASL_FAILED);
	}
	/* A client that can bind and was not told that we can: its list was changed on the way. */
	client = (struct client){ SASL_SCRAM_SHA_256, "y", { NULL, 0 }, "tim", "secret", NULL };
	assert_int_equal(log_in(&client, buffer_span(&credential), ~0u), SASL_FAILED);
	assert_int_equal(log_in(&client, buffer_span(&credential), ~SASL_SCRAM_PLUS), SASL_DONE);
	buffer_free(&credential);
}

static const struct change changes[] = {
	/* By somebody on the way. */
	{ 1, false, false, "n=tim", "n=tom" },
	{ 1, false, false, "n=tim", "n=Tim" },
	{ 1, false, false, ",,n=", ",a=tim,n=" },
	{ 1, false, false, ",,n=", ",a=root,n=" },
	{ 1, false, false, ",,", ",,m=x," },
	{ 1, false, false, "r=abc", "r=abd" },
	{ 1, false, false, "", ",x=y" },
	{ 1, false, false, "n,,", "y,," },
	{ 1, false, false, "n,,", "p=tls-exporter,," },
	{ 1, false, false, "n,,", "p=tls-unique,," },
	{ 1, false, false, "p=tls-exporter", "n" },
	{ 1, false, false, "p=tls-exporter", "y" },
	{ 1, false, false, "p=tls-exporter", "p=tls-unique" },
	{ 1, false, false, "p=tls-exporter", "p=tls-server-end-point" },
	{ 1, false, false, NULL, "" },
	{ 2, false, false, "r=abc", "r=abd" },
	{ 2, false, false, "r=abcdefgh", "r=abcdefg" },
	{ 2, false, false, ",p=", ",x=y,p=" },
	{ 2, false, false, "c=", "c=A" },
	{ 2, false, false, "c=", "d=" },
	{ 2, false, false, "c=", "C=" },
	{ 2, false, false, ",p=", ",p=A" },
	{ 2, false, false, ",p=", ",p=AAAA" },
	{ 2, false, false, ",p=", ",P=" },
	{ 2, false, false, ",p=", ",p==" },
	{ 2, false, false, "=", "==" },
	{ 2, false, false, "", "=" },
	{ 2, false, false, "", "A" },
	{ 2, false, false, "", "," },
	{ 2, false, false, "", ",x=y" },
	{ 2, false, false, "", ",p=AAAA" },
	{ 2, false, false, NULL, "" },
	{ 2, false, false, NULL, "c=biws" },
	{ 3, false, false, "", "x" },
	{ 3, false, false, "", "v=AAAA" },
	/* In the base64. */
	{ 1, false, true, "", "=" },
	{ 1, false, true, "", "\r" },
	{ 1, false, true, "", " " },
	{ 1, false, true, "", "A" },
	{ 1, false, true, "", "AAAA" },
	{ 1, false, true, "b", " b" },
	{ 1, false, true, "b", "-" },
	{ 1, false, true, NULL, "=" },
	{ 1, false, true, NULL, "*" },
	{ 2, false, true, "", "=" },
	{ 2, false, true, "", "====" },
	{ 2, false, true, "", "\n" },
	{ 2, false, true, "", " " },
	{ 2, false, true, "Y", "Y\t" },
	{ 2, false, true, "Y", "_" },
	{ 2, false, true, "Y", "Y=" },
	{ 2, false, true, NULL, "=" },
	{ 2, false, true, NULL, "*" },
	{ 3, false, true, "", "=" },
	{ 3, false, true, "", "*" },
	{ 3, false, true, "", " " },
	{ 3, false, true, "", "AA==" },
	/* By a client that signs what it says. */
	{ 1, true, false, ",,n=tim", ",,n=tim,n=tim" },
	{ 1, true, false, ",,n=tim", ",a=root,n=tim" },
	{ 1, true, false, ",,n=tim", ",,m=x,n=tim" },
	{ 1, true, false, ",r=abcdefgh", ",r=abcdefgh,r=abcdefgh" },
	{ 1, true, false, ",r=abcdefgh", ",r=abcdefgh,n=tim" },
	{ 1, true, false, ",r=abcdefgh", ",r=abcdefgh," },
	{ 1, true, false, "n=tim,r=abcdefgh", "r=abcdefgh,n=tim" },
	{ 2, true, false, "c=", "x=y,c=" },
	{ 2, true, false, "c=", "c=biws,c=" },
	{ 2, true, false, "c=", "c=A" },
	{ 2, true, false, "=", "==" },
	{ 2, true, false, ",r=", "=,r=" },
	{ 2, true, false, ",r=", " ,r=" },
	{ 2, true, false, ",r=", "\n,r=" },
	{ 2, true, false, ",r=", "AAAA,r=" },
	{ 2, true, false, ",r=", ",r=abc,r=" },
	{ 2, true, false, ",r=", ",x=y,r=" },
	{ 2, true, false, "", ",r=abcdefgh" },
	{ 2, true, false, "", ",c=biws" },
	{ 2, true, false, "", ",p=AAAA" },
	{ 2, true, false, "", ",m=x" },
	{ 2, true, false, "", "," },
	{ 2, true, false, "r=abcdefgh", "r=abcdefghX" },
};

/* Whether the change leaves this client's messages as they are. */
static bool
is_idle(const struct client *client, const struct change *change)
{
	const char *first[] = { "n,,", "p=tls-exporter" };

	for (size_t i = 0; i < COUNT_OF(first); i++)
		if (change->step == 1 && change->from != NULL && strcmp(change->from, first[i]) == 0)
			return strncmp(first[i], client->flag, strlen(client->flag)) != 0;
	return false;
}

static void
refuses_every_change(void **state)
{
	struct buffer credential = { 0 };
	unsigned count = 0;

	(void)state;
	assert_true(password_derive(SPAN("secret"), true, &credential));
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		for (size_t j = 0; j < COUNT_OF(changes); j++) {
			struct client client = clients[i];

			if (is_idle(&client, &changes[j]))
				continue;
			client.change = &changes[j];
			count++;
			if (log_in(&client, buffer_span(&credential), ~0u) == SASL_DONE)
				fail_msg("%s logs in with change %zu", sasl_mechanism_name(client.mechanism), j);
		}
	}
	assert_true(count >= 200);
	buffer_free(&credential);
}

/* Each bit of what the channel is bound to matters. */
static void
refuses_every_flipped_bit(void **state)
{
	struct buffer credential = { 0 };
	struct span exporter = EXPORTER;

	(void)state;
	assert_true(password_derive(SPAN("secret"), true, &credential));
	for (size_t bit = 0; bit < 8 * exporter.length; bit++) {
		struct client client = clients[3];
		uint8_t other[32];

		memcpy(other, exporter.at, sizeof other);
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
		client.binding = span_of(other, sizeof other);
		assert_int_equal(log_in(&client, buffer_span(&credential), ~0u), SASL_FAILED);
	}
	buffer_free(&credential);
}

/* ---- users that do not exist ---------------------------------------------------------------------------- */

/* An unknown user always seems to have the same salt for a hash function, and not another user's. */
static void
fakes_stable_salts(void **state)
{
	struct scram a = { .hash = HASH_SHA_256 }, b = a, c = a, d = a, e = { .hash = HASH_SHA_1 };

	(void)state;
	scram_use_credential(&a, SPAN(""), SECRET, SPAN("nobody"));
	scram_use_credential(&b, SPAN("$6$salt$hash"), SECRET, SPAN("Nobody"));
	scram_use_credential(&c, SPAN(""), SECRET, SPAN("nobody2"));
	scram_use_credential(&d, SPAN(""), SPAN("another secret"), SPAN("nobody"));
	scram_use_credential(&e, SPAN(""), SECRET, SPAN("nobody"));
	assert_memory_equal(a.keys.salt, b.keys.salt, SCRAM_SALT_LENGTH);
	assert_memory_not_equal(a.keys.salt, c.keys.salt, SCRAM_SALT_LENGTH);
	assert_memory_not_equal(a.keys.salt, d.keys.salt, SCRAM_SALT_LENGTH);
	assert_memory_not_equal(a.keys.salt, e.keys.salt, SCRAM_SALT_LENGTH);
	assert_int_equal(a.keys.iterations, PASSWORD_ITERATIONS);
	assert_int_equal(a.keys.salt_length, SCRAM_SALT_LENGTH);
	assert_int_equal(e.keys.hash, HASH_SHA_1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_examples),
		cmocka_unit_test(takes_first_messages),
		cmocka_unit_test(binds_to_what_is_there),
		cmocka_unit_test(logs_in),
		cmocka_unit_test(knows_the_channel),
		cmocka_unit_test(refuses_every_change),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(fakes_stable_salts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
