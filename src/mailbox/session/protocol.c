/*
 * What the protocol log has of a session.  Loop thread.
 */
#include "protocol.h"

#include <string.h>

#include "../shared/role.h"
#include "base/clock.h"
#include "control/protocol_log.h"
#include "imap/redact.h"

static bool
is_logged(const struct session *session)
{
	return session->role->parts.protocol_log != NULL && session->account != NULL && session->stream != NULL;
}

/* At the other end there is a cas of another process, or an operator. */
static bool
is_foreign(const struct session *session)
{
	return strcmp(stream_peer_address(session->stream), "pair") != 0;
}

static struct protocol_event
event_of(const struct session *session)
{
	struct protocol_event event = {
		.sid = span_from_string(session->sid),
		.user = span_from_string(session->user),
		.local_address = stream_local_address(session->stream),
		.local_port = stream_local_port(session->stream),
		.address = session->address,
	};

	if (session->port != NULL)
		span_to_number(span_from_string(session->port), UINT16_MAX, &event.port);
	return event;
}

static uint64_t
octets_out(const struct session *session)
{
	return stream_octets_out(session->stream) + session->out.length;
}

static void
add_own(struct session *session, struct span word, bool is_last)
{
	struct protocol_event event = event_of(session);

	event.command = word;
	event.is_own = true;
	event.is_last = is_last;
	if (is_last) {
		event.duration_us = loop_now_us(session->role->parts.loop) - session->began_us;
		event.rq_octets = stream_octets_in(session->stream) - session->octets_in;
		event.rp_octets = octets_out(session) - session->octets_out;
	}
	protocol_log_add(session->role->parts.protocol_log, &event);
}

void
session_log_begin(struct session *session)
{
	if (!is_logged(session))
		return;
	session->told_in = stream_octets_in(session->stream);
	session->told_out = octets_out(session);
	if (is_foreign(session))
		add_own(session, SPAN("OpenSession"), false);
}

static void
add_answer(struct session *session, const struct imap_command_line *line, struct span answer, uint64_t in)
{
	struct buffer command = { 0 }, text = { 0 };
	struct protocol_event event = event_of(session);

	if (line != NULL)
		imap_redact_command(line, &command);
	else
		buffer_printf(&command, "- unknown");
	imap_redact_text(line != NULL ? answer : span_from(answer, span_find(answer, ' ')), &text);
	event.duration_us = clock_monotonic_us() - session->command_us;
	event.rq_octets = in - session->told_in;
	event.rp_octets = octets_out(session) - session->told_out;
	event.command = buffer_span(&command);
	event.context = buffer_span(&text);
	protocol_log_add(session->role->parts.protocol_log, &event);
	buffer_free(&command);
	buffer_free(&text);
}

/* The cas's own AUTHENTICATE, by which the user came, is none of the client's commands. */
void
session_log_answer(struct session *session, const struct imap_command_line *line, struct span answer)
{
	uint64_t in;

	if (!is_logged(session))
		return;
	in = stream_octets_in(session->stream) - stream_input_length(session->stream);
	if (line == NULL || session->verb != IMAP_COMMAND_COUNT)
		add_answer(session, line, answer, in);
	session->told_in = in;
	session->told_out = octets_out(session);
}

void
session_log_end(struct session *session)
{
	if (is_logged(session) && is_foreign(session))
		add_own(session, SPAN("CloseSession"), true);
}
