/*
 * A client's lines in the protocol log, until it has logged in: control/protocol_log.h.  What may be a secret is not in them, nor
 * a name before it is proved.  Loop thread.
 */
#include "base/clock.h"
#include "client.h"
#include "control/protocol_log.h"
#include "imap/redact.h"

static struct protocol_event
event_of(const struct cas_client *client)
{
	struct span user = directory_name_span(&client->user);

	return (struct protocol_event){
		.sid = span_from_string(client->sid),
		.user = client->state == FORWARDING ? user : SPAN(""),
		.local_address = stream_local_address(client->stream),
		.local_port = stream_local_port(client->stream),
		.address = client->address,
		.port = stream_peer_port(client->stream),
	};
}

void
protocol_begin(struct cas_client *client)
{
	struct protocol_event event = event_of(client);

	event.command = SPAN("OpenSession");
	event.is_own = true;
	event.duration_us = clock_monotonic_us() - client->began_us;
	event.rp_octets = client->told_out = stream_octets_out(client->stream);
	protocol_log_add(client->cas->parts.protocol_log, &event);
}

void
protocol_event(struct cas_client *client, const struct imap_event *event, size_t octets)
{
	if (event->kind != IMAP_EVENT_COMMAND && event->kind != IMAP_EVENT_ERROR && event->kind != IMAP_EVENT_MESSAGE_BEGINS)
		return;
	buffer_clear(&client->said);
	if (event->kind == IMAP_EVENT_COMMAND) {
		imap_redact_stranger(event->command, &client->said);
		return;
	}
	buffer_add_string(&client->said, "- unknown ");
	imap_redact_octets(octets, &client->said);
}

static bool
is_tagged(struct span line)
{
	return line.length > 0 && line.at[0] != '*' && line.at[0] != '+';
}

void
protocol_answer(struct cas_client *client, struct span line)
{
	struct protocol_event event = event_of(client);
	uint64_t in = stream_octets_in(client->stream), out = stream_octets_out(client->stream) + line.length;
	struct buffer answer = { 0 };

	if (!is_tagged(line))
		return;
	line = span_without_line_end(line);
	if (client->hides_tag) {
		buffer_add_octet(&answer, '-');
		line = span_from(line, span_find(line, ' '));
	}
	imap_redact_text(line, &answer);
	event.duration_us = clock_monotonic_us() - client->command_us;
	event.rq_octets = in - client->told_in;
	event.rp_octets = out - client->told_out;
	event.command = buffer_span(&client->said);
	event.context = buffer_span(&answer);
	if (client->is_logged_in && span_starts_with(span_from(line, span_find(line, ' ')), SPAN(" OK")))
		event.user = directory_name_span(&client->user);
	protocol_log_add(client->cas->parts.protocol_log, &event);
	buffer_free(&answer);
	client->told_in = in;
	client->told_out = out;
}

void
protocol_end(struct cas_client *client)
{
	struct protocol_event event = event_of(client);

	if (!client->is_greeted)
		return;
	event.command = SPAN("CloseSession");
	event.is_own = event.is_last = true;
	event.duration_us = clock_monotonic_us() - client->began_us;
	event.rq_octets = stream_octets_in(client->stream);
	event.rp_octets = stream_octets_out(client->stream);
	protocol_log_add(client->cas->parts.protocol_log, &event);
}
