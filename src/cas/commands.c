/*
 * What a client may say before login: RFC 9051 sections 6.1 and 6.2.  No password is looked at before
 * TLS (RFC 8314), unless login-type allows it.
 */
#include "base/crash.h"
#include "client.h"
#include "imap/id.h"

#define IDS_LOGGED_MAX 4	/* in a session: who says something else all the time does not fill the log */

static void
greet(struct cas_client *client)
{
	const struct config *config = client->cas->parts.config;
	struct buffer code = { 0 }, text = { 0 };

	buffer_add_string(&code, "CAPABILITY ");
	capability_write(client, &code);
	if (config->banner != NULL)
		buffer_add_string(&text, config->banner);
	else
		buffer_printf(&text, "%s ready", config->hostname);
	client_reply(client, SPAN("*"), IMAP_OK, buffer_string(&code), buffer_string(&text));
	buffer_free(&code);
	buffer_free(&text);
}

static void
on_capability(struct cas_client *client, struct imap_command_line *line)
{
	struct buffer out = { 0 };

	buffer_add_string(&out, "* CAPABILITY ");
	capability_write(client, &out);
	buffer_add_string(&out, "\r\n");
	client_write(client, &out);
	buffer_free(&out);
	client_reply(client, line->tag, IMAP_OK, NULL, "Done");
}

static void
on_noop(struct cas_client *client, struct imap_command_line *line)
{
	client_reply(client, line->tag, IMAP_OK, NULL, "Done");
}

static void
on_logout(struct cas_client *client, struct imap_command_line *line)
{
	client_reply(client, SPAN("*"), IMAP_BYE, NULL, "Goodbye");
	client_reply(client, line->tag, IMAP_OK, NULL, "Done");
	client_close(client, METRIC_LOGOUT, "logout");
}

/* A proxy says how many more may stand behind it, so that none is a circle: it is believed when it makes them fewer. */
static void
note_ttl(struct cas_client *client, const struct imap_id *id)
{
	client->ttl = LINK_RELAY_TTL;
	for (size_t i = 0; i < id->count; i++) {
		uint64_t ttl;

		if (span_equals_nocase(id->pairs[i].name, SPAN("x-proxy-ttl")) &&
		    span_to_number(id->pairs[i].value, LINK_RELAY_TTL, &ttl))
			client->ttl = (unsigned)ttl;
	}
}

/* What the client says of itself is for the log and capability-mask, and believed in nothing else: RFC 2971
 * section 3. */
static void
on_id(struct cas_client *client, struct imap_command_line *line)
{
	struct buffer text = { 0 };

	imap_id_write(&line->id, &text);
	if (client->ids_logged < IDS_LOGGED_MAX) {
		client->ids_logged++;
		log_info("id", log_text("sid", client->sid), log_text("rip", client->address),
		    log_span("id", buffer_span(&text)));
	}
	buffer_free(&text);
	note_ttl(client, &line->id);
	buffer_clear(&client->id);
	imap_id_write_values(&line->id, &client->id);
	mask_find(client);
	client_write_text(client, SPAN("* ID (\"name\" \"imapd\")\r\n"));
	client_reply(client, line->tag, IMAP_OK, NULL, "Done");
}

/*
 * Whoever stands in the middle could put commands behind STARTTLS that we would take for the client's
 * own after the handshake (CVE-2011-0411).  So what came behind it is thrown away (RFC 9051 section 6.2.1), and
 * the parser is a new one; what comes later is read by TLS, and ends the connection unless it is a handshake.
 */
static void
on_starttls(struct cas_client *client, struct imap_command_line *line)
{
	struct cas *cas = client->cas;

	if (stream_is_tls(client->stream) || cas->parts.tls == NULL) {
		client_reply(client, line->tag, IMAP_BAD, NULL,
		    cas->parts.tls == NULL ? "TLS is not available" : "TLS is on already");
		client_is_one_too_many(client);
		return;
	}
	if (stream_has_input(client->stream)) {
		log_warning("starttls-injection", log_text("sid", client->sid),
		    log_text("rip", client->address));
		stream_discard_input(client->stream);
	}
	client_reply(client, line->tag, IMAP_OK, NULL, "Begin TLS now");
	imap_parser_free(&client->parser);
	client->parser = imap_parser_new(&cas->limits);
	buffer_clear(&client->id);	/* nothing that was said in plaintext counts any more: RFC 9051 section 6.2.1 */
	mask_find(client);
	stream_start_tls(client->stream, cas->parts.tls, cas->parts.compute);
	client_enter(client, SHAKING);
}

/* The password has been seen by everybody on the way: the log says so, without it. */
static void
refuse_in_plaintext(struct cas_client *client, struct imap_command_line *line)
{
	log_warning("plaintext-login-refused", log_text("sid", client->sid),
	    log_text("rip", client->address));
	client_reply(client, line->tag, IMAP_NO, "PRIVACYREQUIRED", "Use TLS first");
}

static void
on_login(struct cas_client *client, struct imap_command_line *line)
{
	if (mechanisms_have_login(client))
		login_with_password(client, line);
	else if ((mechanisms_private(client) & SASL_BIT(SASL_PLAIN)) == 0)
		refuse_in_plaintext(client, line);
	else
		client_reply(client, line->tag, IMAP_NO, "CANNOT", "LOGIN is not permitted here");
}

static void
on_authenticate(struct cas_client *client, struct imap_command_line *line)
{
	unsigned private = mechanisms_private(client);
	enum sasl_mechanism mechanism;

	if (sasl_find_mechanism(line->authenticate.mechanism, mechanisms_offered(client), &mechanism))
		login_with_mechanism(client, line, mechanism);
	else if (private == 0 || sasl_find_mechanism(line->authenticate.mechanism, client->cas->mechanisms & ~private,
	    &mechanism))
		refuse_in_plaintext(client, line);
	else
		client_reply(client, line->tag, IMAP_NO, "CANNOT", "No such mechanism");
}

typedef void command_handler(struct cas_client *client, struct imap_command_line *line);

static command_handler *const handlers[IMAP_COMMAND_COUNT] = {
	[IMAP_CAPABILITY] = on_capability,
	[IMAP_NOOP] = on_noop,
	[IMAP_LOGOUT] = on_logout,
	[IMAP_ID] = on_id,
	[IMAP_STARTTLS] = on_starttls,
	[IMAP_LOGIN] = on_login,
	[IMAP_AUTHENTICATE] = on_authenticate,
};

static void
on_command(struct cas_client *client, struct imap_command_line *line)
{
	if (handlers[line->verb] != NULL) {
		crash_note(imap_commands[line->verb].name, client->sid);
		handlers[line->verb](client, line);
		crash_note_end();
		return;
	}
	client_reply(client, line->tag, IMAP_BAD, NULL, "Log in first");
	client_is_one_too_many(client);
}

static const struct client_events events = { on_command, login_answer, verdict_on_delay_over, verdict_forget,
	greet, pipe_cut, returning_begin };

struct cas_client *
commands_begin(struct cas *cas, struct stream *stream, bool is_tls)
{
	return client_new(cas, stream, is_tls, &events);
}
