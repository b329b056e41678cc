/*
 * The way back from login: RFC 8437.  The mailbox role has answered UNAUTHENTICATE and given the client back
 * (src/link/README, "The way back").  What the client has sent behind the command, but was relayed already, comes back
 * before anything else is read; TLS, ID and the certificate stay.  Loop thread.
 */
#include "client.h"

void
unauthenticate_lost(struct cas_client *client)
{
	client_bye(client, METRIC_LINK_LOST, "UNAVAILABLE", "The mailbox server has gone");
}

static void
on_input(struct stream *stream, void *context)
{
	if (stream_input_length(stream) > RETURNED_MAX)
		client_bye(context, METRIC_LIMIT, "LIMIT", "Too much behind UNAUTHENTICATE");
}

/* All has come back: what the client has sent stands in its input, in order. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct cas_client *client = context;

	if (reason != STREAM_EOF) {
		unauthenticate_lost(client);
		return;
	}
	client->octets_in = stream_octets_in(client->stream) - stream_input_length(client->stream);
	client->octets_out = stream_octets_out(client->stream);
	client->told_in = client->octets_in;
	client->told_out = client->octets_out;
	stream_take_input(client->stream, stream);
	stream_free(&client->mailbox);
	stream_resume_input(client->stream);
	client_enter(client, GREETED);
}

static const struct stream_events events = { on_input, NULL, on_end };

/* All of the session is forgotten. */
static void
become_stranger(struct cas_client *client)
{
	struct cas *cas = client->cas;

	client_leave_users(client);
	client_join(client, &cas->strangers);
	client->user = client->prover = (struct directory_name){ .length = 0 };
	client->is_acting = client->is_master = false;
	client->bad_commands = 0;
	client->parser = imap_parser_new(&cas->limits);
	mask_find(client);
	timer_start_ms(&client->patience_timer, cas->parts.config->login_timeout_s * 1000);
}

/* Who should leave does so now: nobody else looks after strangers who come late. */
void
unauthenticate_begin(struct cas_client *client)
{
	pipe_log_end(client, "logout", "unauthenticate");
	if (client->is_leaving) {
		client_bye(client, client->farewell_reason, client->farewell_code, client->farewell);
		return;
	}
	if (client->cas->is_stopping) {
		client_bye(client, METRIC_SERVER_STOPS, "UNAVAILABLE", "Server stops");
		return;
	}
	become_stranger(client);
	stream_set_events(client->mailbox, &events, client);
	stream_end_output(client->mailbox);
}
