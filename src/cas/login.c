/*
 * Who a client is.  LOGIN is PLAIN in other words, so there is one way:
 *
 *	sasl asks -> the directory is asked on its queue -> a worker checks the password, unless the same
 *	was right a short while ago -> the link is opened, or the failure is told after a delay
 *
 * A user that does not exist takes the same way and costs the same.  Passwords live in struct sasl, and
 * in a check while a worker has it; both wipe them.  Loop thread.
 */
#include "login.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"

static void
answer_malformed(struct cas_client *client, const char *text)
{
	verdict_tell(client, IMAP_BAD, NULL, text);
	client_is_one_too_many(client);
}

/* RFC 9051 section 6.2.2: `+ ` and base64; the answer is a line of its own. */
static void
challenge(struct cas_client *client)
{
	struct buffer line = { 0 };

	buffer_add_string(&line, "+ ");
	buffer_add_span(&line, sasl_challenge(client->sasl));
	buffer_add_string(&line, "\r\n");
	if (client_is_looked_on(client))
		onlook_octets(client, "+ ", sasl_challenge(client->sasl).length);
	stream_write_buffer(client->stream, &line);
	buffer_free(&line);
	imap_parser_expect_line(client->parser, SASL_LINE_MAX);
	client_enter(client, ANSWERING);
	client_wake(client);
}

static void
react(struct cas_client *client, enum sasl_event event)
{
	switch (event) {
	case SASL_CHALLENGE:
		challenge(client);
		break;
	case SASL_LOOK_UP:
	case SASL_VERIFY:
	case SASL_AUTHORIZE:
		proof_ask(client, event, react);
		break;
	case SASL_CHECK_TOKEN:
		bearer_ask(client, react);
		break;
	case SASL_DONE:
		admission_open(client);
		break;
	case SASL_FAILED:
		verdict_failed(client);
		break;
	case SASL_MALFORMED:
		answer_malformed(client, "Not what the mechanism expects");
		break;
	case SASL_CANCELLED:
		if (sasl_reason(client->sasl) != NULL)
			verdict_note(client);
		answer_malformed(client, "Cancelled");
		break;
	}
}

static struct sasl_facts
facts_of(const struct cas_client *client)
{
	const struct config *config = client->cas->parts.config;
	struct sasl_facts facts = { .secret = span_of(client->cas->secret, sizeof client->cas->secret),
		.offered = mechanisms_offered(client), .token_scope = config->oauth_scope,
		.openid_configuration = config->oauth_openid_configuration };
	struct tls_bindings bindings;

	stream_tls_bindings(client->stream, &bindings);
	facts.bindings[0] = (struct sasl_binding){ "tls-exporter", bindings.exporter };
	facts.bindings[1] = (struct sasl_binding){ "tls-server-end-point", bindings.end_point };
	facts.certificate_names = stream_tls_users(client->stream, &facts.certificate_name_count);
	return facts;
}

static void
begin(struct cas_client *client, const struct imap_command_line *line, enum sasl_mechanism mechanism)
{
	struct sasl_facts facts = facts_of(client);

	verdict_forget(client);
	buffer_add_span(&client->tag, line->tag);
	client->mechanism = mechanism;
	client->user = (struct directory_name){ .length = 0 };
	client->prover = client->user;
	client->is_denied = client->is_acting = client->is_master = client->is_elsewhere = false;
	client->server = NULL;
	client->asked_us = 0;
	client->began_us = clock_monotonic_us();
	client->sasl = sasl_new(mechanism, &facts);
}

/* LOGIN as the message of PLAIN: NUL, user, NUL, password (RFC 4616 section 2); neither holds NUL. */
void
login_with_password(struct cas_client *client, const struct imap_command_line *line)
{
	struct buffer message = { 0 }, encoded = { 0 };
	struct span initial;

	begin(client, line, SASL_PLAIN);
	buffer_reserve(&message, line->login.user.length + line->login.password.length + 2);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, line->login.user);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, line->login.password);
	buffer_reserve(&encoded, message.length * 2 + 4);
	base64_encode(buffer_span(&message), &encoded);
	initial = buffer_span(&encoded);
	react(client, sasl_start(client->sasl, &initial));
	buffer_wipe(&message);
	buffer_wipe(&encoded);
}

void
login_with_mechanism(struct cas_client *client, const struct imap_command_line *line, enum sasl_mechanism mechanism)
{
	const struct imap_authenticate *wanted = &line->authenticate;

	begin(client, line, mechanism);
	react(client, sasl_start(client->sasl, wanted->has_initial ? &wanted->initial : NULL));
}

void
login_answer(struct cas_client *client, struct span line)
{
	react(client, sasl_respond(client->sasl, line));
}
