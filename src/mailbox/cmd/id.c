/*
 * ID: RFC 2971.  Before the login it is the client access role that speaks, and says which session this is
 * and where its client comes from; afterwards it is the client, whose words are not believed.
 */
#include <stdlib.h>

#include "commands.h"


/* The session id is for the log: only what the other role makes itself is taken. */
static void
take_session_id(struct session *session, struct span value)
{
	if (value.length == 0 || value.length >= sizeof session->sid)
		return;
	memcpy(session->sid, value.at, value.length);
	session->sid[value.length] = '\0';
}

static void
take_text(char **text, struct span value)
{
	free(*text);
	*text = memory_copy_span(value);
}

static void
take_facts(struct session *session)
{
	const struct imap_id *id = &session->line->id;

	for (size_t i = 0; i < id->count; i++) {
		if (span_equals_nocase(id->pairs[i].name, SPAN("x-session-id"))) {
			take_session_id(session, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-originating-ip"))) {
			take_text(&session->address, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-originating-port"))) {
			take_text(&session->port, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-tls"))) {
			take_text(&session->tls, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-tls-cipher"))) {
			take_text(&session->cipher, id->pairs[i].value);
		}
	}
}

void
cmd_id(struct session *session)
{
	if (session->account == NULL)
		take_facts(session);
	buffer_add_string(session_out(session), "* ID (\"name\" \"imapd\")\r\n");
	session_finish(session, REPLY_DONE);
}
