/*
 * A client after login: octets from here to the mailbox role and back.  Nothing is looked at but the last of them,
 * when the link has broken or the client must go: behind DEFLATE (RFC 4978) nothing can be said from here.  Loop thread.
 */
#include "base/clock.h"
#include "client.h"

#define RELAY_GRACE_MS 2000	/* for the last replies of a server of another kind */

void
pipe_log_end(const struct cas_client *client, const char *event, const char *reason)
{
	log_info(event, log_text("sid", client->sid),
	    log_span("user", directory_name_span(&client->user)), log_text("rip", client->address),
	    log_number("in", (int64_t)(stream_octets_in(client->stream) - client->octets_in)),
	    log_number("out", (int64_t)(stream_octets_out(client->stream) - client->octets_out)),
	    log_number("ms", (int64_t)((clock_monotonic_us() - client->began_us) / 1000)),
	    log_text("reason", reason));
}

static void
say_gone(struct cas_client *client)
{
	pipe_log_end(client, "disconnect", client->server == NULL ? "link" : "relay");
	if (!stream_was_spliced_deflate(client->stream))
		stream_write(client->stream, SPAN("\r\n* BYE [UNAVAILABLE] The mailbox server has gone\r\n"));
}

void
pipe_lost(struct cas_client *client)
{
	if (client->state == MOVING)		/* it has no link, and asks for another one */
		return;
	if (client->state == RETURNING) {
		pipe_end(client, METRIC_LINK_LOST, "UNAVAILABLE", "The mailbox server has gone");
		return;
	}
	stream_unsplice(client->stream);
	say_gone(client);
	client_close(client, METRIC_LINK_LOST, "session over");
}

static void
say_farewell(struct cas_client *client)
{
	pipe_log_end(client, "logout", client->farewell);
	if (!stream_was_spliced_deflate(client->stream))
		client_reply(client, SPAN("*"), IMAP_BYE, client->farewell_code, client->farewell);
}

/*
 * The mailbox role ends its side after it has said BYE itself.  A link that broke has said nothing, and
 * perhaps left half a line: the client gets a line end and BYE, and no invented OK.
 */
static void
on_spliced_end(struct stream *ended, enum stream_end reason, void *context)
{
	struct cas_client *client = context;
	enum metric_reason why = METRIC_LOGOUT;		/* or whatever the mailbox role has said BYE for */

	if (ended == client->stream) {
		why = reason == STREAM_EOF ? METRIC_CLIENT_CLOSED : METRIC_CONNECTION_LOST;
		pipe_log_end(client, "disconnect", reason == STREAM_EOF ? "closed" : "lost");
	} else if (client->is_leaving && (reason == STREAM_EOF || client->server != NULL)) {
		why = client->farewell_reason;
		say_farewell(client);
	} else if (reason == STREAM_EOF) {
		pipe_log_end(client, "logout", client->server == NULL ? "mailbox" : "relay");
	} else {
		why = METRIC_LINK_LOST;
		say_gone(client);
	}
	client_close(client, why, "session over");
}

static void
on_given_back(void *context)
{
	struct cas_client *client = context;

	client->events->on_given_back(client);
}

void
pipe_end(struct cas_client *client, enum metric_reason why, const char *code, const char *text)
{
	pipe_log_end(client, "logout", text);
	if (stream_was_spliced_deflate(client->stream))
		client_close(client, why, text);
	else
		client_bye(client, why, code, text);
}

void
pipe_join(struct cas_client *client)
{
	struct buffer word = { 0 };

	client_enter(client, FORWARDING);
	stream_set_input_limit(client->stream, STREAM_INPUT_LIMIT);
	stream_splice(client->stream, client->mailbox, on_spliced_end, client);
	if (client->server != NULL)		/* who gives nobody back */
		return;
	link_write_word(&word, span_from_string(client->return_word));
	stream_splice_until(client->mailbox, buffer_span(&word), on_given_back);
	buffer_free(&word);
}

void
pipe_open(struct cas_client *client)
{
	timer_stop(&client->patience_timer);
	imap_parser_free(&client->parser);
	client_join(client, &client->cas->users);
	client->began_us = clock_monotonic_us();
	pipe_join(client);		/* first: only who is in that state has a user */
	if (client_is_looked_on(client))
		onlook_begin(client);
}

/* Other servers need not end their side when ours has ended: then the client gets its BYE all the same. */
void
pipe_cut(struct cas_client *client)
{
	if (client->server != NULL) {
		stream_unsplice(client->stream);
		say_farewell(client);
	}
	client_close(client, client->farewell_reason, "did not leave in time");
}

/*
 * The mailbox role takes the end of its input for the client's goodbye: it answers what it has received
 * and ends its side, which comes back as on_spliced_end().
 */
void
pipe_leave(struct cas_client *client, enum metric_reason why, const char *code, const char *text)
{
	if (client->is_leaving)
		return;
	if (client->state != FORWARDING) {	/* no command is under way */
		pipe_end(client, why, code, text);
		return;
	}
	client->is_leaving = true;
	client->farewell_reason = why;
	client->farewell_code = code;
	client->farewell = text;
	stream_pause_input(client->stream);
	stream_discard_input(client->stream);	/* part of a command that is not whole, or not begun */
	stream_end_output(client->mailbox);
	if (client->server != NULL)
		timer_start_ms(&client->patience_timer, RELAY_GRACE_MS);
}
