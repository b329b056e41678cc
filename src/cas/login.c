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

void
login_forget(struct cas_client *client)
{
	sasl_free(&client->sasl);
	buffer_clear(&client->tag);
}

void
login_finish(struct cas_client *client, enum imap_condition condition, const char *code, const char *text)
{
	client_reply(client, buffer_span(&client->tag), condition, code, text);
	login_forget(client);
	client_enter(client, GREETED);
}

static void
answer_malformed(struct cas_client *client, const char *text)
{
	login_finish(client, IMAP_BAD, NULL, text);
	client_is_one_too_many(client);
}

void
login_finish_unavailable(struct cas_client *client, const char *why)
{
	log_warning("login-unavailable", log_text("sid", client->sid), log_text("reason", why));
	login_finish(client, IMAP_NO, "UNAVAILABLE", "Try again later");
}

void
login_on_delay_over(void *context)
{
	login_finish(context, IMAP_NO, "AUTHENTICATIONFAILED", "Authentication failed");
}

/* The same words and the same delay, whatever the cause. */
void
login_fail(struct cas_client *client)
{
	struct cas *cas = client->cas;
	struct span user = sasl_user(client->sasl);
	uint32_t delay_ms = throttle_failed(cas->throttle, client->address, user, clock_monotonic_us());
	const char *why = client->user.length == 0 ? "unknown-user" : "password";

	if (client->is_denied)
		why = "deny-users";

	cas->status.failures++;
	log_info("auth-fail", log_text("sid", client->sid), log_span("user", user),
	    log_text("rip", client->address),
	    log_text("mech", sasl_mechanism_name(client->mechanism)),
	    log_text("reason", why));
	client_enter(client, DELAYED);
	timer_start_ms(&client->delay_timer, delay_ms);
}

/* RFC 9051 section 6.2.2: `+ ` and base64; the answer is a line of its own. */
static void
challenge(struct cas_client *client)
{
	struct buffer line = { 0 };

	buffer_add_string(&line, "+ ");
	buffer_add_span(&line, sasl_challenge(client->sasl));
	buffer_add_string(&line, "\r\n");
	stream_write_buffer(client->stream, &line);
	buffer_free(&line);
	imap_parser_expect_line(client->parser, SASL_LINE_MAX);
	client_enter(client, ANSWERING);
	client_wake(client);
}

void
login_react(struct cas_client *client, enum sasl_event event)
{
	switch (event) {
	case SASL_CHALLENGE:
		challenge(client);
		break;
	case SASL_LOOK_UP:
	case SASL_VERIFY:
		login_look_up(client, event);
		break;
	case SASL_DONE:
		login_succeed(client);
		break;
	case SASL_FAILED:
		login_fail(client);
		break;
	case SASL_MALFORMED:
		answer_malformed(client, "Not what the mechanism expects");
		break;
	case SASL_CANCELLED:
		answer_malformed(client, "Cancelled");
		break;
	}
}

/* SCRAM needs the credential itself, which not every directory gives away. */
unsigned
login_mechanisms(const struct cas *cas)
{
	unsigned mechanisms = 1u << SASL_PLAIN | 1u << SASL_LOGIN;

	if (!directory_is_verifier(cas->parts.directory) && !directory_asks_home(cas->parts.directory))
		mechanisms |= 1u << SASL_SCRAM_SHA_256;
	return mechanisms;
}

static void
begin(struct cas_client *client, const struct imap_command_line *line, enum sasl_mechanism mechanism)
{
	login_forget(client);
	buffer_add_span(&client->tag, line->tag);
	client->mechanism = mechanism;
	client->is_denied = false;
	client->began_us = clock_monotonic_us();
	client->sasl = sasl_new(mechanism, span_of(client->cas->secret, sizeof client->cas->secret));
}

static void
wipe(struct buffer *secret)
{
	memory_wipe(secret->at, secret->capacity);
	buffer_free(secret);
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
	login_react(client, sasl_start(client->sasl, &initial));
	wipe(&message);
	wipe(&encoded);
}

void
login_with_mechanism(struct cas_client *client, const struct imap_command_line *line)
{
	const struct imap_authenticate *wanted = &line->authenticate;
	enum sasl_mechanism mechanism;

	if (!sasl_find_mechanism(wanted->mechanism, login_mechanisms(client->cas), &mechanism)) {
		client_reply(client, line->tag, IMAP_NO, "CANNOT", "No such mechanism");
		return;
	}
	begin(client, line, mechanism);
	login_react(client, sasl_start(client->sasl, wanted->has_initial ? &wanted->initial : NULL));
}

void
login_answer(struct cas_client *client, struct span line)
{
	login_react(client, sasl_respond(client->sasl, line));
}
