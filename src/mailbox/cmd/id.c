/*
 * ID: RFC 2971.  Before the login it is the client access role that speaks, and says which session this is
 * and where its client comes from; afterwards it is the client, whose words are for the log and capability-mask alone.
 */
#include <stdlib.h>

#include "base/base64.h"
#include "base/log.h"
#include "commands.h"
#include "imap/id.h"

#define IDS_LOGGED_MAX 4	/* in a session: who says something else all the time does not fill the log */

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

/* In base64, since a name may hold what a quoted string cannot. */
static void
take_prover(struct session *session, struct span value)
{
	struct buffer name = { 0 };

	if (base64_decode(value, &name))
		take_text(&session->prover, buffer_span(&name));
	buffer_free(&name);
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
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-prover"))) {
			take_prover(session, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-master"))) {
			session->is_master = true;
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-return"))) {
			take_text(&session->return_word, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-return-capability"))) {
			take_text(&session->return_capability, id->pairs[i].value);
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-carry"))) {
			session->may_carry = true;
		} else if (span_equals_nocase(id->pairs[i].name, SPAN("x-client-id"))) {
			buffer_clear(&session->id);
			buffer_add_span(&session->id, span_slice(id->pairs[i].value, 0, IMAP_ID_TEXT_MAX));
		}
	}
}

/* What the client says of itself takes effect for what is masked, and for nothing else. */
static void
take_words(struct session *session)
{
	struct buffer text = { 0 };

	imap_id_write(&session->line->id, &text);
	if (session->ids_logged < IDS_LOGGED_MAX) {
		session->ids_logged++;
		log_info("id", log_text("sid", session->sid), log_text("user", session->user),
		    log_text("address", session->address), log_span("id", buffer_span(&text)));
	}
	buffer_free(&text);
	buffer_clear(&session->id);
	imap_id_write_values(&session->line->id, &session->id);
	session_mask(session);
}

void
cmd_id(struct session *session)
{
	if (session->account == NULL)
		take_facts(session);
	else
		take_words(session);
	buffer_add_string(session_out(session), "* ID (\"name\" \"imapd\")\r\n");
	session_finish(session, REPLY_DONE);
}
