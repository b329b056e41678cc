/*
 * What a client is told who does not log in, and when.  Loop thread.
 */
#include "base/clock.h"
#include "login.h"

void
verdict_forget(struct cas_client *client)
{
	sasl_free(&client->sasl);
	buffer_clear(&client->tag);
	buffer_clear(&client->refusal);
}

void
verdict_tell(struct cas_client *client, enum imap_condition condition, const char *code, const char *text)
{
	client_reply(client, buffer_span(&client->tag), condition, code, text);
	verdict_forget(client);
	client_enter(client, GREETED);
}

void
verdict_unavailable(struct cas_client *client, const char *why)
{
	log_warning("login-unavailable", log_text("sid", client->sid), log_span("user", sasl_user(client->sasl)),
	    log_text("rip", client->address), log_text("reason", why));
	client_note_login(client, METRIC_LOGIN_UNAVAILABLE);
	verdict_tell(client, IMAP_NO, "UNAVAILABLE", "Try again later");
}

void
verdict_no_directory(struct cas_client *client, const char *why)
{
	outage_note_directory(client->cas, why);
	verdict_unavailable(client, why);
}

void
verdict_on_delay_over(void *context)
{
	struct cas_client *client = context;

	if (client->refusal.length > 0)
		verdict_tell(client, IMAP_NO, NULL, buffer_string(&client->refusal));
	else
		verdict_tell(client, IMAP_NO, "AUTHENTICATIONFAILED", "Authentication failed");
}

/* For the log alone: what was wrong. */
static const char *
reason_of(const struct cas_client *client)
{
	const char *reason = sasl_reason(client->sasl);

	if (client->is_denied)
		return "deny-users";
	if (client->is_elsewhere && client->mechanism != SASL_PLAIN && client->mechanism != SASL_LOGIN)
		return "relay-needs-password";
	if (client->is_elsewhere && reason == NULL)
		return "relay";
	if (reason == NULL)		/* the mailbox server has found it wrong */
		reason = "password";
	if (client->prover.length == 0 && (strcmp(reason, "password") == 0 || strcmp(reason, "no-keys") == 0))
		return "unknown-user";
	return reason;
}

uint32_t
verdict_note(struct cas_client *client)
{
	struct cas *cas = client->cas;
	struct span user = sasl_user(client->sasl);
	uint32_t delay_ms = throttle_failed(cas->throttle, client->address, login_counted(client), clock_monotonic_us());

	cas->status.failures++;
	client_note_login(client, METRIC_LOGIN_FAILED);
	log_info("auth-fail", log_text("sid", client->sid), log_span("user", user),
	    log_span("identity", sasl_identity(client->sasl)), log_text("rip", client->address),
	    log_text("mech", sasl_mechanism_name(client->mechanism)),
	    log_text("reason", reason_of(client)));
	return delay_ms;
}

/*
 * The same words and the same delay, whatever the cause: what the check has taken is a part of it, for by that those who
 * are relayed could be told from those who do not exist.
 */
void
verdict_failed(struct cas_client *client)
{
	uint64_t delay_ms = verdict_note(client);
	uint64_t taken_ms = client->asked_us == 0 ? 0 : (clock_monotonic_us() - client->asked_us) / 1000;

	delay_ms -= taken_ms < delay_ms ? taken_ms : delay_ms;
	client_enter(client, DELAYED);
	timer_start_ms(&client->delay_timer, delay_ms);
}

void
verdict_failed_with(struct cas_client *client, struct span text)
{
	buffer_clear(&client->refusal);
	buffer_add_span(&client->refusal, text);
	verdict_failed(client);
}
